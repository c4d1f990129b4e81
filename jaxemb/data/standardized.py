"""Points as networks see them: less their mean, and divided by a common scale."""

from typing import Any

import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError

_AT_A_TIME = 4096


def as_rows(points: Any, *, at_least: int = 4) -> np.ndarray:
    """Returns points [N, D], of images their pixels, as floats.

    Raises:
      InputError: if they are not finite, or fewer than `at_least`.
    """
    if np.ndim(points) in (3, 4):
        points = np.reshape(points, (len(points), -1))
    return checks.as_points(points, at_least=at_least)


def checked_rows(points: Any, mean: np.ndarray) -> np.ndarray:
    """Returns points [N, D] for a network that was trained on points of this mean [D].

    Raises:
      InputError: if they are none.
    """
    rows = as_rows(points, at_least=1)
    if rows.shape[1] != len(mean):
        raise InputError(
            f"points must have {len(mean)} numbers, as those trained with, found {rows.shape[1]}"
        )
    return rows


def checked_validation(points: Any, mean: np.ndarray) -> np.ndarray:
    """Returns points [M, D] for validation.

    Raises:
      InputError: if they are none, or all equal to the mean.
    """
    rows = checked_rows(points, mean)
    if not (rows != mean[None, :]).any():
        raise InputError("all points for validation are the mean of those trained with")
    return rows


def checked_moments(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the `moments` of points, or raises InputError if all are equal."""
    mean, scale = moments(points)
    if scale == 0:
        raise InputError(
            f"all {len(points):,} points are at the same place, so there is nothing to learn; were "
            "the right columns read?"
        )
    return mean, scale


def moments(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the mean, and the root of the columns' mean variance; 0 only if all are equal."""
    mean = points.mean(axis=0, dtype=np.float64)
    if not np.any(points != points[:1]):
        return mean, 0.0
    variance = [
        np.square(points[start : start + _AT_A_TIME] - mean).sum()
        for start in range(0, len(points), _AT_A_TIME)
    ]
    return mean, float(np.sqrt(np.sum(variance) / points.size))


def standard(points: np.ndarray, mean: np.ndarray, scale: float) -> np.ndarray:
    """Returns points [N, D] as networks see them, less the mean and divided by the scale."""
    return ((points - mean) / scale).astype(np.float32)
