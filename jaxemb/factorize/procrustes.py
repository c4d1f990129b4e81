"""Orthogonal maps of paired points: Procrustes' problem, for two spaces and for several."""

import functools
from collections.abc import Mapping, Sequence

import chex
import jax
import jax.numpy as jnp
import numpy as np

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


def generalized(
    spaces: Sequence[jax.Array],
    links: Mapping[tuple[int, int], np.ndarray],
    *,
    iterations: int = 10,
) -> list[jax.Array]:
    """Turns several spaces so that linked points come near to one another.

    Each space in turn is brought nearest to the others as they are then, which lessens the sum of
    squares over all links each time.

    Args:
      spaces: S arrays [N, D] finite float; N may differ.
      links: of two spaces, by their places: [P, 2] rows of both that belong together.
      iterations: times that each space is turned, at least 1.

    Returns:
      S orthogonal matrices [D, D], the first the identity.

    Raises:
      AssertionError: if a shape disagrees with the above, or a space is not linked.

    Reference:
      Gower 1975, "Generalized Procrustes analysis", without scaling; of links between pairs of
      spaces, ten Berge 1977, "Orthogonal Procrustes rotation for two or more matrices".
    """
    chex.assert_rank(list(spaces), 2)
    chex.assert_equal_shape_suffix(list(spaces), 1)
    assert iterations >= 1, f"{iterations} iterations"
    # Of each space: its linked rows, and the space and rows that they are linked with.
    partners: list[list[tuple[jax.Array, int, jax.Array]]] = [[] for _ in spaces]
    for places, rows in links.items():
        for one, other in ((0, 1), (1, 0)):
            here, there = places[one], places[other]
            linked = spaces[here][rows[:, one]], there, spaces[there][rows[:, other]]
            partners[here].append(linked)
    assert all(partners), "a space is not linked"
    maps = [jnp.eye(space.shape[1], dtype=space.dtype) for space in spaces]
    # The first stays, and those linked to what is turned already come before others.
    turned = {0}
    for _ in range(iterations):
        waiting = list(range(1, len(spaces)))
        while waiting:
            place = next(
                (one for one in waiting if turned & {there for _, there, _ in partners[one]}),
                None,
            )
            assert place is not None, "a space is not linked to the first"
            ready = [part for part in partners[place] if part[1] in turned]
            own = jnp.concatenate([own for own, _, _ in ready])
            aims = jnp.concatenate([_matmul(rows, maps[there]) for _, there, rows in ready])
            maps[place] = orthogonal(own, aims)
            turned.add(place)
            waiting.remove(place)
    return maps
