import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.projections import neighbors
from jaxemb.projections.neighbors import Lists, nearest_neighbors, neighbors_among, tiled_search

N, D, K = 60, 5, 7


def made(seed=0, rows=N):
    points = np.random.default_rng(seed).normal(size=(rows, D)) * [1, 2, 3, 1, 0.5] + 4
    return points.astype(np.float32)


def loop_distances(a, b, metric):
    """By the definition, pair by pair in float64."""
    a, b = a.astype(float), b.astype(float)
    found = np.zeros((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            if metric == "cosine":
                size = np.sqrt(a[i] @ a[i]) * np.sqrt(b[j] @ b[j])
                found[i, j] = 1 - a[i] @ b[j] / size
            else:
                found[i, j] = np.sum((a[i] - b[j]) ** 2)
    return found


def check(found, distances):
    """Each row holds the smallest distances, in order, with the ids that have them."""
    k = found.ids.shape[1]
    np.testing.assert_allclose(found.distances, np.sort(distances)[:, :k], rtol=1e-4, atol=1e-6)
    of_ids = np.take_along_axis(distances, found.ids.astype(int), axis=1)
    np.testing.assert_allclose(found.distances, of_ids, rtol=1e-4, atol=1e-6)
    assert all(len(set(row)) == k for row in found.ids.tolist())


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_neighbors_are_those_of_the_loops(metric):
    points = made()
    if metric == "euclidean":
        points[3] = 0
    expected = loop_distances(points, points, metric)
    np.fill_diagonal(expected, np.inf)
    found = nearest_neighbors(points, k=K, metric=metric)
    check(found, expected)
    assert found.recall == 1
    assert found.scale == 1
    assert found.ids.dtype == np.int32


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_tiles_find_the_same(metric, monkeypatch):
    monkeypatch.setattr(neighbors, "_AT_A_TIME", 7 * N)  # several tiles, the last not full
    tiled_search.clear_cache()
    points = made(1)
    table, _ = neighbors._prepared(points, metric)
    ids = tiled_search(jnp.asarray(table), jnp.arange(N), k=K, metric=metric)
    np.testing.assert_array_equal(ids, nearest_neighbors(points, k=K, metric=metric).ids)
    tiled_search.clear_cache()


@pytest.mark.parametrize("engine", ["exact", "approximate"])
def test_a_point_is_left_out_by_identity_among_duplicates(engine):
    points = np.concatenate([np.repeat(made(rows=3), 20, axis=0), made(9, 4)])
    found = nearest_neighbors(points, k=K, engine=engine)
    assert (found.ids != np.arange(len(points))[:, None]).all()
    assert (found.ids >= 0).all()
    np.testing.assert_array_equal(found.distances[:60], 0)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_lists_find_most(metric):
    points = made(2, 3000)
    found = nearest_neighbors(points, k=K, metric=metric, engine="approximate")
    exact = nearest_neighbors(points, k=K, metric=metric)
    shared = [len(set(a) & set(b)) for a, b in zip(found.ids, exact.ids, strict=True)]
    assert 0.9 < found.recall <= 1
    # The sample's share is near that of all: 7,000 of 21,000 neighbors.
    assert abs(np.mean(shared) / K - found.recall) < 0.02


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_wide_points_are_found_by_their_components_and_compared_by_all_numbers(metric):
    rng = np.random.default_rng(0)
    # Ten dimensions that matter, and noise in all the others.
    points = rng.normal(size=(2000, 10)) @ rng.normal(size=(10, 60)) + 5
    points += 0.8 * rng.normal(size=points.shape)
    lists = Lists(list_components=10, lists_probed=1000)
    found = nearest_neighbors(points, k=K, metric=metric, engine="approximate", lists=lists)
    exact = nearest_neighbors(points, k=K, metric=metric)
    shared = [len(set(a) & set(b)) for a, b in zip(found.ids, exact.ids, strict=True)]
    assert 0.8 < found.recall < 1
    assert abs(np.mean(shared) / K - found.recall) < 0.02
    same = found.ids == exact.ids
    assert same.mean() > 0.5
    np.testing.assert_allclose(found.distances[same], exact.distances[same], rtol=1e-6)


def test_rows_that_lists_cannot_fill_are_searched_exactly():
    """Clusters so far apart that the lists looked through hold fewer than k + 1 points."""
    points = made(3, 1000)
    lists = Lists(lists_probed=1)
    found = nearest_neighbors(points, k=500, engine="approximate", lists=lists)
    assert (found.ids >= 0).all()
    assert np.isfinite(found.distances).all()
    assert found.recall == 1


def test_new_points_find_references():
    references, points = made(4), made(5, 9)
    points[0] = references[11]
    found = neighbors_among(references, points, k=K)
    check(found, loop_distances(points, references, "euclidean"))
    assert found.ids[0, 0] == 11
    with pytest.raises(InputError, match="points must have 5 columns, as the references, found 4"):
        neighbors_among(references, points[:, :4], k=K)
    with pytest.raises(InputError, match="k must be from 1 to 60, the references, found 61"):
        neighbors_among(references, points, k=61)


def test_close_points_far_from_the_rest_keep_their_distances():
    points = made(6)
    points[:5] = 1000 + 1e-3 * np.arange(5)[:, None]
    found = nearest_neighbors(points, k=4)
    expected = loop_distances(points, points, "euclidean")[:5, :5]
    np.testing.assert_allclose(found.distances[0], np.sort(expected[0])[1:], rtol=1e-3)


@pytest.mark.parametrize("size", [1e20, 1e30, 1e-25])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sizes_whose_squares_are_no_floats_are_scaled(size, dtype):
    plain = nearest_neighbors(made(7), k=K)
    points = made(7).astype(dtype) * dtype(size)
    found = nearest_neighbors(points, k=K)
    np.testing.assert_array_equal(found.ids, plain.ids)
    assert np.log2(found.scale) % 1 == 0
    np.testing.assert_allclose(found.distances, plain.distances * (size * found.scale) ** 2, 1e-4)
    cosines = nearest_neighbors(points, k=K, metric="cosine")
    expected = nearest_neighbors(made(7), k=K, metric="cosine")
    np.testing.assert_allclose(cosines.distances, expected.distances, rtol=1e-3, atol=1e-6)


def test_constant_columns_are_no_matter():
    points = np.concatenate([made(8), np.full((N, 2), 7e8, np.float32)], axis=1)
    np.testing.assert_array_equal(
        nearest_neighbors(points, k=K).ids, nearest_neighbors(made(8), k=K).ids
    )


def with_gaps():
    points = made()
    points[41, 3], points[50, 0] = np.nan, -np.inf
    return points


@pytest.mark.parametrize(
    ("points", "k", "message"),
    [
        (with_gaps(), K, "found nan in row 41, column 3; 2 such values"),
        (made(), 0, "k must be from 1 to 59, the other points, found 0"),
        (made(), N, "k must be from 1 to 59, the other points, found 60"),
        (made(rows=3), 1, "must have at least 4 rows and a column, found 3 x 5"),
        (made()[0], K, r"must be a matrix of floats.*found float32 of shape \(5,\)"),
        (made().astype(int), K, r"found int64 of shape \(60, 5\); convert"),
        (made().tolist(), K, "found list"),
    ],
)
def test_bad_input_is_named(points, k, message):
    with pytest.raises(InputError, match=message):
        nearest_neighbors(points, k=k)


def test_given_distances_have_the_neighbors_of_their_points():
    points = made(10)
    squares = loop_distances(points, points, "euclidean")
    found = nearest_neighbors(np.sqrt(squares), k=K, metric="precomputed")
    check(found, squares + np.diag(np.full(N, np.inf)))
    assert (found.ids != np.arange(N)[:, None]).all()
    huge = nearest_neighbors(np.sqrt(squares) * 1e200, k=K, metric="precomputed")
    np.testing.assert_array_equal(huge.ids, found.ids)
    assert np.isfinite(huge.distances).all()
    to_others = loop_distances(made(11, 9), points, "euclidean")
    check(
        neighbors_among(np.zeros((N, 0)), np.sqrt(to_others), k=K, metric="precomputed"), to_others
    )


def test_equally_near_points_come_in_their_order():
    distances = 1 - np.eye(6)
    found = nearest_neighbors(distances, k=3, metric="precomputed").ids
    np.testing.assert_array_equal(found[[0, 3]], [[1, 2, 3], [0, 1, 2]])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d[:, :-1], "distances must be a square matrix"),
        (lambda d: d - 1, "distances must be at least 0"),
        (lambda d: d + np.eye(6), "distances must be 0 on the diagonal"),
        (lambda d: d + np.triu(d), "distances must be symmetric"),
    ],
)
def test_what_are_no_distances_is_named(spoil, message):
    with pytest.raises(InputError, match=message):
        nearest_neighbors(spoil(1 - np.eye(6)), k=3, metric="precomputed")


def test_given_distances_to_references_are_checked():
    with pytest.raises(InputError, match="6 distances to each of the references, found 5"):
        neighbors_among(np.eye(6), np.ones((2, 5)), k=3, metric="precomputed")
    with pytest.raises(InputError, match="distances must be at least 0, found -1"):
        neighbors_among(np.eye(6), -np.ones((2, 6)), k=3, metric="precomputed")


def test_a_zero_point_has_no_cosine():
    points = made(12)
    points[[3, 8]] = 0
    with pytest.raises(InputError, match="no cosine: row 3; 2 such rows"):
        nearest_neighbors(points, k=K, metric="cosine")
    with pytest.raises(InputError, match="no cosine"):
        neighbors_among(made(12), points[3:4], k=K, metric="cosine")
