"""How faithful a map is to its points.

Scores are computed in float64 on the host. Where a score is of a sample of points, their neighbors
and ranks are among all points.
"""

from typing import Literal, NamedTuple

import chex
import numpy as np
from scipy.spatial import procrustes
from scipy.stats import spearmanr

from jaxemb.evaluation.neighbors import nearest_in_map

Metric = Literal["euclidean", "precomputed"]

# Distances in a block: 128 MiB in float64, whatever the number of points.
_DISTANCES_AT_A_TIME = 2**24


class NeighborScores(NamedTuple):
    """How well a map preserves neighborhoods, each in [0, 1], 1 for all.

    Attributes:
      trustworthiness: 1 less a penalty for points that are near in the map only, by how far they
        are in rank. Venna & Kaski 2001, eq. 1.
      continuity: 1 less a penalty for near points that the map tears apart. The same, eq. 2.
      preservation: share of the k nearest points that are among the k nearest in the map.
    """

    trustworthiness: float
    continuity: float
    preservation: float


def neighbor_scores(
    points: np.ndarray,
    embedding: np.ndarray,
    *,
    k: int = 10,
    metric: Metric = "euclidean",
    rows: int = 1000,
    seed: int = 0,
) -> NeighborScores:
    """Compares the k nearest neighbors of points with those in the map.

    Args:
      points: [N, D] finite; with the metric "precomputed" their distances [N, N].
      embedding: [N, d] the map, finite.
      k: neighbors of each point; below N / 2.
      metric: of the points; the map's is Euclidean.
      rows: size of the sample of points, drawn without replacement; ranks are among all points.
      seed: of the sample.

    Returns:
      The scores, means over the sample.

    Raises:
      AssertionError: if a shape disagrees with the above, or k is not in 1..(N - 1) / 2.

    Reference:
      Venna & Kaski 2001, "Neighborhood preservation in nonlinear projection methods". A point's
      rank is one more than the number of nearer ones; points equally far share the best.
    """
    size = len(points)
    chex.assert_shape(points, (size, None))
    chex.assert_shape(embedding, (size, None))
    assert 1 <= k < size / 2, f"k = {k} neighbors of {size} points"
    sample = _sample(size, rows, seed)
    penalties, kept = np.zeros(2), 0
    tile = max(1, _DISTANCES_AT_A_TIME // size)
    for start in range(0, len(sample), tile):
        block = sample[start : start + tile]
        original = _distances(points, block, metric)  # [b, N]
        mapped = _distances(embedding, block)
        # The ranks, in one space, of the nearest neighbors in the other.
        intruders = _ranks(original, np.argpartition(mapped, k, axis=1)[:, :k])
        extruded = _ranks(mapped, np.argpartition(original, k, axis=1)[:, :k])
        penalties += [np.maximum(ranks - k, 0).sum() for ranks in (intruders, extruded)]
        kept += (intruders <= k).sum()
    # The largest possible penalty is 1 / scale.
    scale = 2 / (len(sample) * k * (2 * size - 3 * k - 1))
    trustworthiness, continuity = (1 - scale * penalties).tolist()
    return NeighborScores(trustworthiness, continuity, float(kept / (len(sample) * k)))


def knn_accuracy(
    embedding: np.ndarray, labels: np.ndarray, *, k: int = 10, rows: int = 0, seed: int = 0
) -> float:
    """Classifies each point by its k nearest neighbors in the map (leave-one-out).

    Args:
      embedding: [N, d] the map, finite.
      labels: [N] the class of each, a number or a name.
      k: neighbors that vote, in 1..N-1; ties go to the class of the smallest label.
      rows: size of the sample of points, drawn without replacement; 0 for all.
      seed: of the sample.

    Returns:
      Accuracy, in [0, 1].

    Raises:
      AssertionError: if a shape disagrees with the above or k is not in 1..N-1.
    """
    size = len(embedding)
    chex.assert_shape(embedding, (size, None))
    labels = np.asarray(labels)
    chex.assert_shape(labels, (size,))
    sample = _sample(size, rows or size, seed)
    classes, labels = np.unique(labels, return_inverse=True)
    voters = labels[nearest_in_map(embedding, sample, k=k)]  # [S, k]
    votes = np.zeros((len(sample), len(classes)), np.int32)
    np.add.at(votes, (np.arange(len(sample))[:, None], voters), 1)
    return float((votes.argmax(axis=1) == labels[sample]).mean())


def shepard_correlation(
    points: np.ndarray,
    embedding: np.ndarray,
    *,
    metric: Metric = "euclidean",
    pairs: int = 100_000,
    seed: int = 0,
) -> float:
    """Correlates distances between points with those in the map, by rank (Spearman).

    Args:
      points: [N, D] finite, N >= 2; with the metric "precomputed" their distances [N, N].
      embedding: [N, d] the map, finite.
      metric: of the points.
      pairs: pairs of different points drawn, with replacement.
      seed: of the draw.

    Returns:
      In [-1, 1]; NaN if all distances in a space are equal.

    Raises:
      AssertionError: if a shape disagrees with the above.
    """
    left, right = pair_distances(points, embedding, metric=metric, pairs=pairs, seed=seed)
    if not (np.ptp(left) and np.ptp(right)):
        return np.nan
    return float(spearmanr(left, right).statistic)


def pair_distances(
    points: np.ndarray,
    embedding: np.ndarray,
    *,
    metric: Metric = "euclidean",
    pairs: int = 100_000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Measures random pairs in both spaces, as for a Shepard diagram.

    Args:
      points: [N, D] finite, N >= 2; with the metric "precomputed" their distances [N, N].
      embedding: [N, d] the map, finite.
      metric: of the points.
      pairs: P, pairs of different points drawn, with replacement.
      seed: of the draw.

    Returns:
      [P] distances between points, and [P] those in the map.

    Raises:
      AssertionError: if a shape disagrees with the above.
    """
    size = len(points)
    chex.assert_shape(points, (size, None))
    chex.assert_shape(embedding, (size, None))
    rng = np.random.default_rng(seed)
    first = rng.integers(size, size=pairs)
    second = (first + rng.integers(1, size, size=pairs)) % size
    original, mapped = np.empty(pairs), np.empty(pairs)
    tile = max(1, _DISTANCES_AT_A_TIME // points.shape[1])
    for start in range(0, pairs, tile):
        i, j = first[start : start + tile], second[start : start + tile]
        part = slice(start, start + tile)
        original[part] = points[i, j] if metric == "precomputed" else _gaps(points, i, j)
        mapped[part] = _gaps(embedding, i, j)
    return original, mapped


def _gaps(points: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the distances [P] between two lists [P] of rows, in float64."""
    return np.linalg.norm(points[first].astype(np.float64) - points[second], axis=1)


def procrustes_disparity(first: np.ndarray, second: np.ndarray) -> float:
    """Measures how two maps of the same points differ after the best alignment.

    Args:
      first: [N, d] a map with at least two different points.
      second: [N, d] likewise. Shifts, rotations, reflections and scale don't matter.

    Returns:
      Sum of squared distances left, in [0, 1]: 0 for the same shape, near 1 for unrelated ones.

    Raises:
      AssertionError: if the shapes differ.

    Reference:
      Gower 1975, with both maps scaled to a sum of squares of 1, as `scipy.spatial.procrustes`.
    """
    chex.assert_equal_shape([first, second])
    # In float32, scipy would lose digits of a map far from 0.
    return float(procrustes(first.astype(np.float64), second.astype(np.float64))[2])


def neighbor_overlap(
    first: np.ndarray, second: np.ndarray, *, k: int = 10, rows: int = 1000, seed: int = 0
) -> float:
    """Measures how far two maps agree on nearest neighbors.

    Args:
      first: [N, d] a map, finite.
      second: [N, e] another of the same points, finite.
      k: neighbors of each point, in 1..N-1.
      rows: size of the sample of points, drawn without replacement.
      seed: of the sample.

    Returns:
      Share of the k nearest neighbors that both maps have, in [0, 1]; chance is k / (N - 1).

    Raises:
      AssertionError: if a shape disagrees with the above or k is not in 1..N-1.
    """
    chex.assert_equal(len(first), len(second))
    sample = _sample(len(first), rows, seed)
    a, b = nearest_in_map(first, sample, k=k), nearest_in_map(second, sample, k=k)
    return float((a[:, :, None] == b[:, None, :]).any(axis=2).mean())


def _sample(size: int, rows: int, seed: int) -> np.ndarray:
    if rows >= size:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed).choice(size, rows, replace=False))


