"""Verification: do two pictures, or two descriptions, belong to the same individual or object?"""

from typing import NamedTuple

import chex
import numpy as np
from sklearn.metrics import auc, roc_curve

from jaxemb.checks import as_labels
from jaxemb.errors import InputError
from jaxemb.evaluation.distance_rows import Distance, distance_rows
from jaxemb.losses.distances import pairwise_squared_euclidean


class Roc(NamedTuple):
    """What each threshold accepts: pairs at most that far apart.

    Attributes:
      false_accept_rate: [T] share of pairs of different individuals that are accepted, ascending.
      validation_rate: [T] share of pairs of the same individual that are accepted.
      threshold: [T] distances, ascending; the first is -inf and accepts none.
    """

    false_accept_rate: np.ndarray
    validation_rate: np.ndarray
    threshold: np.ndarray


class VerificationScores(NamedTuple):
    """How well distances separate pairs of the same individual from others.

    Attributes:
      auc: area under the ROC curve.
      eer: equal error rate.
      threshold: distance, chosen on other pairs.
      validation_rate: share of pairs of the same individual that the threshold accepts.
      false_accept_rate: share of the other pairs that it accepts; it differs from the one asked
        for, since the threshold was chosen on other pairs.
    """

    auc: float
    eer: float
    threshold: float
    validation_rate: float
    false_accept_rate: float


def verification(
    distances: np.ndarray,
    same: np.ndarray,
    *,
    validation: tuple[np.ndarray, np.ndarray],
    false_accept_rate: float = 1e-3,
) -> VerificationScores:
    """Evaluates pairs, with a threshold from validation pairs alone.

    Args:
      distances: [M] of the test pairs, finite; e.g. from `all_pairs`.
      same: [M] bool, True for two of the same individual.
      validation: the same two arrays of other pairs, preferably of other individuals.
      false_accept_rate: the most that the threshold may accept of the validation pairs.

    Returns:
      The scores.

    Raises:
      InputError: if a distance is not finite or pairs of one kind are missing.
    """
    curve = roc(distances, same)
    threshold = threshold_at(roc(*validation), false_accept_rate)
    accepted = np.asarray(distances) <= threshold
    return VerificationScores(
        area(curve),
        equal_error_rate(curve),
        threshold,
        float(accepted[same].mean()),
        float(accepted[~same].mean()),
    )


def all_pairs(
    vectors: np.ndarray,
    labels: np.ndarray,
    *,
    distance: Distance = pairwise_squared_euclidean,
) -> tuple[np.ndarray, np.ndarray]:
    """Measures every pair of different rows once.

    Args:
      vectors: [N, D] finite.
      labels: [N] whole numbers or names, their individuals.
      distance: all distances between two sets of vectors.

    Returns:
      [N (N - 1) / 2] distances in the order of `np.triu_indices(N, 1)`, and whether each pair is
      of the same individual.

    Raises:
      InputError: if arrays don't belong together.
    """
    labels = as_labels(labels, len(vectors))
    distances, same = [], []
    for start, block in distance_rows(vectors, vectors, distance):
        for row, to_all in enumerate(block, start):
            distances.append(to_all[row + 1 :])
            same.append(labels[row + 1 :] == labels[row])
    return np.concatenate(distances), np.concatenate(same)


def roc(distances: np.ndarray, same: np.ndarray) -> Roc:
    """Computes the ROC curve of accepting pairs by distance.

    Args:
      distances: [M] of pairs, finite.
      same: [M] bool, True for two of the same individual.

    Returns:
      The curve, a point for each different distance and one before them.

    Raises:
      InputError: if a distance is not finite or pairs of one kind are missing.
    """
    chex.assert_equal_shape([distances, same])
    bad = np.flatnonzero(~np.isfinite(distances))
    if bad.size:
        raise InputError(
            f"{bad.size} of {distances.size} distances are not finite, the first is that of pair "
            f"{bad[0]}: {distances[bad[0]]}. Did the training diverge?"
        )
    if not 0 < np.count_nonzero(same) < same.size:
        raise InputError(
            f"{np.count_nonzero(same)} of {same.size} pairs are of the same individual; error "
            "rates need some that are and some that aren't"
        )
    accepted_wrongly, accepted_rightly, scores = roc_curve(
        same, -distances, drop_intermediate=False
    )
    return Roc(accepted_wrongly, accepted_rightly, -scores)


def area(curve: Roc) -> float:
    """Returns the area under the curve: how often a pair of the same individual is nearer."""
    return float(auc(curve.false_accept_rate, curve.validation_rate))


def equal_error_rate(curve: Roc) -> float:
    """Returns the rate at which false accepts and false rejects are equally frequent.

    Args:
      curve: rates are interpolated between its points.
    """
    refused = 1 - curve.validation_rate
    gap = curve.false_accept_rate - refused  # from -1 to 1, never falling
    after = int(np.argmax(gap >= 0))
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    low, high = curve.false_accept_rate[after - 1 : after + 1]
    return float(low + share * (high - low))


def threshold_at(curve: Roc, false_accept_rate: float) -> float:
    """Returns the largest threshold with at most this rate of false accepts.

    Args:
      curve: of validation pairs; a threshold chosen on the test pairs is too optimistic.
      false_accept_rate: in [0, 1].

    Returns:
      A distance; -inf if even the nearest pairs are of different individuals and too many.
    """
    allowed = np.flatnonzero(curve.false_accept_rate <= false_accept_rate)
    return float(curve.threshold[allowed[-1]])


def validation_rate_at(curve: Roc, false_accept_rate: float) -> float:
    """Returns the largest validation rate with at most this rate of false accepts.

    The threshold is then chosen on the test pairs, as in many published figures.

    Args:
      curve: of the test pairs.
      false_accept_rate: in [0, 1].
    """
    return float(curve.validation_rate[curve.false_accept_rate <= false_accept_rate][-1])
