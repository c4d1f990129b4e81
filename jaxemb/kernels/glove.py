"""Gradients of `jaxemb.losses.glove`, many pairs of a row at a time."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.glove import glove_weight, log_count_error


class GloveGradients(NamedTuple):
    """Gradients of each row over its pairs.

    Attributes:
      rows: [P, D + 1] gradients of the rows' vectors and biases, summed over pairs.
      loss: [P] summed over pairs.
    """

    rows: jax.Array
    loss: jax.Array


def glove_gradients(
    rows: jax.Array,
    others: jax.Array,
    counts: jax.Array,
    *,
    x_max: float = 100.0,
    alpha: float = 0.75,
) -> GloveGradients:
    """Computes the gradients of `glove_loss` for rows of one table, each over several pairs.

    The gradients of the other table's rows are left out. Where X is symmetric, a word has the same
    pairs as a context, so that a call with the tables exchanged gives them. What is scattered into
    a table is then one row for many pairs; the gradient of a gather, which tracing would add, is a
    scatter of one row for each pair.

    Args:
      rows: [P, D + 1] vectors of one table, the bias last.
      others: [P, L, D + 1] of the other table.
      counts: [P, L] X of the pairs, not negative; 0 for no pair.
      x_max: count above which all pairs have weight 1.
      alpha: power of the counts up to there.

    Returns:
      The gradients.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    pieces, length = counts.shape
    width = rows.shape[-1]
    chex.assert_shape(rows, (pieces, width))
    chex.assert_shape(others, (pieces, length, width))
    # With 1 for the bias of the others; the rows' own is the same for all pairs.
    vectors = rows.at[:, -1].set(1)
    scores = jnp.einsum("pld,pd->pl", others, vectors) + rows[:, -1:]
    error = log_count_error(scores, counts)
    weighed = glove_weight(counts, x_max=x_max, alpha=alpha) * error
    to_rows = jnp.einsum("pl,pld->pd", jax.lax.optimization_barrier(weighed), others)
    return GloveGradients(
        to_rows.at[:, -1].set(weighed.sum(axis=1)), 0.5 * jnp.sum(weighed * error, axis=1)
    )
