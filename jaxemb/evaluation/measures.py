"""Neighbors under several measures of similarity, which don't agree."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.evaluation.distance_rows import Distance, distance_rows
from jaxemb.losses.distances import pairwise_cosine, pairwise_euclidean, pairwise_l1


def _minus_dot(x: jax.Array, y: jax.Array) -> jax.Array:
    return -jnp.matmul(x, y.T, precision=jax.lax.Precision.HIGHEST)


MEASURES: dict[str, Distance] = {
    "cosine": pairwise_cosine,
    "Euclidean": pairwise_euclidean,
    "Manhattan": pairwise_l1,
    "dot product": _minus_dot,
}


def nearest_by(distance: Distance, vectors: np.ndarray, rows: np.ndarray, *, k: int) -> np.ndarray:
    """Finds the rows of a table that are nearest to some of its rows.

    `jaxemb.evaluation.neighbors` finds those by cosine faster.

    Args:
      distance: such as one of MEASURES.
      vectors: [V, D] finite.
      rows: [B] int, the rows asked about, which are no neighbors of themselves.
      k: neighbors of each, at most V - 1.

    Returns:
      [B, k] rows, nearest first.

    Raises:
      InputError: if the vectors are not finite.
    """
    assert 1 <= k < len(vectors), f"{k} neighbours among {len(vectors)} rows"
    found = [np.empty((0, k), int)]
    for start, block in distance_rows(vectors[rows], vectors, distance):
        others = block.copy()
        others[np.arange(len(block)), rows[start : start + len(block)]] = np.inf
        part = np.sort(np.argpartition(others, k - 1, axis=1)[:, :k], axis=1)
        order = np.argsort(np.take_along_axis(others, part, axis=1), axis=1, kind="stable")
        found.append(np.take_along_axis(part, order, axis=1))
    return np.concatenate(found)
