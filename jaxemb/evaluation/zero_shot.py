"""Zero-shot classification: classes known by a description alone, and whether one is unseen."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.checks import check_labels
from jaxemb.evaluation.distance_rows import Distance, distance_rows
from jaxemb.losses.distances import pairwise_squared_euclidean


class ZeroShotScores(NamedTuple):
    """How often the right class is among the nearest descriptions.

    Attributes:
      accuracy: {k: share of examples whose class is among the k nearest}.
      class_accuracy: {k: mean over classes of this share}, for classes of unequal size.
    """

    accuracy: dict[int, float]
    class_accuracy: dict[int, float]


def zero_shot(
    vectors: np.ndarray,
    labels: np.ndarray,
    descriptions: np.ndarray,
    *,
    ks: Sequence[int] = (1, 5),
    distance: Distance = pairwise_squared_euclidean,
) -> ZeroShotScores:
    """Classifies each example by the nearest embedded description.

    Args:
      vectors: [N, D] embedded examples, finite.
      labels: [N] int in [0, C).
      descriptions: [C, D] embedded descriptions of the classes, in the same space.
      ks: which k.
      distance: all distances between two sets of vectors.

    Returns:
      The scores. Ties count against the right class.

    Raises:
      InputError: if arrays don't belong together or a label is out of range.

    Reference:
      Xian et al. 2018, arXiv:1707.00600, section 4.2 (mean over classes).
    """
    check_labels(labels, len(vectors), classes=len(descriptions))
    places = np.empty(len(vectors), int)
    for start, block in distance_rows(vectors, descriptions, distance):
        own = np.take_along_axis(block, labels[start : start + len(block), None], axis=1)
        places[start : start + len(block)] = (block <= own).sum(axis=1)
    sizes = np.bincount(labels)

    def by_class(right: np.ndarray) -> float:
        return float((np.bincount(labels, right)[sizes > 0] / sizes[sizes > 0]).mean())

    return ZeroShotScores(
        {k: float((places <= k).mean()) for k in ks}, {k: by_class(places <= k) for k in ks}
    )


def standard_scores(known: np.ndarray, vectors: np.ndarray, descriptions: np.ndarray) -> np.ndarray:
    """Scores examples of unseen classes, so that no class is favored by lying amid the seen ones.

    Args:
      known: [M, D] embedded examples of seen classes, finite.
      vectors: [N, D] embedded examples to score.
      descriptions: [C, D] of the unseen classes.

    Returns:
      [N, C] dot products with each description, less their mean over `known` and divided by their
      deviation there.
    """
    usual = known @ descriptions.T
    deviation = usual.std(axis=0)
    return (vectors @ descriptions.T - usual.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


class Seen(NamedTuple):
    """Where examples of the seen classes lie: a round Gaussian each.

    Attributes:
      middles: [C, D].
      deviations: [C] along each axis.
    """

    middles: np.ndarray
    deviations: np.ndarray


def fit_seen(vectors: np.ndarray, labels: np.ndarray) -> Seen:
    """Fits the Gaussians of classes.

    Args:
      vectors: [N, D] embedded examples, finite.
      labels: [N] int in [0, C), each class at least twice.

    Returns:
      The Gaussians.

    Raises:
      InputError: if arrays don't belong together.
    """
    check_labels(labels, len(vectors))
    classes = range(int(labels.max()) + 1)
    middles = np.stack([vectors[labels == one].mean(axis=0) for one in classes])
    square = np.square(vectors - middles[labels]).mean(axis=1)
    return Seen(middles, np.sqrt([square[labels == one].mean() for one in classes]))


def log_likelihood(seen: Seen, vectors: np.ndarray) -> np.ndarray:
    """Tells how well examples fit the seen class that they fit best; little says unseen.

    Args:
      seen: the Gaussians.
      vectors: [N, D].

    Returns:
      [N] the logarithm of the density there.

    Reference:
      Socher et al. 2013, arXiv:1301.3666, section 4.2 (the first of two ways).
    """
    width = vectors.shape[1]
    variances = np.square(seen.deviations)
    squares = np.stack([np.square(vectors - middle).sum(axis=1) for middle in seen.middles], axis=1)
    # [N, C]
    logs = -squares / (2 * variances[None, :])
    return (logs - width / 2 * np.log(2 * np.pi * variances)[None, :]).max(axis=1)
