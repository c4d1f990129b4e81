import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.evaluation.window_validity import window_validity


def test_scores_agree_with_loops():
    rng = np.random.default_rng(0)
    # Rounded, so that some tie.
    real, switched = np.round(rng.normal(1, 1, 41), 1), np.round(rng.normal(0, 1, 41), 1)
    found = window_validity(real, switched)

    def beats(a, b):
        return (a > b) + 0.5 * (a == b)

    assert found.ranked == pytest.approx(
        np.mean([beats(a, b) for a, b in zip(real, switched, strict=True)])
    )
    assert found.auc == pytest.approx(np.mean([beats(a, b) for a in real for b in switched]))

    def accuracy(threshold, rows):
        right = sum(score >= threshold for score in real[rows])
        right += sum(score < threshold for score in switched[rows])
        return right / (2 * len(real[rows]))

    first, second = slice(0, 20), slice(20, None)
    best = max(accuracy(t, first) for t in [*real[first], *switched[first]])
    assert accuracy(found.threshold, first) == pytest.approx(best)
    assert found.accuracy == pytest.approx(accuracy(found.threshold, second))


def test_scores_told_apart_and_not():
    apart = window_validity(np.arange(4.0) + 10, np.arange(4.0))
    assert apart[:3] == (1, 1, 1)
    same = window_validity(np.zeros(4), np.zeros(4))
    assert same[:3] == (0.5, 0.5, 0.5)


def test_bad_scores_are_refused():
    with pytest.raises(InputError, match="not finite"):
        window_validity(np.array([1, np.nan]), np.zeros(2))
    with pytest.raises(InputError, match="1 windows have a random word other than their own"):
        window_validity(np.ones(1), np.zeros(1))
