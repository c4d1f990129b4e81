"""Checks of class labels, which must happen before arrays are traced."""

import numpy as np

from jaxemb.errors import InputError


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
