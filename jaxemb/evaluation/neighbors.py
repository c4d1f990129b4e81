"""Exact nearest neighbors in a table: by cosine, by any distance, and in a map.

`jaxemb.projections.neighbors` finds those of every point of a large data set.
"""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.evaluation.distance_rows import Distance, distance_rows
from jaxemb.losses.distances import unit

# Cosines in a block: 16 MiB in float32, whatever the number of words and queries.
_COSINES_AT_A_TIME = 2**22


@functools.partial(jax.jit, static_argnames=("k", "at_a_time"))
def nearest(
    vectors: jax.Array,
    queries: jax.Array,
    *,
    k: int,
    exclude: jax.Array | None = None,
    at_a_time: int = _COSINES_AT_A_TIME,
) -> tuple[jax.Array, jax.Array]:
    """Finds the rows of a table with the largest cosine to each query.

    Memory beyond the arguments and results is one copy of the table and a block of cosines.

    Args:
      vectors: [V, D] the table; need not be normalized.
      queries: [B, D] need not be normalized.
      k: neighbors of each query; at most V - E.
      exclude: [B, E] rows that are no neighbors of the query, e.g. its own; -1 for none. None
        excludes nothing.
      at_a_time: cosines in a block; changes speed and memory alone.

    Returns:
      ids: [B, k] int32 row numbers, nearest first; equal cosines in the order of the table.
      cosines: [B, k] in [-1, 1] up to rounding; a zero vector's cosine to anything is 0.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    rows, dim = vectors.shape
    batch = queries.shape[0]
    chex.assert_shape(queries, (batch, dim))
    if exclude is None:
        exclude = jnp.empty((batch, 0), jnp.int32)
    chex.assert_shape(exclude, (batch, None))
    assert 1 <= k <= rows - exclude.shape[1], f"{k} of {rows} rows, {exclude.shape[1]} excluded"
    table = unit(vectors)

    def one_query(query: jax.Array, excluded: jax.Array) -> tuple[jax.Array, jax.Array]:
        # GPUs would otherwise multiply in TF32 and confuse near neighbors.
        cosines = jnp.matmul(table, query, precision=jax.lax.Precision.HIGHEST)  # [V]
        barred = jnp.any(jnp.arange(rows)[:, None] == excluded[None, :], axis=1)
        best, ids = jax.lax.top_k(jnp.where(barred, -jnp.inf, cosines), k)
        return ids, best

    tile = max(1, min(batch, at_a_time // rows))
    return jax.lax.map(lambda pair: one_query(*pair), (unit(queries), exclude), batch_size=tile)


def nearest_by(
    distance: Distance, vectors: np.ndarray, rows: np.ndarray, *, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Finds the rows of a table that are nearest to some of its rows.

    By cosine, `nearest` is faster.

    Args:
      distance: all distances between two sets of vectors, e.g. of `jaxemb.losses.distances`.
      vectors: [V, D] finite.
      rows: [B] int, the queries; they are no neighbors of themselves.
      k: neighbors of each, at most V - 1.

    Returns:
      ids: [B, k] rows, nearest first.
      distances: [B, k].

    Raises:
      InputError: if the vectors are not finite.
    """
    assert 1 <= k < len(vectors), f"{k} neighbors among {len(vectors)} rows"
    ids, distances = [np.empty((0, k), int)], [np.empty((0, k), vectors.dtype)]
    for start, block in distance_rows(vectors[rows], vectors, distance):
        others = block.copy()
        others[np.arange(len(block)), rows[start : start + len(block)]] = np.inf
        part = np.sort(np.argpartition(others, k - 1, axis=1)[:, :k], axis=1)
        apart = np.take_along_axis(others, part, axis=1)
        order = np.argsort(apart, axis=1, kind="stable")
        ids.append(np.take_along_axis(part, order, axis=1))
        distances.append(np.take_along_axis(apart, order, axis=1))
    return np.concatenate(ids), np.concatenate(distances)


def nearest_in_map(points: np.ndarray, rows: np.ndarray, *, k: int) -> np.ndarray:
    """Finds the k nearest neighbors of some points of a map, Euclidean, by a tree.

    Args:
      points: [N, d] the map, finite; trees are slow for many dimensions.
      rows: [S] the points asked about.
      k: neighbors of each, in 1..N-1; a point is none of its own, but its duplicate is.

    Returns:
      [S, k] ids, nearest first.

    Raises:
      AssertionError: if a shape disagrees with the above or k is not in 1..N-1.
    """
    chex.assert_rank([points, rows], [2, 1])
    assert 1 <= k < len(points), f"k = {k} neighbors of {len(points)} points"
    from sklearn.neighbors import NearestNeighbors  # half a second, and few need it

    found = NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points[rows])[1]
    own = found == rows[:, None]
    # Among many duplicates the point itself may be missing: then the farthest goes.
    own[:, -1] |= ~own.any(axis=1)
    return found[~own].reshape(len(rows), k)
