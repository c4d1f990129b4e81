import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from jaxemb.errors import InputError
from jaxemb.evaluation import distance_rows
from jaxemb.evaluation.verification import (
    all_pairs,
    area,
    equal_error_rate,
    roc,
    threshold_at,
    validation_rate_at,
    verification,
)
from jaxemb.losses.distances import pairwise_cosine


def pairs(seed=0, size=400, gap=1.0):
    """Distances with many ties, a third of them of the same individual."""
    rng = np.random.default_rng(seed)
    same = rng.random(size) < 1 / 3
    distances = np.round(rng.gamma(4, 1, size) + gap * ~same, 1)
    return distances, same


def rates(distances, same, threshold):
    """(false accepts, accepts) of a threshold, pair by pair."""
    wrong = [d <= threshold for d, s in zip(distances, same, strict=True) if not s]
    right = [d <= threshold for d, s in zip(distances, same, strict=True) if s]
    return sum(wrong) / len(wrong), sum(right) / len(right)


def test_the_curve_has_the_rates_of_each_threshold():
    distances, same = pairs()
    curve = roc(distances, same)
    np.testing.assert_array_equal(curve.threshold, [-np.inf, *np.unique(distances)])
    for false, right, threshold in zip(*curve, strict=True):
        assert (false, right) == pytest.approx(rates(distances, same, threshold))


def test_area_is_how_often_the_same_are_nearer():
    distances, same = pairs()
    wins = [
        1.0 if near < far else 0.5 if near == far else 0.0
        for near in distances[same]
        for far in distances[~same]
    ]
    assert area(roc(distances, same)) == pytest.approx(np.mean(wins))
    assert area(roc(distances, same)) == pytest.approx(roc_auc_score(same, -distances))


def test_equal_error_rate_by_hand():
    # Of four each: at 3, one of four others accepted and one of four refused.
    same = np.array([1, 1, 1, 0, 1, 0, 0, 0], bool)
    assert equal_error_rate(roc(np.arange(8.0), same)) == 0.25
    # Between two points: (0, 0) accepts none, then two of each kind come at the same distance.
    tied = np.array([0.0, 0, 0, 0])
    assert equal_error_rate(roc(tied, np.array([1, 1, 0, 0], bool))) == 0.5


def test_equal_error_rate_lies_where_the_errors_cross():
    for seed in range(5):
        distances, same = pairs(seed)
        found = equal_error_rate(roc(distances, same))
        errors = [
            (false, 1 - right)
            for false, right in (rates(distances, same, t) for t in np.unique(distances))
        ]
        before = max((e for e in errors if e[0] < e[1]), default=(0.0, 1.0))
        after = min(e for e in errors if e[0] >= e[1])
        assert before[0] <= found <= after[0]
        assert after[1] <= found <= before[1]


@pytest.mark.parametrize(("order", "expected"), [(1, (1.0, 0.0)), (-1, (0.0, 1.0))])
def test_perfect_and_perverse_distances(order, expected):
    same = np.array([1, 1, 0, 0, 0], bool)
    curve = roc(order * np.arange(5.0), same)
    assert (area(curve), equal_error_rate(curve)) == expected


def test_the_threshold_keeps_the_rate_and_no_larger_one_does():
    distances, same = pairs()
    curve = roc(distances, same)
    for rate in (0.0, 0.013, 0.1, 0.5, 1.0):
        threshold = threshold_at(curve, rate)
        false, right = rates(distances, same, threshold)
        assert false <= rate
        assert right == validation_rate_at(curve, rate)
        above = distances[distances > threshold]
        assert above.size == 0 or rates(distances, same, above.min())[0] > rate


def test_the_judged_pairs_have_no_say_in_the_threshold():
    distances, same = pairs(1)
    validation = pairs(2)
    scores = verification(distances, same, validation=validation, false_accept_rate=0.05)
    assert scores.threshold == threshold_at(roc(*validation), 0.05)
    assert (scores.false_accept_rate, scores.validation_rate) == pytest.approx(
        rates(distances, same, scores.threshold)
    )
    # Other judged pairs, same threshold.
    other = verification(distances + 1, same, validation=validation, false_accept_rate=0.05)
    assert other.threshold == scores.threshold
    assert other.validation_rate < scores.validation_rate
    assert (other.auc, other.eer) == pytest.approx((scores.auc, scores.eer))


@pytest.mark.parametrize("at_a_time", [1, 2**24])
def test_all_pairs(at_a_time, monkeypatch):
    monkeypatch.setattr(distance_rows, "_AT_A_TIME", at_a_time)
    rng = np.random.default_rng(0)
    vectors, labels = rng.normal(size=(7, 3)), rng.integers(3, size=7)
    expected = [
        (((vectors[i] - vectors[j]) ** 2).sum(), labels[i] == labels[j])
        for i in range(7)
        for j in range(i + 1, 7)
    ]
    distances, same = all_pairs(vectors, labels)
    np.testing.assert_allclose(distances, [gap for gap, _ in expected], rtol=1e-5)
    np.testing.assert_array_equal(same, [one for _, one in expected])
    with pytest.raises(InputError, match="labels must be one for each of 7 rows"):
        all_pairs(vectors, labels[1:])


@pytest.mark.data
def test_pixels_of_faces(data_dir):
    # Subjects 21-40 by the correlation of their pixels; measured before with another program.
    with np.load(data_dir / "orl_faces.npz") as arrays:
        chosen = arrays["subject"] > 20
        images, subjects = arrays["images"][chosen], arrays["subject"][chosen]
    pixels = images.reshape(200, -1).astype(np.float32)
    pixels -= pixels.mean(axis=1, keepdims=True)
    curve = roc(*all_pairs(pixels, subjects, distance=pairwise_cosine))
    assert equal_error_rate(curve) == pytest.approx(0.157, abs=5e-4)
    assert area(curve) == pytest.approx(0.910, abs=5e-4)


def test_wrong_input():
    with pytest.raises(InputError, match="1 of 3 distances are not finite, the first .* pair 2"):
        roc(np.array([1.0, 2.0, np.nan]), np.array([True, False, True]))
    for same in (np.zeros(3, bool), np.ones(3, bool)):
        with pytest.raises(InputError, match="of 3 pairs are of the same individual; error rates"):
            roc(np.arange(3.0), same)
    with pytest.raises(AssertionError):
        roc(np.arange(3.0), np.zeros(2, bool))
