"""Labels of points: a class for each."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data.table_text import (
    BLANKS,
    Layout,
    Table,
    all_lines,
    cells_of,
    find_separator,
    first_lines,
)
from jaxemb.data.tables import counts_rows, find_column, open_npy, read_table, texts_of
from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")


class Labels(NamedTuple):
    """The class of each point."""

    ids: np.ndarray  # [N] int32, positions in `classes`
    classes: tuple[str, ...]  # in order; by number where all are numbers


def read_labels(path: Path, points: int, column: str = "", layout: Layout | None = None) -> Labels:
    """Reads the class of each point: integers or names.

    Args:
      path: a `.npy` array [N] of integers or strings; a text of one label a line, with or without
        a first line that names the column; or a table, as for `read_table`.
      points: how many are expected, N.
      column: of the table; needed only if it has several that may be meant.
      layout: what the file does not say.

    Returns:
      The labels.

    Raises:
      InputError: if the file is missing or damaged, or has another number of labels.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".npy":
        labels = texts_of(path, open_npy(path))
    elif path.suffix in (".parquet", ".npz"):
        labels = _only_column(path, read_table(path, layout, as_text=[column]), column)
    else:
        labels = _read_label_lines(path, points, column, layout or Layout())
    if len(labels) != points:
        raise InputError(
            f"{path}: {len(labels):,} labels for {points:,} points; each point needs one, in the "
            "order of the points"
        )
    return number_labels(labels)


def number_labels(labels: Sequence[str] | np.ndarray) -> Labels:
    """Numbers classes in their order, by number where all are numbers."""
    found, ids = np.unique(np.asarray(labels, str), return_inverse=True)
    classes = found.tolist()
    order = list(range(len(classes)))
    if all(label.removeprefix("-").isdecimal() for label in classes):
        order.sort(key=lambda place: int(classes[place]))
    ranks = np.empty(len(classes), np.int32)
    ranks[order] = np.arange(len(classes))
    return Labels(ranks[ids.reshape(-1)], tuple(classes[place] for place in order))


def _read_label_lines(path: Path, points: int, column: str, layout: Layout) -> list[str]:
    """Reads labels from a text: a label a line, or a table."""
    lines = first_lines(path, layout.encoding)
    filled = [line for line in lines if line.strip()]
    if not filled:
        raise InputError(f"{path}: is empty")
    separator = find_separator(filled)
    # Labels may be of several words.
    if separator != BLANKS and len(next(cells_of(filled, separator))[1]) > 1:
        return _only_column(path, read_table(path, layout, as_text=[column]), column)
    labels = [line.strip() for line in all_lines(path, layout.encoding)]
    while labels and not labels[-1]:
        labels.pop()
    if "" in labels:
        raise InputError(
            f"{path}: line {labels.index('') + 1} is blank: is the label missing there? Each line "
            "is the label of a point"
        )
    labels = [cells[0] for _, cells in cells_of(labels, ",")]
    first, others = labels[0], labels[1:]
    whole = all(re.fullmatch(r"[+-]?\d+", label) for label in others) and bool(others)
    if layout.header == "auto":
        # Of names, only their number shows whether the first is a heading; it is no class, then.
        extra = len(labels) == points + 1 and first not in others
        heading = not re.fullmatch(r"[+-]?\d+", first) if whole else extra
    else:
        heading = layout.header == "yes"
    if heading:
        _logger.info(f"{path.name}: {first!r} names the column")
    return others if heading else labels


def _only_column(path: Path, table: Table, column: str) -> list[str]:
    """Returns the column of labels of a table that has other columns, too."""
    names = table.names or tuple(str(place + 1) for place in range(table.values.shape[1]))
    if column:
        wanted = find_column(path, column, table.order)
    else:
        left = [*table.texts]
        for name, values in zip(names, table.values.T, strict=True):
            if not counts_rows(values):
                left.append(name)
        if len(left) != 1:
            raise InputError(
                f"{path}: `label_column` names the one that has the labels, of "
                f"{', '.join(table.order)}"
            )
        wanted = left[0]
    if wanted in table.texts:
        return table.texts[wanted].tolist()
    return texts_of(path, table.values[:, names.index(wanted)])
