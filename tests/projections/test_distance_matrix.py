import numpy as np
import pytest
from scipy.spatial.distance import cdist

from jaxemb import memory
from jaxemb.errors import InputError
from jaxemb.projections import distance_matrix as module
from jaxemb.projections.distance_matrix import check_distances, distance_matrix, equal_points

N, D = 23, 9


def draw():
    return np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e20])
def test_distances_are_scipys(size, monkeypatch):
    monkeypatch.setattr(module, "_AT_A_TIME", 5 * N)  # five blocks, the last shorter
    x = draw() * np.float32(size)
    found = distance_matrix(x)
    assert found.dtype == np.float32
    expected = cdist(x.astype(np.float64), x.astype(np.float64))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    check_distances(found)


def test_close_points_far_from_the_origin_keep_their_digits():
    x = (draw() * 0.01 + 1000).astype(np.float32)
    np.testing.assert_allclose(
        distance_matrix(x), cdist(x.astype(np.float64), x.astype(np.float64)), rtol=1e-5
    )


def test_equal_points_have_distance_zero():
    x = draw()
    x[[4, 7, 20]] = x[2]
    x[9] = x[3]
    found = distance_matrix(x)
    assert [ids.tolist() for ids in equal_points(x)] == [[2, 4, 7, 20], [3, 9]]
    equal = {(a, b) for a, b in np.argwhere(found == 0).tolist() if a < b}
    assert equal == {(2, 4), (2, 7), (2, 20), (4, 7), (4, 20), (7, 20), (3, 9)}


def test_what_is_no_distance_matrix_is_named():
    good = distance_matrix(draw())
    cases = {
        "a square matrix, found 23 x 5; are these points?": good[:, :5],
        "at least 4 rows": good[:3, :3],
        "all 23 points are at the same place": good * 0,
    }
    for (row, column), value, what in (
        ((2, 5), np.nan, "finite, found nan in row 2, column 5"),
        ((5, 2), 9.5, "symmetric, found"),
        ((5, 2), -1.0, "at least 0, found -1.0 in row 5, column 2"),
        ((3, 3), 0.25, "0 on the diagonal, found 0.25 in row 3, column 3"),
    ):
        bad = good.copy()
        bad[row, column] = value
        cases[what] = bad
    for what, bad in cases.items():
        with pytest.raises(InputError, match=what):
            check_distances(bad)


def test_memory_is_asked_for_first(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 2000)
    message = "all distances of 23 points: about 0.0 GB of memory are needed, 0.0 GB are free; take"
    with pytest.raises(InputError, match=message):
        distance_matrix(draw())
