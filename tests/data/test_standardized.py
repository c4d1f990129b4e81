import numpy as np
import pytest

from jaxemb.data.standardized import (
    as_rows,
    checked_moments,
    checked_rows,
    checked_validation,
    moments,
    standard,
)
from jaxemb.errors import InputError

RNG = np.random.default_rng(0)
# More rows than are looked at at a time, off the origin, columns in other units.
POINTS = (RNG.normal(size=(9000, 3)) * [1, 5, 0.1] + [3, -40, 7]).astype(np.float32)


def test_moments_are_those_of_the_columns():
    mean, scale = moments(POINTS)
    columns = POINTS.astype(np.float64)
    np.testing.assert_allclose(mean, [sum(column) / 9000 for column in columns.T], rtol=1e-9)
    variances = [np.mean((column - column.mean()) ** 2) for column in columns.T]
    np.testing.assert_allclose(scale, np.sqrt(np.mean(variances)), rtol=1e-6)


def test_standard_points_have_no_mean_and_variance_one_over_all_columns():
    mean, scale = checked_moments(POINTS)
    found = standard(POINTS, mean, scale)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(found.astype(float).var(axis=0).mean(), 1, rtol=1e-5)


def test_images_become_rows():
    images = RNG.integers(0, 256, size=(5, 4, 3, 2)).astype(np.uint8)
    np.testing.assert_array_equal(as_rows(images), images.reshape(5, 24))
    np.testing.assert_array_equal(as_rows(images[..., 0]), images[..., 0].reshape(5, 12))


def test_what_nothing_can_be_learned_from_is_refused():
    mean = POINTS.mean(axis=0, dtype=np.float64)
    with pytest.raises(InputError, match="all 9,000 points are at the same place"):
        checked_moments(POINTS * 0 + 2)
    with pytest.raises(InputError, match="points must have 3 numbers, as those trained with, fo"):
        checked_rows(POINTS[:, :2], mean)
    with pytest.raises(InputError, match="all points for validation are the mean"):
        checked_validation(np.stack([mean] * 4), mean)
