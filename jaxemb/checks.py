"""Checks of values where they enter, before arrays are traced."""

import numpy as np

from jaxemb.errors import InputError

# Numbers looked at at a time.
_AT_A_TIME = 2**24


def check_labels(labels: np.ndarray, rows: int, *, classes: int | None = None) -> None:
    """Refuses labels that don't belong to their examples.

    On a device a label out of range raises nothing: it reads another class, or none.

    Args:
      labels: [N] int, a class for each example.
      rows: N.
      classes: labels must be in [0, classes). None allows any integer, as for individuals that
        need no outputs of their own.

    Raises:
      InputError: if they are no integers, not one an example, or out of range.
    """
    if labels.dtype.kind not in "iu":
        raise InputError(
            f"labels must be integers, found {labels.dtype}; np.unique(labels, return_inverse=True)"
            " numbers the classes"
        )
    if labels.shape != (rows,):
        raise InputError(f"labels must be one for each of {rows} rows, found {list(labels.shape)}")
    if classes is None:
        return
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        raise InputError(
            f"label {labels[bad[0]]} at position {bad[0]} is outside [0, {classes}); {bad.size} "
            "such labels. Were they numbered for another data set?"
        )


def check_points(points: np.ndarray, *, at_least: int = 4, name: str = "points") -> None:
    """Refuses what is no matrix of finite numbers.

    Args:
      points: to be [N, D] float.
      at_least: smallest N.
      name: what to call them.

    Raises:
      InputError: naming shape, dtype or the first bad place.
    """
    kind = getattr(points, "dtype", None)
    if kind is None or not np.issubdtype(kind, np.floating) or points.ndim != 2:
        found = type(points).__name__ if kind is None else f"{kind} of shape {points.shape}"
        raise InputError(
            f"{name} must be a matrix of floats, a point a row, found {found}; convert other "
            "numbers with .astype(np.float32), and flatten images with .reshape(len(images), -1)"
        )
    rows, columns = points.shape
    if rows < at_least or columns < 1:
        raise InputError(
            f"{name} must have at least {at_least} rows and a column, found {rows} x {columns}"
        )
    first, count = None, 0
    step = max(1, _AT_A_TIME // columns)
    for start in range(0, rows, step):
        bad = np.argwhere(~np.isfinite(points[start : start + step]))
        if len(bad) and first is None:
            first = bad[0] + (start, 0)
        count += len(bad)
    if first is not None:
        row, column = first
        raise InputError(
            f"{name} must be finite, found {points[row, column]} in row {row}, column {column}; "
            f"{count} such values. Drop these rows, or fill the gaps first"
        )
