import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.evaluation.identification import (
    identification,
    nearest_others,
    open_set,
    open_set_threshold,
    threshold_below,
)
from jaxemb.losses.distances import pairwise_l1

D = 4


def data():
    """Individuals 2, 5, 6, 9 and 11 with one to three pictures; 30 queries, some of 1 and 7."""
    rng = np.random.default_rng(0)
    centers = {i: rng.normal(size=D) for i in (1, 2, 5, 6, 7, 9, 11)}
    gallery_labels = np.array([9, 2, 5, 6, 2, 11, 9, 5, 2, 6])
    labels = rng.choice(sorted(centers), 30)
    noise = rng.normal(size=(40, D))
    queries = np.array([centers[i] for i in labels]) + noise[:30]
    gallery = np.array([centers[i] for i in gallery_labels]) + noise[30:] / 2
    return queries, labels, gallery, gallery_labels


def nearest(query, gallery, gallery_labels, gap):
    """The distance to each individual's nearest picture."""
    found = {}
    for vector, label in zip(gallery, gallery_labels, strict=True):
        found[label] = min(gap(query, vector), found.get(label, np.inf))
    return found


def squared(x, y):
    return ((x - y) ** 2).sum()


@pytest.mark.parametrize("metric", ["squared", "l1"])
def test_rank_k(metric):
    queries, labels, gallery, gallery_labels = data()
    gap, options = squared, {}
    if metric == "l1":
        gap, options = (lambda x, y: np.abs(x - y).sum()), {"distance": pairwise_l1}
    places = []
    for query, label in zip(queries, labels, strict=True):
        gaps = nearest(query, gallery, gallery_labels, gap)
        if label in gaps:
            places.append(sorted(gaps, key=lambda i: gaps[i]).index(label) + 1)
    found = identification(*data(), ranks=(1, 2, 3, 5), **options)
    expected = {k: np.mean([place <= k for place in places]) for k in (1, 2, 3, 5)}
    assert found.rates == pytest.approx(expected)
    assert found.rates[1] < found.rates[3] < found.rates[5] == 1
    assert (found.queries, found.missing) == (len(places), 30 - len(places))
    assert found.missing > 0


def test_a_collapsed_embedding_recognizes_nobody():
    queries, labels, gallery, gallery_labels = data()
    found = identification(0 * queries, labels, 0 * gallery, gallery_labels)
    assert found.rates == {1: 0, 5: 1}
    judged = open_set(0 * queries, labels, 0 * gallery, gallery_labels, threshold=1.0)
    assert (judged.identification_rate, judged.false_positive_rate) == (0, 1)


@pytest.mark.parametrize("threshold", [0.5, 2.0, 8.0])
def test_open_set(threshold):
    queries, labels, gallery, gallery_labels = data()
    recognized, accepted = [], []
    for query, label in zip(queries, labels, strict=True):
        gaps = nearest(query, gallery, gallery_labels, squared)
        who = min(gaps, key=lambda i: gaps[i])
        if label in gaps:
            recognized.append(gaps[who] <= threshold and who == label)
        else:
            accepted.append(gaps[who] <= threshold)
    found = open_set(*data(), threshold=threshold)
    assert found == pytest.approx(
        (np.mean(recognized), np.mean(accepted), len(recognized), len(accepted))
    )


def test_the_threshold_accepts_few_enough_and_no_more_would_do():
    queries, labels, gallery, gallery_labels = data()
    unknown = queries[~np.isin(labels, gallery_labels)]
    closest = np.sort([min(squared(q, g) for g in gallery) for q in unknown])
    for rate, accepted in ((0.0, 0), (0.999 / len(unknown), 0), (1.5 / len(unknown), 1), (1.0, -1)):
        threshold = open_set_threshold(unknown, gallery, false_positive_rate=rate)
        if accepted < 0:
            assert threshold == pytest.approx(closest[-1], rel=1e-5)
        else:
            assert threshold == pytest.approx(closest[accepted], rel=1e-5)
            judged = open_set(*data(), threshold=threshold)
            assert judged.false_positive_rate == accepted / len(unknown)


@pytest.mark.parametrize("judge", [identification, lambda *a: open_set(*a, threshold=1.0)])
def test_wrong_input(judge):
    queries, labels, gallery, gallery_labels = data()
    with pytest.raises(InputError, match="labels must be one for each of 30 rows, found .29"):
        judge(queries, labels[1:], gallery, gallery_labels)
    with pytest.raises(InputError, match="labels must be whole numbers or names, found float64"):
        judge(queries, labels, gallery, gallery_labels + 0.5)
    with pytest.raises(InputError, match="of 30 queries "):
        judge(queries, labels + 100, gallery, gallery_labels)
    with pytest.raises(InputError, match="queries must be 4 wide, found 3. Are they from another"):
        judge(queries[:, 1:], labels, gallery, gallery_labels)
    queries[7, 2] = np.nan
    with pytest.raises(
        InputError, match="queries: 1 of 30 rows are not finite, the first is row 7"
    ):
        judge(queries, labels, gallery, gallery_labels)


def test_the_nearest_of_others():
    rng = np.random.default_rng(3)
    vectors, names = rng.normal(size=(9, 4)), np.array(list("abcabcabb"))
    enrolled = slice(0, 6)
    found = nearest_others(vectors, names, vectors[enrolled], names[enrolled])
    expected = [
        min(((query - vectors[i]) ** 2).sum() for i in range(6) if names[i] != name)
        for query, name in zip(vectors, names, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    threshold = threshold_below(found, 0.25)  # two of nine
    assert (found <= threshold).sum() == 2
    with pytest.raises(InputError, match="a gallery of one individual has no other"):
        nearest_others(vectors, names, vectors[:1], names[:1])
