import numpy as np
import pytest

from jaxemb.plots.frame import frame


def test_a_map_without_strays_is_framed_whole():
    points = np.random.default_rng(0).normal(size=(20_000, 2)) * [3, 1]
    found = frame(points)
    np.testing.assert_allclose(found.low, points.min(axis=0))
    np.testing.assert_allclose(found.high, points.max(axis=0))
    assert found.note == ""
    flat, whole = np.array([[0, 0], [9, 1]]), np.array([[0, 0], [4, 3]])
    assert (frame(flat).slope, frame(whole).slope) == (0.5, 0.75)


@pytest.mark.parametrize("strays", [1, 12])
def test_points_that_fly_off_are_left_out_and_told(strays):
    points = np.random.default_rng(0).uniform(-1, 1, size=(30_000, 3))
    points[:strays, 2] = -50
    found = frame(points)
    assert found.outside.tolist() == strays * [True] + (30_000 - strays) * [False]
    assert found.low[2] > -1.6
    lie = "lies" if strays == 1 else "lie"
    assert found.note == f"{strays} of 30,000 points {lie} outside"


def test_few_points_are_all_framed():
    points = np.array([[0.0, 0], [1, 0], [0, 1], [100, 100]])
    assert not frame(points).outside.any()


def test_one_place_has_a_frame_too():
    found = frame(np.full((5, 2), 3.0))
    assert not found.outside.any()
    assert found.slope == 1
