"""Zero-shot classification: classes known by a description alone."""

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
