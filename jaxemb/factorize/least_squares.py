"""Weighted least squares of many rows at once, where all that is not listed counts as zero."""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

# GPUs would otherwise multiply in TF32, and the systems would not be symmetric any more.
_einsum = functools.partial(jnp.einsum, precision=jax.lax.Precision.HIGHEST)


class Solved(NamedTuple):
    """Rows that minimize their share of the objective.

    Attributes:
      rows: [R, D].
      squares: [R] what is left of the objective, the penalty included.
      most: [R] the objective of a row of zeros.
    """

    rows: jax.Array
    squares: jax.Array
    most: jax.Array


def solve_rows(
    others: jax.Array,
    weights: jax.Array,
    owners: jax.Array,
    gram: jax.Array,
    *,
    rows: int,
    penalty: jax.Array | float,
) -> Solved:
    """Minimizes sum_i c_i (p_i - x·y_i)^2 + penalty |x|^2 over each row x, exactly.

    The sum is over all i: those listed have p = 1 and c = 1 + weight, all others p = 0 and c = 1.

    Args:
      others: [P, L, D] the vectors y of what is listed, in pieces of L.
      weights: [P, L] at least 0; negative ones are no entries.
      owners: [P] int, the row that a piece belongs to, ascending; R or more for none.
      gram: [D, D] the sum over all y of their outer products, also of those not listed.
      rows: R.
      penalty: [] more than 0.

    Returns:
      The rows; those without a piece are 0.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Hu, Koren & Volinsky 2008, "Collaborative filtering for implicit feedback datasets", eq. 4.
    """
    pieces, length, dim = others.shape
    chex.assert_shape(weights, (pieces, length))
    chex.assert_shape(owners, (pieces,))
    chex.assert_shape(gram, (dim, dim))
    listed = weights >= 0
    extra = jnp.where(listed, weights, 0)
    confidence = jnp.where(listed, 1 + weights, 0)

    def add_up(values: jax.Array) -> jax.Array:
        return jax.ops.segment_sum(values, owners, rows, indices_are_sorted=True)

    left = add_up(_einsum("pl,pld,ple->pde", extra, others, others)) + gram[None]
    left = left + penalty * jnp.eye(dim, dtype=others.dtype)[None]
    right = add_up(_einsum("pl,pld->pd", confidence, others))
    factors = jax.scipy.linalg.cho_factor(left, lower=True)
    solved = jax.scipy.linalg.cho_solve(factors, right[..., None])[..., 0]
    most = add_up(confidence.sum(axis=1))
    # At the minimum, the objective is that of zeros less right·x.
    return Solved(solved, most - jnp.sum(right * solved, axis=1), most)
