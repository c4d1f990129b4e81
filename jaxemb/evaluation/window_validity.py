"""Window validity: how well scores separate real windows of text from corrupted ones."""

from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError
from jaxemb.evaluation.verification import Roc, area, roc


class WindowScores(NamedTuple):
    """How well real windows are separated from corrupted ones.

    Attributes:
      ranked: share of windows that score higher than themselves with a word replaced; ties count
        half.
      auc: area under the ROC curve: how often a random real window scores higher than a random
        corrupted one.
      accuracy: share of both kinds classified correctly; balanced.
      threshold: the score from which a window is classified as real, chosen on other windows.
    """

    ranked: float
    auc: float
    accuracy: float
    threshold: float


def window_validity(real: np.ndarray, switched: np.ndarray) -> WindowScores:
    """Evaluates scores; the first half of the windows chooses the accuracy's threshold.

    Args:
      real: [N] scores of windows of text.
      switched: [N] of the same windows, a word of each replaced.

    Returns:
      The scores: accuracy on the second half, the others on all windows.

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
    # `roc` accepts small distances.
    scores = np.concatenate([real, switched])
    return roc(-scores, np.arange(scores.size) < real.size)
