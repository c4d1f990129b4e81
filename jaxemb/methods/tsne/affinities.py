"""What a t-SNE map is to show: from points to joint probabilities, each step checked."""

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.checks import check_points
from jaxemb.errors import InputError
from jaxemb.memory import require_memory
from jaxemb.projections import affinities
from jaxemb.projections.affinities import Graph
from jaxemb.projections.neighbors import Engine, Metric, nearest_neighbors


class Affinities(NamedTuple):
    """What a map is to show.

    Attributes:
      graph: the joint probabilities.
      perplexity: [N] float32 as each point reached it, the mean over several.
      recall: share of the true neighbors found.
      seconds: of "neighbors" and "affinities".
    """

    graph: Graph
    perplexity: np.ndarray
    recall: float
    seconds: dict[str, float]


def affinities_of(
    points: np.ndarray,
    *,
    perplexity: float | Sequence[float] = 30.0,
    metric: Metric = "squared_euclidean",
    engine: Engine = "auto",
) -> Affinities:
    """Finds the joint probabilities of points.

    Args:
      points: [N, D] float, N at least 4.
      perplexity: from 1 to less than N / 3; several make the mean of their affinities.
      metric: of the neighbors' distances.
      engine: of the search for neighbors.

    Returns:
      The affinities, over three times as many neighbors as the largest perplexity.

    Raises:
      InputError: as in `fit`.
    """
    check_points(points)
    count, width = points.shape
    perplexities = check_perplexity(perplexity, count)
    k = min(count - 1, int(3 * max(perplexities)))
    # Neighbors and their distances, the graph, and what it is made of; a search's copies.
    require_memory(
        count * (k * 40 + width * 16), f"{count:,} points with {k} neighbours", "take fewer points"
    )
    began = time.perf_counter()
    near = nearest_neighbors(points, k=k, metric=metric, engine=engine)
    _refuse_coinciding(near.distances, min(perplexities))
    searched = time.perf_counter()
    distances = jnp.asarray(near.distances)
    conditionals = affinities.multiscale(distances, perplexities=perplexities)
    graph = jax.block_until_ready(affinities.join(near.ids, conditionals))
    seconds = {"neighbours": searched - began, "affinities": time.perf_counter() - searched}
    reached = np.mean([np.asarray(part.perplexity) for part in conditionals], axis=0)
    return Affinities(graph, reached, near.recall, seconds)


def check_perplexity(perplexity: float | Sequence[float], points: int) -> list[float]:
    """Refuses a perplexity that so many points cannot have; returns all asked for.

    Raises:
      InputError: if one is less than 1 or not less than a third of the points, or there is none.
    """
    perplexities = [perplexity] if isinstance(perplexity, (int, float)) else list(perplexity)
    for value in perplexities or [math.nan]:
        # Written so that NaN fails.
        if not 1 <= value < points / 3:
            raise InputError(
                f"perplexity must be from 1 to less than a third of the {points} points, found "
                f"{value:g}"
            )
    return perplexities


def jittered(key: jax.Array, points: np.ndarray, share: float) -> np.ndarray:
    """Adds noise to points.

    Args:
      key: of the noise.
      points: [N, D] float.
      share: its standard deviation as a share of that of all entries about their columns' means;
        of 1 if that is 0.

    Returns:
      [N, D] of the points' dtype; the points themselves if the share is 0.
    """
    if share == 0:
        return points
    spread = points.std(axis=0, dtype=float)
    # Scaled first: squares of large numbers overflow.
    deviation = float(np.linalg.norm(spread) / math.sqrt(len(spread))) or 1.0
    noise = np.asarray(jax.random.normal(key, points.shape))
    return points + (share * deviation * noise).astype(points.dtype)


def _refuse_coinciding(distances: np.ndarray, perplexity: float) -> None:
    """Refuses points that see nothing but their like: a map of them would mean nothing."""
    like = np.sum(distances == 0, axis=1)
    crowded = int(np.sum(like >= perplexity))
    if 2 * crowded > len(distances):
        points = f"{crowded:,} of" if like.min() < distances.shape[1] else "all"
        raise InputError(
            f"{points} {len(distances):,} points coincide with as many others as they are to see, "
            f"{perplexity:g}: nothing tells these apart. Drop duplicate rows, or part them with a "
            "jitter of 0.01, say"
        )
