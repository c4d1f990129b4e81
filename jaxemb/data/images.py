"""What readers of image data sets share: NumPy archives of named arrays, checked."""

import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from jaxemb.data.archives import Member
from jaxemb.data.prepare import missing_file
from jaxemb.errors import InputError

# The number of images that a data set holds -> the positions of those wanted.
Choose = Callable[[int], np.ndarray]


class LabeledImages(NamedTuple):
    """Images and what each one shows.

    Attributes:
      images: [N, H, W] or [N, H, W, 3] uint8.
      labels: [N] int32, positions in `classes`.
      classes: names of what there is to see.
      files: that they were read from.
      white: the largest value that a pixel can have.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    files: tuple[Path, ...] = ()
    white: int = 255


def read_arrays(
    path: Path, names: tuple[str, ...], layout: str, *, data_set: str
) -> list[np.ndarray]:
    """Reads arrays of a NumPy archive.

    Args:
      path: the archive.
      names: of the arrays.
      layout: what the archive is expected to hold, for messages.
      data_set: the name by which `jaxemb data` gets it, likewise.

    Returns:
      The arrays, in the order of their names.

    Raises:
      InputError: if the file is missing or damaged, or lacks an array.
    """
    if not path.is_file():
        raise missing_file(path, data_set, f"a NumPy archive of {layout}")
    try:
        # Opened here: NumPy leaves its own file open if the archive is damaged.
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            there = getattr(archive, "files", [])  # a lone array has none
            if not set(names) <= set(there):
                missing = next(name for name in names if name not in there)
                raise InputError(
                    f"{path}: has no array {missing!r}, only {there[:10]}; expected are {layout}"
                )
            return [archive[name] for name in names]
    except InputError:
        raise
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read as a NumPy archive: {error}. Is it truncated?"
        ) from error


def read_labels(path: Path, layout: str, parts: list[np.ndarray], classes: int) -> np.ndarray:
    """Joins lists of labels to one.

    Args:
      path: the archive that they are of, for messages.
      layout: what it is expected to hold, likewise.
      parts: lists of integers in [0, classes).
      classes: their number.

    Returns:
      [N] int32, the lists one after another.

    Raises:
      InputError: if these are no such lists.
    """
    expect(path, layout, all(part.ndim == 1 and part.dtype.kind in "iu" for part in parts))
    labels = np.concatenate(parts)
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        raise InputError(
            f"{path}: {bad.size} labels are outside the {classes} classes, the first that of image "
            f"{bad[0]}; expected are {layout}"
        )
    return labels.astype(np.int32)


def expect(path: Path, layout: str, holds: bool | np.bool_) -> None:
    """Refuses, with an InputError, an archive of another layout, for which `holds` is False."""
    if not holds:
        raise InputError(f"{path}: arrays of other shapes or kinds than expected: {layout}")


def read_picture(member: Member, size: tuple[int, int]) -> np.ndarray:
    """Reads a gray picture out of an archive.

    Args:
      member: the file.
      size: its expected height and width.

    Returns:
      [H, W] uint8.

    Raises:
      InputError: if it is damaged or of another size.
    """
    try:
        with Image.open(io.BytesIO(member.data)) as picture:
            if picture.size != size[::-1]:
                raise InputError(
                    f"{member.name}: {picture.height} x {picture.width} pixels, expected are "
                    f"{size[0]} x {size[1]}"
                )
            return np.asarray(picture.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{member.name}: is no picture: {error}") from error
