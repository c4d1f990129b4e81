"""Orthogonal maps of paired points: Procrustes' problem, for two spaces and for several."""

import functools
from collections.abc import Sequence

import chex
import jax
import jax.numpy as jnp

# GPUs would otherwise multiply in TF32, and the maps would not be orthogonal.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


@jax.jit
def orthogonal(source: jax.Array, target: jax.Array) -> jax.Array:
    """Finds the map with orthonormal rows or columns that brings points nearest to their partners.

    Args:
      source: [P, D] finite float.
      target: [P, E] finite float, their partners.

    Returns:
      [D, E] matrix W of least sum of squares of `source @ W - target`.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem".
    """
    chex.assert_rank([source, target], 2)
    chex.assert_equal_shape_prefix([source, target], 1)
    left, _, right = jnp.linalg.svd(_matmul(source.T, target), full_matrices=False)
    return _matmul(left, right)


def generalized(spaces: Sequence[jax.Array], *, iterations: int = 10) -> list[jax.Array]:
    """Finds orthogonal maps of several spaces to the mean of all.

    Args:
      spaces: S arrays [P, D] finite float; row i of each is the same thing.
      iterations: times that the mean is made anew, at least 1.

    Returns:
      S matrices [D, D], each nearest to the mean of the mapped spaces.

    Raises:
      AssertionError: if a shape disagrees with the above.

    Reference:
      Gower 1975, "Generalized Procrustes analysis", without scaling.
    """
    chex.assert_equal_shape(spaces)
    assert iterations >= 1, f"{iterations} iterations"
    mean, maps = spaces[0], []
    for _ in range(iterations):
        maps = [orthogonal(space, mean) for space in spaces]
        mapped = [_matmul(space, one) for space, one in zip(spaces, maps, strict=True)]
        mean = jnp.mean(jnp.stack(mapped), axis=0)
    return maps