def _distances(points: np.ndarray, rows: np.ndarray, metric: Metric = "euclidean") -> np.ndarray:
    """Returns [S, N] distances, Euclidean ones squared; a point's to itself is infinite."""
    if metric == "precomputed":
        given = points[rows].astype(np.float64)
        given[np.arange(len(rows)), rows] = np.inf
        return given
    origin = points[:1].astype(np.float64)
    queries = points[rows] - origin
    squared = np.empty((len(rows), len(points)))
    # Converted in pieces: a second copy of all in float64 may not fit.
    tile = max(1, _DISTANCES_AT_A_TIME // points.shape[1])
    for start in range(0, len(points), tile):
        piece = points[start : start + tile] - origin
        products = queries @ piece.T
        squared[:, start : start + tile] = np.einsum("nd,nd->n", piece, piece) - 2 * products
    squared += np.square(queries).sum(axis=1)[:, None]
    squared[np.arange(len(rows)), rows] = np.inf
    return squared


def _ranks(distances: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Returns [S, k] ranks of these ids in each row, 1 for the nearest."""
    chosen = np.take_along_axis(distances, ids, axis=1)
    return 1 + np.array(
        [
            [np.count_nonzero(row < limit) for limit in limits]
            for row, limits in zip(distances, chosen, strict=True)
        ]
    )
