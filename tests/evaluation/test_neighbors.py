import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.evaluation.measures import MEASURES
from jaxemb.evaluation.neighbors import nearest, nearest_by, nearest_in_map


def _nearest_by_loops(vectors, queries, k, exclude):
    """Ids and cosines by the definition, in float64."""
    vectors, queries = vectors.astype(np.float64), queries.astype(np.float64)
    ids, cosines = [], []
    for b, query in enumerate(queries):
        found = []
        for v, vector in enumerate(vectors):
            if v in exclude[b]:
                continue
            lengths = np.sqrt(np.sum(query**2)) * np.sqrt(np.sum(vector**2))
            found.append((-(query @ vector) / lengths if lengths > 0 else 0.0, v))
        found.sort()
        ids.append([v for _, v in found[:k]])
        cosines.append([-c for c, _ in found[:k]])
    return np.array(ids), np.array(cosines)


def _table():
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(23, 4)).astype(np.float32) * rng.gamma(1, 3, (23, 1))
    vectors[6] = 0
    return vectors.astype(np.float32), rng.normal(size=(7, 4)).astype(np.float32)


@pytest.mark.parametrize("cosines_at_a_time", [1, 3 * 23, 2**24])
def test_nearest_is_the_definition_whatever_the_tiles(cosines_at_a_time):
    vectors, queries = _table()
    exclude = np.array([[3, 5], [-1, 5], [-1, -1], [22, 22], [0, 1], [6, 2], [4, 3]])
    ids, cosines = nearest(
        jnp.asarray(vectors),
        jnp.asarray(queries),
        k=5,
        exclude=jnp.asarray(exclude),
        at_a_time=cosines_at_a_time,
    )
    expected_ids, expected_cosines = _nearest_by_loops(vectors, queries, 5, exclude)
    np.testing.assert_array_equal(ids, expected_ids)
    # A few roundings of float32 in a sum of four products.
    np.testing.assert_allclose(cosines, expected_cosines, atol=1e-6)


def test_nothing_excluded():
    vectors, _ = _table()
    others = np.arange(23) != 6  # the zero row is as near to itself as to all
    ids, cosines = nearest(jnp.asarray(vectors), jnp.asarray(vectors[others]), k=1)
    np.testing.assert_array_equal(ids[:, 0], np.arange(23)[others])
    np.testing.assert_allclose(cosines, 1, atol=1e-6)


def test_ties_go_to_the_earlier_row():
    vectors = np.tile(np.eye(2, dtype=np.float32), (4, 1))  # rows 0, 2, 4, 6 are equal
    ids, _ = nearest(jnp.asarray(vectors), jnp.array([[2.0, 0.0]]), k=6)
    np.testing.assert_array_equal(ids, [[0, 2, 4, 6, 1, 3]])


def test_zero_query_is_near_to_nothing():
    vectors, _ = _table()
    ids, cosines = nearest(jnp.asarray(vectors), jnp.zeros((1, 4)), k=3)
    np.testing.assert_array_equal(ids, [[0, 1, 2]])
    np.testing.assert_array_equal(cosines, [[0, 0, 0]])


def test_more_neighbors_than_rows_are_refused():
    vectors, queries = _table()
    with pytest.raises(AssertionError, match="22 of 23 rows, 2 excluded"):
        nearest(
            jnp.asarray(vectors), jnp.asarray(queries), k=22, exclude=jnp.zeros((7, 2), jnp.int32)
        )


def test_queries_of_another_width_are_refused():
    vectors, queries = _table()
    with pytest.raises(AssertionError):
        nearest(jnp.asarray(vectors), jnp.asarray(queries[:, :3]), k=2)


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
    found, distances = nearest_by(MEASURES[name], vectors, rows, k=6)
    np.testing.assert_array_equal(found, expected)
    far = [
        [_distance(name, *vectors[[row, i]]) for i in ids]
        for row, ids in zip(rows, found, strict=True)
    ]
    np.testing.assert_allclose(distances, far, rtol=1e-4, atol=1e-5)


def test_ties_and_all_neighbors():
    vectors = np.ones((4, 3), np.float32)
    found, _ = nearest_by(MEASURES["Manhattan"], vectors, np.array([2, 0]), k=3)
    np.testing.assert_array_equal(found, [[0, 1, 3], [1, 2, 3]])
    with pytest.raises(AssertionError, match="4 neighbors among 4 rows"):
        nearest_by(MEASURES["Manhattan"], vectors, np.array([2, 0]), k=4)


def test_a_point_is_no_neighbor_of_its_own_among_many_duplicates():
    points = np.zeros((30, 2))
    found = nearest_in_map(points, np.arange(30), k=3)
    assert found.shape == (30, 3)
    assert not (found == np.arange(30)[:, None]).any()


def test_neighbors_in_a_map_are_checked():
    with pytest.raises(AssertionError, match="k = 5 neighbors of 5 points"):
        nearest_in_map(np.zeros((5, 2)), np.arange(3), k=5)
