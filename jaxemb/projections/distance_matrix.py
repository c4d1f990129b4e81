"""All distances of a data set, computed and checked."""

import numpy as np

from jaxemb.checks import check_points
from jaxemb.errors import InputError
from jaxemb.memory import require_memory

# Distances in a block: 32 MiB in float64.
_AT_A_TIME = 1 << 22


def distance_matrix(points: np.ndarray) -> np.ndarray:
    """Computes the Euclidean distances of all pairs of points.

    In float64, so that close points far from the others keep their digits.

    Args:
      points: [N, D] finite float, N at least 4.

    Returns:
      [N, N] float32, symmetric but for the last digit; 0 on the diagonal and between equal points.

    Raises:
      InputError: if `points` is not as documented, or memory is short.
    """
    check_points(points)
    count, dim = points.shape
    require_memory(
        count * (4 * count + 8 * dim),
        f"all distances of {count:,} points",
        "take fewer points, or a method that samples pairs",
    )
    centered = points.astype(np.float64)
    centered -= centered.mean(axis=0)
    squares = np.einsum("nd,nd->n", centered, centered)
    distances = np.empty((count, count), np.float32)
    step = max(1, _AT_A_TIME // count)
    for start in range(0, count, step):
        rows = slice(start, start + step)
        block = squares[rows, None] + squares[None, :] - 2 * (centered[rows] @ centered.T)
        distances[rows] = np.sqrt(np.maximum(block, 0, out=block), out=block)
    np.fill_diagonal(distances, 0)
    # Rounding leaves about 1e-8 of the norm between equal points.
    for ids in equal_points(points):
        distances[np.ix_(ids, ids)] = 0
    return distances


def equal_points(points: np.ndarray) -> list[np.ndarray]:
    """Finds equal points.

    Args:
      points: [N, D].

    Returns:
      The rows of each group of two or more equal points, in order.
    """
    place, sizes = np.unique(points, axis=0, return_inverse=True, return_counts=True)[1:]
    order = np.argsort(place.reshape(-1), kind="stable")
    groups = np.split(order, np.cumsum(sizes)[:-1])
    return sorted((ids for ids in groups if len(ids) > 1), key=lambda ids: int(ids[0]))


def check_distances(distances: np.ndarray) -> None:
    """Refuses anything but a matrix of distances.

    Args:
      distances: to be [N, N] float, N at least 4, finite, symmetric, at least 0, and 0 on the
        diagonal.

    Raises:
      InputError: naming the first bad place; also if all are 0.
    """
    check_points(distances, name="distances")
    count, columns = distances.shape
    if count != columns:
        raise InputError(
            f"distances must be a square matrix, found {count} x {columns}; are these points? "
            "distance_matrix computes their distances"
        )
    largest = float(np.abs(distances).max())
    if largest == 0:
        raise InputError(
            f"all {count:,} points are at the same place, so there are no distances to keep; were "
            "the right columns read?"
        )
    step = max(1, _AT_A_TIME // count)
    for start in range(0, count, step):
        rows = slice(start, start + step)
        block = distances[rows]
        # Both triangles may have been computed, and rounded, separately.
        for bad, what in (
            (block < 0, "at least 0"),
            (np.abs(block - distances[:, rows].T) > 1e-5 * largest, "symmetric"),
            (
                (np.arange(count) == np.arange(count)[rows, None]) & (block != 0),
                "0 on the diagonal",
            ),
        ):
            if bad.any():
                row, column = np.argwhere(bad)[0] + (start, 0)
                raise InputError(
                    f"distances must be {what}, found {distances[row, column]} in row {row}, "
                    f"column {column} and {distances[column, row]} the other way round"
                )


def power_of_two(largest: float) -> float:
    """Returns the power of two that scales a number above 0 to between a half and one."""
    return 2.0 ** -int(np.frexp(largest)[1])
