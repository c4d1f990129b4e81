"""Window validity: how well scores tell real windows of text from switched ones."""

from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError
from jaxemb.evaluation.verification import Roc, area, roc


class WindowScores(NamedTuple):
    """How well real windows are told from switched ones.

    Attributes:
      ranked: share of windows that score higher than the same with a word switched; ties count
        half.
      auc: area under the ROC curve: how often any real window scores higher than any switched one.
      accuracy: share of both kinds that is called right, as many of the one as of the other.
      threshold: the score above which a window was called real, chosen on other windows.
    """

    ranked: float
    auc: float
    accuracy: float
    threshold: float


def window_validity(real: np.ndarray, switched: np.ndarray) -> WindowScores:
    """Judges scores; the first half of the windows chooses the threshold, the second is judged.

    Args:
      real: [N] scores of windows of text.
      switched: [N] of the same windows, a word of each switched.

    Returns:
      The scores, accuracy of the second half and the others of all.

    Raises:
      InputError: if a score is not finite or there are fewer than two windows.
    """
    if len(real) < 2:
        raise InputError(
            f"{len(real)} windows have a random word other than their own; at least two are needed"
        )
    half = len(real) // 2
    chosen = _curve(real[:half], switched[:half])
    best = int(np.argmax(chosen.validation_rate - chosen.false_accept_rate))
    threshold = -float(chosen.threshold[best])
    right = (real[half:] >= threshold).mean() + (switched[half:] < threshold).mean()
    return WindowScores(
        float(np.mean((real > switched) + 0.5 * (real == switched))),
        area(_curve(real, switched)),
        float(right / 2),
        threshold,
    )


def _curve(real: np.ndarray, switched: np.ndarray) -> Roc:
    # Of distances: what is near is accepted.
    scores = np.concatenate([real, switched])
    return roc(-scores, np.arange(scores.size) < real.size)
