"""Joint probabilities of t-SNE, from points: each step checked."""

import logging
import math
import time
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.checks import as_points
from jaxemb.errors import InputError
from jaxemb.memory import require_memory
from jaxemb.methods.tsne.options import Options
from jaxemb.progress import phase
from jaxemb.projections import affinities
from jaxemb.projections.affinities import Graph
from jaxemb.projections.neighbors import Engine, Given, Lists, Metric, nearest_neighbors

_logger = logging.getLogger("jaxemb")

# Where none is asked for, as van der Maaten's code.
_PERPLEXITY = 30.0


class Affinities(NamedTuple):
    """Joint probabilities and how they were found.

    Attributes:
      points: [N, D] that they are of.
      graph: the joint probabilities.
      perplexity: [N] float32 as each point reached it, the mean over several.
      recall: share of the true neighbors found.
      seconds: of "neighbors" and "affinities".
    """

    points: np.ndarray
    graph: Graph
    perplexity: np.ndarray
    recall: float
    seconds: dict[str, float]


def affinities_of(
    points: np.ndarray,
    *,
    perplexity: float | Sequence[float] | None = None,
    metric: Metric | Given = "euclidean",
    engine: Engine = "auto",
    neighbors_per_perplexity: float = 3.0,
    lists: Lists | None = None,
) -> Affinities:
    """Finds the joint probabilities of points.

    Args:
      points: [N, D] float, N at least 4; [N, N] distances for the metric "precomputed".
      perplexity: from 1 to less than N / 3; several make the mean of their affinities. None: 30, or
        as many as there can be.
      metric: of the neighbors' distances.
      engine: of the search for neighbors.
      neighbors_per_perplexity: neighbors of a point, as a multiple of the largest perplexity.
      lists: of an approximate search.

    Returns:
      The affinities.

    Raises:
      InputError: as in `fit`.
    """
    points = as_points(points)
    count, width = points.shape
    perplexities = check_perplexity(perplexity, count)
    if perplexity is None and perplexities[0] < _PERPLEXITY:
        _logger.info(f"perplexity {perplexities[0]:.3g}: {count} points allow no more")
    k = min(count - 1, int(neighbors_per_perplexity * max(perplexities)))
    # Neighbors and their distances, the graph, and what it is made of; a search's copies.
    require_memory(
        count * (k * 40 + width * 16), f"{count:,} points with {k} neighbors", "take fewer points"
    )
    began = time.perf_counter()
    near = nearest_neighbors(points, k=k, metric=metric, engine=engine, lists=lists)
    _refuse_coinciding(near.distances, min(perplexities))
    searched = time.perf_counter()
    with phase("computing affinities"):
        distances = jnp.asarray(near.distances)
        conditionals = affinities.multiscale(distances, perplexities=perplexities)
        graph = jax.block_until_ready(affinities.join(near.ids, conditionals))
    seconds = {"neighbors": searched - began, "affinities": time.perf_counter() - searched}
    reached = np.mean([np.asarray(part.perplexity) for part in conditionals], axis=0)
    return Affinities(points, graph, reached, near.recall, seconds)


def affinities_for(key: jax.Array, points: np.ndarray, options: Options) -> Affinities:
    """Finds the joint probabilities that options ask for.

    Args:
      key: random key of the jitter.
      points: [N, D] float.
      options: of the map.

    Returns:
      The affinities; `points` are those with jitter.
    """
    return affinities_of(
        jittered(key, points, options.jitter),
        perplexity=options.perplexity,
        metric=options.metric,
        engine=options.neighbors,
        neighbors_per_perplexity=options.neighbors_per_perplexity,
        lists=options.lists,
    )


def check_perplexity(perplexity: float | Sequence[float] | None, points: int) -> list[float]:
    """Refuses a perplexity that so many points cannot have; returns all asked for.

    None asks for 30, or as many as there can be.

    Raises:
      InputError: if one is less than 1 or not less than a third of the points, or there is none.
    """
    if perplexity is None:
        return [min(_PERPLEXITY, (points - 1) / 3)]
    perplexities = [perplexity] if isinstance(perplexity, (int, float)) else list(perplexity)
    for value in perplexities or [math.nan]:
        # NaN fails this comparison.
        if not 1 <= value < points / 3:
            raise InputError(
                f"perplexity must be from 1 to less than a third of the {points} points, found "
                f"{value:g}"
            )
    return perplexities


def jittered(key: jax.Array, points: np.ndarray, share: float) -> np.ndarray:
    """Adds noise to points.

    Args:
      key: random key.
      points: [N, D] float.
      share: its standard deviation as a share of that of all entries about their columns' means;
        1 if that is 0.

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
    """Refuses points most of which coincide with all that they see: a map would mean nothing."""
    like = np.sum(distances == 0, axis=1)
    crowded = int(np.sum(like >= perplexity))
    if 2 * crowded > len(distances):
        points = f"{crowded:,} of" if like.min() < distances.shape[1] else "all"
        raise InputError(
            f"{points} {len(distances):,} points coincide with as many others as they are to see, "
            f"{perplexity:g}: nothing tells these apart. Drop duplicate rows, or part them with a "
            "jitter of e.g. 0.01"
        )
