import numpy as np
import pytest

from jaxemb.evaluation.measures import MEASURES, nearest_by


def _distance(name, x, y):
    """By the definitions, in float64."""
    if name == "cosine":
        return 1 - x @ y / np.sqrt(x @ x) / np.sqrt(y @ y)
    if name == "dot product":
        return -x @ y
    return np.sqrt(((x - y) ** 2).sum()) if name == "Euclidean" else np.abs(x - y).sum()


@pytest.mark.parametrize("name", MEASURES)
def test_neighbors_are_those_of_the_definition(name):
    rng = np.random.default_rng(3)
    vectors = (rng.normal(size=(23, 11)) * rng.gamma(2, size=(23, 1))).astype(np.float32)
    rows = np.array([4, 0, 22, 4])
    expected = []
    for row in rows:
        far = [_distance(name, *vectors[[row, i]].astype(np.float64)) for i in range(23)]
        expected.append([i for i in np.argsort(far) if i != row][:6])
    np.testing.assert_array_equal(nearest_by(MEASURES[name], vectors, rows, k=6), expected)


def test_ties_and_all_neighbors():
    vectors = np.ones((4, 3), np.float32)
    found = nearest_by(MEASURES["Manhattan"], vectors, np.array([2, 0]), k=3)
    np.testing.assert_array_equal(found, [[0, 1, 3], [1, 2, 3]])
    with pytest.raises(AssertionError, match="4 neighbours among 4 rows"):
        nearest_by(MEASURES["Manhattan"], vectors, np.array([2, 0]), k=4)
