"""Canonical correlation of two views, with a ridge, and directions weighted by it."""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

# GPUs would otherwise multiply in TF32, and whitened directions would not be uncorrelated.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


class Canonical(NamedTuple):
    """Directions in which two views agree.

    Attributes:
      source: [D, C] map of the first view, C the smaller of D and E.
      target: [E, C] map of the second.
      correlations: [C] of the mapped views, from 1 down to 0, lessened by the ridge.
    """

    source: jax.Array
    target: jax.Array
    correlations: jax.Array


@jax.jit
def canonical(source: jax.Array, target: jax.Array, *, ridge: jax.Array | float) -> Canonical:
    """Finds the directions of two views that correlate most.

    Args:
      source: [P, D] finite float. It is taken as it is: center it first, if that is meant.
      target: [P, E] finite float; row i is another view of row i of `source`.
      ridge: [] added to the variances of each view, as a share of their mean; more than 0.

    Returns:
      The directions, most correlated first.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Hotelling 1936, "Relations between two sets of variates"; the ridge is Vinod's, 1976.
    """
    chex.assert_rank([source, target], 2)
    chex.assert_equal_shape_prefix([source, target], 1)
    white = [_whitening(view, ridge) for view in (source, target)]
    across = _matmul(white[0], _matmul(_matmul(source.T, target), white[1])) / len(source)
    left, correlations, right = jnp.linalg.svd(across, full_matrices=False)
    return Canonical(_matmul(white[0], left), _matmul(white[1], right.T), correlations)


def weighted(found: Canonical, power: jax.Array | float) -> tuple[jax.Array, jax.Array]:
    """Returns both maps, each direction times a power of its correlation.

    Args:
      found: directions.
      power: 0 gives all the same weight; 1 leaves little to those that hardly agree.
    """
    weights = jnp.power(found.correlations, power)[None, :]
    return found.source * weights, found.target * weights


def _whitening(view: jax.Array, ridge: jax.Array | float) -> jax.Array:
    """Returns the inverse root of a view's second moments [D, D], with a ridge."""
    moments = _matmul(view.T, view) / len(view)
    ascending, vectors = jnp.linalg.eigh(moments)
    variances = jnp.maximum(ascending, 0) + ridge * jnp.mean(ascending)
    return _matmul(vectors / jnp.sqrt(variances)[None, :], vectors.T)
