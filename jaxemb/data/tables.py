"""Readers of numbers and labels in .npy, .csv and plain text."""

import csv
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError


class Labels(NamedTuple):
    """The class of each point."""

    ids: np.ndarray  # [N] int32, positions in `classes`
    classes: tuple[str, ...]  # in order; by number where all are numbers


def read_numbers(path: Path) -> np.ndarray:
    """Reads a matrix.

    Args:
      path: a `.npy` array [N, D] of real numbers; or a `.csv` of numbers, a line for each point,
        cells separated by commas, with or without a first line of names.

    Returns:
      [N, D] of the file's own dtype, or float32 from a .csv. A .npy is mapped, not in memory yet.

    Raises:
      InputError: if the file is missing, damaged or something else; the message says where.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return _open_npy(path) if path.suffix == ".npy" else _read_csv(path)


def read_labels(path: Path, points: int) -> Labels:
    """Reads the class of each point: integers or names.

    Args:
      path: a `.npy` array [N] of integers or strings; or a text of one label a line, with or
        without a first line that names the column.
      points: how many are expected, N.

    Returns:
      The labels.

    Raises:
      InputError: if the file is missing or damaged, or has another number of labels.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".npy":
        array = _open_npy(path)
        if array.ndim != 1 or array.dtype.kind not in "iubU":
            raise InputError(
                f"{path}: labels must be a list of integers or strings, found "
                f"{list(array.shape)} of {array.dtype}"
            )
        labels = [str(label) for label in array.tolist()]
    else:
        labels = [cell for _, cell in _read_column(path)]
        # Only their number shows whether the first is a heading.
        labels = labels[len(labels) == points + 1 :]
    if len(labels) != points:
        raise InputError(
            f"{path}: {len(labels):,} labels for {points:,} points; each point needs one, in the "
            "order of the points"
        )
    classes = sorted(set(labels))
    if all(label.removeprefix("-").isdecimal() for label in classes):
        classes.sort(key=int)
    ids = {label: i for i, label in enumerate(classes)}
    return Labels(np.array([ids[label] for label in labels], np.int32), tuple(classes))


def _open_npy(path: Path) -> np.ndarray:
    try:
        # Mapped, so that the header's size is compared with the file's before memory is allocated.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        objects = "objects" in str(error).lower()
        raise InputError(
            f"{path}: holds Python objects, which only pickle reads, and pickle can run any code. "
            "Write it as np.float32, or labels as integers or strings"
            if objects
            else f"{path}: cannot be read as a NumPy array: {error}. Is it truncated?"
        ) from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: a NumPy archive of several arrays; save one, with np.save")
    return array


def _read_csv(path: Path) -> np.ndarray:
    rows = _rows(path)
    line, first = next(rows, (0, []))
    if not first:
        raise InputError(f"{path}: is empty")
    named = [not _is_number(cell) for cell in first]
    if all(named) and first[0] == "":
        raise InputError(
            f"{path}: line {line}: the first column has no name, so it is likely the number of the "
            "row and no coordinate; write the table without it"
        )
    skip = line if all(named) else 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty table is refused below
            table = np.loadtxt(
                path,
                np.float32,
                comments=None,
                delimiter=",",
                skiprows=skip,
                ndmin=2,
                encoding="utf-8-sig",
                quotechar='"',
            )
    except (ValueError, OverflowError) as error:
        _find_fault(path, skip, len(first))
        raise InputError(f"{path}: {error}") from error
    if not table.size:
        raise InputError(f"{path}: has no line of numbers")
    return table


def _find_fault(path: Path, skip: int, columns: int) -> None:
    """Names the first bad cell or line; NumPy's own messages count lines differently."""
    for line, row in _rows(path):
        if line <= skip:
            continue
        if len(row) != columns:
            raise InputError(
                f"{path}: line {line}: {len(row)} cells, but {columns} in the first line; each "
                "line is a point of as many numbers, separated by commas"
            )
        for column, cell in enumerate(row, 1):
            if not _is_number(cell):
                raise InputError(
                    f"{path}: line {line}: column {column}: {cell[:80]!r} is no number; cells are "
                    "separated by commas, and only a first line without any number may be names"
                )


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields the number and cells of each line that isn't blank."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    yield reader.line_num, [cell.strip() for cell in row]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no .csv in UTF-8: {error}") from error


def _read_column(path: Path) -> Iterator[tuple[int, str]]:
    for line, row in _rows(path):
        if len(row) != 1 or not row[0]:
            raise InputError(
                f"{path}: line {line}: expected one label, found {len(row)} cells "
                f"{','.join(row)[:80]!r}; put a label with a comma in double quotes"
            )
        yield line, row[0]


def _is_number(cell: str) -> bool:
    # Python's float also reads 1_000.
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell
