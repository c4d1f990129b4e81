"""Identification: whose picture is this, among known individuals and perhaps unknown ones?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.checks import as_labels
from jaxemb.errors import InputError
from jaxemb.evaluation.distance_rows import Distance, distance_rows
from jaxemb.losses.distances import pairwise_squared_euclidean


class IdentificationScores(NamedTuple):
    """How often the right individual is among the nearest (closed set).

    Attributes:
      rates: {k: share of queries whose individual is among the k nearest ones}.
      queries: number of queries scored.
      missing: number left out because their individual is not in the gallery.
    """

    rates: dict[int, float]
    queries: int
    missing: int


class OpenSetScores(NamedTuple):
    """How well individuals of a gallery are recognized among others.

    Attributes:
      identification_rate: share of queries of known individuals that are accepted with the right
        name.
      false_positive_rate: share of queries of unknown individuals that are accepted.
      known: queries whose individual the gallery has.
      unknown: the others.
    """

    identification_rate: float
    false_positive_rate: float
    known: int
    unknown: int


def identification(
    queries: np.ndarray,
    labels: np.ndarray,
    gallery: np.ndarray,
    gallery_labels: np.ndarray,
    *,
    ranks: Sequence[int] = (1, 5),
    distance: Distance = pairwise_squared_euclidean,
) -> IdentificationScores:
    """Ranks the individuals of a gallery by their nearest picture.

    Args:
      queries: [Q, D] finite.
      labels: [Q] whole numbers or names, their individuals.
      gallery: [G, D] finite.
      gallery_labels: [G] likewise.
      ranks: which k.
      distance: all distances between two sets of vectors.

    Returns:
      The scores. Ties count against the right individual: an embedding that has collapsed to a
      point has rate 0.

    Raises:
      InputError: if arrays don't belong together, or no query's individual is in the gallery.
    """
    labels = as_labels(labels, len(queries))
    gallery_labels = as_labels(gallery_labels, len(gallery))
    known = np.isin(labels, gallery_labels)
    if not known.any():
        raise InputError(
            f"none of {len(labels)} queries is of an individual of the gallery. Were the two "
            "numbered apart?"
        )
    individuals, nearest, _ = _by_individual(queries, gallery, gallery_labels, distance)
    column = np.searchsorted(individuals, labels[known])
    nearest = nearest[known]
    right = np.take_along_axis(nearest, column[:, None], axis=1)
    place = (nearest <= right).sum(axis=1)  # rank of the right one, ties counted before it
    rates = {k: float((place <= k).mean()) for k in ranks}
    return IdentificationScores(rates, len(column), int((~known).sum()))


def open_set(
    queries: np.ndarray,
    labels: np.ndarray,
    gallery: np.ndarray,
    gallery_labels: np.ndarray,
    *,
    threshold: float,
    distance: Distance = pairwise_squared_euclidean,
) -> OpenSetScores:
    """Names each query after the nearest individual, or calls it unknown.

    Args:
      queries: [Q, D] finite.
      labels: [Q] whole numbers or names, their individuals, some of them not in the gallery.
      gallery: [G, D] finite.
      gallery_labels: [G] likewise.
      threshold: farther queries are unknown; from `open_set_threshold`, with other individuals.
      distance: all distances between two sets of vectors.

    Returns:
      The scores. Where two individuals are equally near, neither is recognized.

    Raises:
      InputError: if arrays don't belong together, or all queries are known or all unknown.

    Reference:
      Phillips et al. 2011, "Evaluation methods in face recognition": detection and identification
      rate at rank 1.
    """
    labels = as_labels(labels, len(queries))
    gallery_labels = as_labels(gallery_labels, len(gallery))
    known = np.isin(labels, gallery_labels)
    if known.all() or not known.any():
        raise InputError(
            f"{known.sum()} of {len(labels)} queries are of individuals of the gallery; open-set "
            "rates need some that are and some that aren't"
        )
    individuals, nearest, closest = _by_individual(queries, gallery, gallery_labels, distance)
    accepted = closest <= threshold
    tied = (nearest <= closest[:, None]).sum(axis=1) > 1
    right = (individuals[nearest.argmin(axis=1)] == labels) & ~tied
    return OpenSetScores(
        float((accepted & right)[known].mean()),
        float(accepted[~known].mean()),
        int(known.sum()),
        int((~known).sum()),
    )


def open_set_threshold(
    unknown: np.ndarray,
    gallery: np.ndarray,
    *,
    false_positive_rate: float,
    distance: Distance = pairwise_squared_euclidean,
) -> float:
    """Chooses the largest threshold that accepts few enough unknown individuals.

    Args:
      unknown: [Q, D] pictures of individuals that the gallery doesn't have, for validation: not
        those of the test.
      gallery: [G, D] pictures of others.
      false_positive_rate: in [0, 1], the most of them to accept.
      distance: all distances between two sets of vectors.

    Returns:
      A distance.

    Raises:
      InputError: if vectors are not finite or of different widths.
    """
    blocks = [block.min(axis=1) for _, block in distance_rows(unknown, gallery, distance)]
    return threshold_below(np.concatenate(blocks), false_positive_rate)


def nearest_others(
    queries: np.ndarray,
    labels: np.ndarray,
    gallery: np.ndarray,
    gallery_labels: np.ndarray,
    *,
    distance: Distance = pairwise_squared_euclidean,
) -> np.ndarray:
    """Measures how near each query comes to an individual other than its own.

    So is somebody whom the gallery doesn't have: `threshold_below` of these is a threshold.

    Args:
      queries: [Q, D] finite.
      labels: [Q] whole numbers or names, their individuals.
      gallery: [G, D] finite, perhaps the queries again.
      gallery_labels: [G] likewise, of two individuals or more.
      distance: all distances between two sets of vectors.

    Returns:
      [Q] distances.

    Raises:
      InputError: if arrays don't belong together, or the gallery is of one individual.
    """
    labels = as_labels(labels, len(queries))
    gallery_labels = as_labels(gallery_labels, len(gallery))
    individuals, nearest, _ = _by_individual(queries, gallery, gallery_labels, distance)
    if len(individuals) < 2:
        raise InputError("a gallery of one individual has no other that a query may be near to")
    return np.where(individuals == labels[:, None], np.inf, nearest).min(axis=1)


def threshold_below(distances: np.ndarray, false_positive_rate: float) -> float:
    """Returns the largest threshold that accepts few enough pictures of unknown individuals.

    Args:
      distances: [Q] of each to the nearest individual of a gallery.
      false_positive_rate: in [0, 1], the most of them to accept.
    """
    nearest = np.sort(distances)
    accepted = int(false_positive_rate * len(nearest))
    if accepted == len(nearest):
        return float(nearest[-1])
    # Just below the first one to refuse.
    return float(np.nextafter(nearest[accepted], -np.inf))


def _by_individual(
    queries: np.ndarray, gallery: np.ndarray, gallery_labels: np.ndarray, distance: Distance
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the [I] individuals, [Q, I] distances to their nearest picture, and [Q] the least."""
    order = np.argsort(gallery_labels, kind="stable")
    individuals, starts = np.unique(gallery_labels[order], return_index=True)
    blocks = distance_rows(queries, gallery[order], distance)
    nearest = np.concatenate([np.minimum.reduceat(block, starts, axis=1) for _, block in blocks])
    return individuals, nearest, nearest.min(axis=1)
