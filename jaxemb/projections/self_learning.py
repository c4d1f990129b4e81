"""Pairs of points of two spaces, from nothing but the points."""

import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.losses.distances import unit

# GPUs would otherwise multiply in TF32 and confuse near neighbors.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)

# Rows at a time: a block of them with all columns is held.
_ROWS = 512


def by_similarities(source: jax.Array, target: jax.Array, *, neighbors: int) -> np.ndarray:
    """Pairs points whose sorted similarities to the others of their space are most alike.

    Args:
      source: [N, D] finite.
      target: [M, E] finite.
      neighbors: of the correction for hubs.

    Returns:
      [P, 2] int32 rows: of each point of the one and of the other space its partner.

    Reference:
      Artetxe et al. 2018, section 3.2.
    """
    chex.assert_rank([source, target], 2)
    size = min(len(source), len(target))
    sides = []
    for view in (source[:size], target[:size]):
        left, values, _ = jnp.linalg.svd(view, full_matrices=False)
        # The root of all similarities, sorted: it knows no coordinates.
        alike = jnp.sort(_matmul(left * values[None, :], left.T), axis=1)
        alike = unit(alike)
        sides.append(unit(alike - alike.mean(axis=0, keepdims=True)))
    key = jax.random.key(0)  # nothing is left out
    return best_of_each(key, *sides, keep=1.0, neighbors=neighbors)[0]


def best_of_each(
    key: jax.Array, source: jax.Array, target: jax.Array, *, keep: float, neighbors: int
) -> tuple[np.ndarray, float]:
    """Pairs each point of both spaces with the other space's nearest, corrected for hubs.

    Args:
      key: random key of what is left out.
      source: [N, D] finite.
      target: [M, D] finite.
      keep: share of all similarities that is looked at, by chance.
      neighbors: of the correction, at most N and M.

    Returns:
      [N + M, 2] int32 rows of source and target, and the mean cosine of each point to its best.
    """
    forward, backward, similarity = _best_of_each(
        key,
        unit(source),
        unit(target),
        jnp.float32(keep),
        min(neighbors, *map(len, (source, target))),
    )
    ids = [np.arange(len(side), dtype=np.int32) for side in (source, target)]
    pairs = [(ids[0], np.asarray(forward)), (np.asarray(backward), ids[1])]
    return np.concatenate([np.stack(pair, axis=1) for pair in pairs]), float(similarity)


def best_of_both(source: jax.Array, target: jax.Array, *, neighbors: int) -> np.ndarray:
    """Pairs points that are each other's nearest in the other space, corrected for hubs.

    Args:
      source: [N, D] finite.
      target: [M, D] finite.
      neighbors: of the correction, at most N and M.

    Returns:
      [P, 2] int32 rows of source and target, P from 1 to min(N, M).
    """
    key = jax.random.key(0)  # nothing is left out
    pairs, _ = best_of_each(key, source, target, keep=1.0, neighbors=neighbors)
    found, times = np.unique(pairs, axis=0, return_counts=True)
    return found[times == 2]


@functools.partial(jax.jit, static_argnames="neighbors")
def _best_of_each(
    key: jax.Array, source: jax.Array, target: jax.Array, keep: jax.Array, neighbors: int
) -> tuple[jax.Array, jax.Array, jax.Array]:
    rows, columns = len(source), len(target)

    def mean_of_nearest(row: jax.Array, others: jax.Array) -> jax.Array:
        return jnp.mean(jax.lax.top_k(_matmul(others, row), neighbors)[0])

    hubs = [
        jax.lax.map(lambda row, others=others: mean_of_nearest(row, others), side, batch_size=_ROWS)
        for side, others in ((source, target), (target, source))
    ]
    blocks = -(-rows // _ROWS)
    padded = jnp.pad(source, ((0, blocks * _ROWS - rows), (0, 0))).reshape(blocks, _ROWS, -1)
    own = jnp.pad(hubs[0], (0, blocks * _ROWS - rows), constant_values=jnp.inf)

    def look(carry: Any, block: Any) -> tuple[Any, Any]:
        best, place, cosine = carry
        number, points, less = block
        cosines = _matmul(points, target.T)
        seen = jax.random.bernoulli(jax.random.fold_in(key, number), keep, cosines.shape)
        scores = jnp.where(seen, 2 * cosines - less[:, None] - hubs[1][None, :], -4.0)
        # Rows beyond the last are infinitely far.
        scores = jnp.where(jnp.isinf(less)[:, None], -jnp.inf, scores)
        top = jnp.argmax(scores, axis=1)
        column = jnp.argmax(scores, axis=0)
        value = jnp.take_along_axis(scores, column[None, :], axis=0)[0]
        better = value > best
        carry = (
            jnp.where(better, value, best),
            jnp.where(better, number * _ROWS + column, place),
            jnp.maximum(cosine, cosines.max(axis=0)),
        )
        return carry, (top, cosines.max(axis=1))

    empty = (
        jnp.full(columns, -jnp.inf),
        jnp.zeros(columns, jnp.int32),
        jnp.full(columns, -jnp.inf),
    )
    given = (jnp.arange(blocks), padded, own.reshape(blocks, _ROWS))
    (_, backward, cosines), (forward, ahead) = jax.lax.scan(look, empty, given)
    similarity = (jnp.mean(ahead.reshape(-1)[:rows]) + jnp.mean(cosines)) / 2
    return forward.reshape(-1)[:rows].astype(jnp.int32), backward, similarity
