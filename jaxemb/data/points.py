"""Points to make a map of: images by the name of their set, or any table of numbers."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data import tables
from jaxemb.data.files import file_sha256
from jaxemb.data.images import Choose
from jaxemb.data.sets import IMAGES
from jaxemb.errors import InputError

NUMBERS = (".npy", ".csv")
"""How the names of files of numbers end."""


class Points(NamedTuple):
    """Points in a space of many dimensions, and what is known of each."""

    values: np.ndarray  # [N, D] float32, finite
    labels: np.ndarray | None  # [N] int32, positions in `classes`
    classes: tuple[str, ...]  # names of the labels; empty without
    names: list[str] | None  # [N] words, most frequent first
    images: np.ndarray | None  # [N, H, W] or [N, H, W, 3] uint8
    sha256: dict[str, str]  # of each file read


def read_images(name: str, data_dir: Path, choose: Choose = np.arange) -> Points:
    """Reads a named set of images, scaled to [0, 1].

    Args:
      name: one of `jaxemb.data.sets.IMAGES`.
      data_dir: folder of the data sets.
      choose: which of them.

    Returns:
      The points, with labels and images.

    Raises:
      InputError: if the set's file is missing or damaged.
    """
    found = IMAGES[name](data_dir, choose)
    values = found.images.reshape(len(found.images), -1).astype(np.float32)
    values /= found.white
    images = found.images
    if found.white != 255:
        images = np.round(255 * (images / found.white)).astype(np.uint8)
    sha256 = {str(path): file_sha256(path) for path in found.files}
    return Points(values, found.labels, found.classes, None, images, sha256)


def read_numbers(path: Path, choose: Choose = np.arange) -> Points:
    """Reads a table of numbers.

    Args:
      path: a .npy array [N, D] or a .csv of numbers.
      choose: which of its rows.

    Returns:
      The points.

    Raises:
      InputError: if the file is missing or damaged, or a number is not finite in float32.
    """
    table = tables.read_numbers(path)
    if table.ndim != 2 or table.dtype.kind not in "fiub" or not table.shape[1]:
        raise InputError(
            f"{path}: expected an array [N, D] of real numbers, found {list(table.shape)} of "
            f"{table.dtype!s:.80}; reshape images to a row each"
        )
    rows = choose(len(table))
    chosen = table if len(rows) == len(table) else table[rows]
    with np.errstate(over="ignore"):  # to infinity, and so refused
        values = np.array(chosen, np.float32)
    _check_finite(path, values, rows)
    return Points(values, None, (), None, None, {str(path): file_sha256(path)})


def _check_finite(path: Path, values: np.ndarray, rows: np.ndarray) -> None:
    # Sums carry NaN and infinity along, and need no second matrix.
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = np.flatnonzero(~np.isfinite(values.sum(axis=1, dtype=np.float64)))
    bad = [row for row in suspects if not np.isfinite(values[row]).all()]
    if bad:
        column = int(np.argmin(np.isfinite(values[bad[0]])))
        raise InputError(
            f"{path}: point {rows[bad[0]]}, column {column} (both from 0) is "
            f"{values[bad[0], column]} in float32, must be finite; {len(bad):,} of {len(rows):,} "
            "points have such numbers. Fill them in or drop these points"
        )
