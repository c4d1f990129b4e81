"""Zero-shot classification: classes known by a description alone, and whether one is unseen."""

from collections.abc import Sequence
from typing import NamedTuple

import chex
import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

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


def familiarity(known: np.ndarray, vectors: np.ndarray, *, k: int = 20) -> np.ndarray:
    """Tells how near examples are to known ones; little says that they are of no seen class.

    Args:
      known: [M, D] embedded examples of seen classes, finite.
      vectors: [N, D] embedded examples.
      k: nearest known ones that count; at most M.

    Returns:
      [N] mean cosine with these.

    Raises:
      AssertionError: if a shape disagrees with the above, or k is not in 1..M.

    Reference:
      Socher et al. 2013, arXiv:1301.3666, section 4 (novelty as an outlier among neighbors); Sun et
      al. 2022, arXiv:2204.06507 (by their distance alone).
    """
    chex.assert_shape(vectors, (None, known.shape[1]))
    assert 1 <= k <= len(known), f"k = {k} of {len(known)} known vectors"
    near = NearestNeighbors(n_neighbors=k).fit(normalize(known))
    # Of unit vectors the squared distance is 2 - 2 cosine.
    return 1 - np.square(near.kneighbors(normalize(vectors))[0]).mean(axis=1) / 2
