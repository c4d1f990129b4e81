import numpy as np
import pytest
from sklearn.metrics import recall_score, top_k_accuracy_score

from jaxemb.errors import InputError
from jaxemb.evaluation.zero_shot import familiarity, standard_scores, zero_shot

CLASSES, D = 6, 3


def data():
    """Classes of unequal size, one of them without examples."""
    rng = np.random.default_rng(0)
    labels = rng.choice(CLASSES, 50, p=[0.5, 0.2, 0.1, 0.1, 0.1, 0])
    descriptions = rng.normal(size=(CLASSES, D))
    return descriptions[labels] + rng.normal(size=(50, D)), labels, descriptions


def test_accuracies_are_scikit_learns():
    vectors, labels, descriptions = data()
    gaps = ((vectors[:, None] - descriptions[None]) ** 2).sum(axis=2)
    found = zero_shot(*data(), ks=(1, 3))
    for k in (1, 3):
        expected = top_k_accuracy_score(labels, -gaps, k=k, labels=range(CLASSES))
        assert found.accuracy[k] == pytest.approx(expected)
    # Only classes that have examples, but all can be answered.
    expected = recall_score(labels, gaps.argmin(axis=1), labels=np.unique(labels), average="macro")
    assert found.class_accuracy[1] == pytest.approx(expected, abs=1e-12)
    assert found.class_accuracy[3] > found.class_accuracy[1]


def test_a_collapsed_embedding_is_never_right():
    vectors, labels, descriptions = data()
    found = zero_shot(0 * vectors, labels, 0 * descriptions)
    assert found.accuracy == {1: 0, 5: 0}


def test_wrong_input():
    vectors, labels, descriptions = data()
    with pytest.raises(InputError, match=r"is outside \[0, 2\); "):
        zero_shot(vectors, labels, descriptions[:2])
    with pytest.raises(InputError, match="queries must be 2 wide, found 3"):
        zero_shot(vectors, labels, descriptions[:, :2])


def test_standard_scores_have_mean_0_and_deviation_1_over_what_is_known():
    known, _, descriptions = data()
    np.testing.assert_allclose(
        standard_scores(known, known, descriptions).mean(axis=0), 0, atol=1e-9
    )
    np.testing.assert_allclose(standard_scores(known, known, descriptions).std(axis=0), 1)
    one = standard_scores(known, known[:1], descriptions[2:3])
    dots = [float(row @ descriptions[2]) for row in known]
    assert one[0, 0] == pytest.approx((dots[0] - np.mean(dots)) / np.std(dots))


@pytest.mark.parametrize("k", [1, 5, 50])
def test_familiarity_is_the_mean_cosine_of_the_nearest(k):
    rng = np.random.default_rng(1)
    known, asked = rng.normal(size=(50, 4)), rng.normal(size=(9, 4)) + 1
    found = familiarity(known, asked, k=k)
    for row, own in zip(asked, found, strict=True):
        cosines = [row @ one / np.linalg.norm(row) / np.linalg.norm(one) for one in known]
        assert own == pytest.approx(np.mean(sorted(cosines)[-k:]), abs=1e-9)
    with pytest.raises(AssertionError, match="k = 51 of 50"):
        familiarity(known, asked, k=51)
