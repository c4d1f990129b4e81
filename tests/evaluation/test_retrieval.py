import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from jaxemb.errors import InputError
from jaxemb.evaluation import distance_rows
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.losses.distances import pairwise_cosine

D = 3


def data(size=40, seed=0):
    """Unequal classes, one of them of a single thing."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(4, size=size) ** 2
    labels[7] = 77
    vectors = rng.normal(size=(size, D)) + labels[:, None] / 6
    return vectors, labels


def by_definition(queries, labels, others, kinds, ks, gap, own):
    scores = {"recall": {k: [] for k in ks}, "r": [], "map_r": [], "map": []}
    for i, (query, label) in enumerate(zip(queries, labels, strict=True)):
        gaps = [(gap(query, x), j) for j, x in enumerate(others) if not (own and i == j)]
        right = [kinds[j] == label for _, j in sorted(gaps)]
        total = sum(right)
        if not total:
            continue
        for k in ks:
            scores["recall"][k].append(any(right[:k]))
        scores["r"].append(sum(right[:total]) / total)
        precision = [sum(right[: n + 1]) / (n + 1) for n in range(len(right))]
        scores["map_r"].append(
            sum(p for p, r in zip(precision[:total], right[:total], strict=True) if r) / total
        )
        scores["map"].append(average_precision_score(right, -np.arange(len(right), dtype=float)))
    return scores


def assert_scores(found, expected, queries):
    assert found.recall == pytest.approx({k: np.mean(v) for k, v in expected["recall"].items()})
    assert found.r_precision == pytest.approx(np.mean(expected["r"]))
    assert found.map_at_r == pytest.approx(np.mean(expected["map_r"]))
    assert found.mean_average_precision == pytest.approx(np.mean(expected["map"]))
    assert found.queries == len(expected["r"])
    assert found.missing == queries - found.queries


def squared(x, y):
    return ((x - y) ** 2).sum()


@pytest.mark.parametrize("at_a_time", [1, 3 * 40, 2**24])
def test_among_the_queries(at_a_time, monkeypatch):
    monkeypatch.setattr(distance_rows, "_AT_A_TIME", at_a_time)
    vectors, labels = data()
    expected = by_definition(vectors, labels, vectors, labels, (1, 2, 7), squared, own=True)
    found = retrieval(vectors, labels, ks=(1, 2, 7))
    assert_scores(found, expected, 40)
    assert found.missing == 1
    assert found.recall[1] < found.recall[2] < found.recall[7]


def test_among_others():
    (queries, labels), (others, kinds) = data(25, seed=1), data(60, seed=2)

    def gap(x, y):
        return 1 - x @ y / np.sqrt((x @ x) * (y @ y))

    expected = by_definition(queries, labels, others, kinds, (1, 5), gap, own=False)
    found = retrieval(queries, labels, others=(others, kinds), ks=(1, 5), distance=pairwise_cosine)
    assert_scores(found, expected, 25)


def test_by_hand():
    # On a line: the query at 0 is of kind 1, whose others are second and fourth of five.
    line = np.array([[0.0], [1], [2], [3], [4], [5]])
    kinds = np.array([1, 0, 1, 0, 1, 0])
    found = retrieval(line[:1], kinds[:1], others=(line[1:], kinds[1:]), ks=(1, 2))
    assert found.recall == {1: 0, 2: 1}
    assert (found.r_precision, found.map_at_r) == (1 / 2, 1 / 4)
    assert found.mean_average_precision == 1 / 2


def test_a_collapsed_embedding_finds_nothing():
    vectors, labels = data()
    found = retrieval(0 * vectors, labels, ks=(1, 10))
    assert found.recall == {1: 0, 10: 0}
    assert found.map_at_r == found.r_precision == 0


def test_wrong_input():
    vectors, labels = data()
    with pytest.raises(InputError, match="for none of 40 queries is there another thing with its"):
        retrieval(vectors, np.arange(40))
    with pytest.raises(InputError, match="labels must be whole numbers or names, found float64"):
        retrieval(vectors, labels / 2)
    with pytest.raises(InputError, match="labels must be one for each of 40 rows"):
        retrieval(vectors, labels[1:])
    with pytest.raises(InputError, match="queries must be 2 wide, found 3"):
        retrieval(vectors, labels, others=(vectors[:, :2], labels))
