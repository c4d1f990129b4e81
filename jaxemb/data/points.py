"""Points to make a map of: images by the name of their set, or any table of numbers."""

import dataclasses
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb import checks
from jaxemb.data import pictures as pictures_of
from jaxemb.data.files import file_sha256
from jaxemb.data.images import Choose
from jaxemb.data.labels import number_labels
from jaxemb.data.sets import IMAGES
from jaxemb.data.table_text import Layout, Table
from jaxemb.data.tables import counts_rows, find_column, read_table, texts_of
from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")

# Columns so called are likely what a map is to be compared with, not a part of it.
CLASSES = ("class", "classes", "label", "labels", "target", "targets", "y")
# Names on a map are words or titles, no paragraphs.
_LONGEST_NAME = 60
# float32 keeps less than a ten-thousandth of a deviation where a column is as far as this from 0.
_FAR = 1000


class Points(NamedTuple):
    """Points in a space of many dimensions, and what is known of each.

    Attributes:
      values: [N, D] finite, float32, or float64 where that would lose differences.
      labels: [N] int32, positions in `classes`; None without.
      classes: names of the labels; empty without.
      names: [N] words, most frequent first, or names of rows; None without.
      images: [N, H, W] or [N, H, W, 3] uint8; None without.
      sha256: of each file read.
      features: D, what the numbers are called; None where they have no names.
      columns: what else the table has, name to [N] strings.
      rows: [N] int64, which of the file's points these are.
    """

    values: np.ndarray
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    names: list[str] | None = None
    images: np.ndarray | None = None
    sha256: dict[str, str] = {}
    features: tuple[str, ...] | None = None
    columns: dict[str, np.ndarray] = {}
    rows: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class Columns:
    """What the columns of a table are."""

    label_column: str = ""
    """Column of a table that has the labels, by name or by number from 1."""
    drop: tuple[str, ...] = ()
    """Columns that are no coordinates; the map's page shows them."""
    coordinates: bool = False
    """Take all columns of numbers as coordinates, also one called target, class, label or y, one
    that counts the rows, and a table that looks like distances."""

    def __post_init__(self) -> None:
        """Refuses values of the wrong type.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)


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
    return Points(
        values,
        found.labels,
        found.classes,
        images=images,
        sha256={str(path): file_sha256(path) for path in found.files},
    )


def read_numbers(
    path: Path,
    choose: Choose = np.arange,
    *,
    columns: Columns | None = None,
    layout: Layout | None = None,
) -> Points:
    """Reads a table of numbers.

    A column that counts the rows is left out, a text column with repeated values becomes the
    labels, one of different values the names; this is logged.

    Args:
      path: a table, as for `read_table`.
      choose: which of its rows.
      columns: what its columns are.
      layout: what the file does not say.

    Returns:
      The points.

    Raises:
      InputError: if the file is missing or damaged, a number is not finite, there is no column of
        numbers, or a column's name says that it may be the label.
    """
    columns = columns or Columns()
    as_text = [name for name in (columns.label_column, *columns.drop) if name]
    table = read_table(path, layout, as_text=as_text)
    pictures = None
    if table.values.ndim > 2:
        pictures = pictures_of.as_pictures(path, table.values)
        table = table._replace(values=table.values.reshape(len(table.values), -1))
    table, labels, names = _roles(path, table, columns)
    if not table.values.shape[1]:
        raise InputError(f"{path}: no column of numbers is left; found {', '.join(table.texts)}")
    rows = choose(len(table.values))
    chosen = table.values if len(rows) == len(table.values) else table.values[rows]
    found = Points(
        _narrowed(_checked(path, chosen, rows)),
        sha256={str(path): file_sha256(path)},
        features=table.names,
        columns={name: column[rows] for name, column in table.texts.items()},
        names=None if names is None else [str(names[row]) for row in rows],
        images=None if pictures is None else pictures[rows],
    )
    if labels is not None:
        numbered = number_labels(labels)
        found = found._replace(labels=numbered.ids[rows], classes=numbered.classes)
    return found


def read_folder(
    folder: Path, choose: Choose = np.arange, *, layout: Layout | None = None
) -> Points:
    """Reads a folder of pictures, scaled to [0, 1]; its subfolders are the classes.

    Args:
      folder: of the files; other files than pictures are left alone.
      choose: which of them, in the order of their names.
      layout: to what size they are brought.

    Returns:
      The points; the column "file" has the names.

    Raises:
      InputError: if there are no pictures, one is damaged, or their sizes differ.
    """
    files = pictures_of.find_pictures(folder)
    classes = pictures_of.subfolders(folder, files)
    rows = choose(len(files))
    chosen = [files[row] for row in rows]
    images = pictures_of.read_pictures(chosen, side=(layout or Layout()).image_side)
    values = images.reshape(len(images), -1).astype(np.float32) / 255
    found = Points(
        values,
        images=images,
        sha256={str(folder): pictures_of.files_sha256(folder, chosen)},
        columns={"file": np.array([str(file.relative_to(folder)) for file in chosen])},
    )
    if classes is not None:
        numbered = number_labels(classes)
        found = found._replace(labels=numbered.ids[rows], classes=numbered.classes)
    return found


def _roles(
    path: Path, table: Table, columns: Columns
) -> tuple[Table, np.ndarray | None, np.ndarray | None]:
    """Returns the table of coordinates and further columns, the labels and the rows' names."""
    numbers = table.names or tuple(str(place + 1) for place in range(table.values.shape[1]))
    texts = dict(table.texts)
    out = {find_column(path, name, table.order) for name in columns.drop}
    label = find_column(path, columns.label_column, table.order) if columns.label_column else None
    if label is not None and label not in texts:  # of an array
        texts[label] = np.array(texts_of(path, table.values[:, numbers.index(label)]))
    for name in out - {*texts}:
        texts[name] = table.values[:, numbers.index(name)].astype(str)
    kept = [name for name in numbers if name not in texts]
    if not columns.coordinates:
        asked = [name for name in kept if name.casefold() in CLASSES and table.names]
        if asked:
            way = f"label_column='{asked[0]}' makes it so"
            if label is not None:
                way = f"drop='{asked[0]}' leaves it out, as {label!r} is"
            raise InputError(
                f"{path}: column {asked[0]!r} may be the label of each row: {way}, "
                "coordinates=True takes it as a number like the others"
            )
        if label is None:
            label = _label_among(texts, out)
            if label is not None:
                _logger.info(f"{path.name}: labels are column {label!r}")
        for name in kept:
            counts = name == table.unnamed or (table.names and name.casefold() in ("id", "index"))
            if counts and counts_rows(table.values[:, numbers.index(name)]):
                texts[name] = table.values[:, numbers.index(name)].astype(int).astype(str)
                _logger.info(f"{path.name}: column {name!r} counts the rows, and is left out")
        kept = [name for name in kept if name not in texts]
    labels = None if label is None else texts.pop(label)
    names = next((texts[name] for name in texts if _are_names(texts[name])), None)
    values = table.values
    if len(kept) < len(numbers):
        values = values[:, [numbers.index(name) for name in kept]]
    known = None if table.names is None else tuple(kept)
    return Table(values, known, texts, table.unnamed), labels, names


def _label_among(texts: dict[str, np.ndarray], out: set[str]) -> str | None:
    """Returns the column of texts that has the labels, if only one can be meant."""
    left = [name for name in texts if name not in out]
    called = [name for name in left if name.casefold() in CLASSES]
    repeated = [name for name in left if len(np.unique(texts[name])) <= len(texts[name]) / 2]
    for likely in (called, repeated):
        if len(likely) == 1:
            return likely[0]
    return None


def _are_names(texts: np.ndarray) -> bool:
    """Tells whether texts [N] are different names of the rows."""
    return (
        len(np.unique(texts)) == len(texts)
        and max(map(len, texts)) <= _LONGEST_NAME
        and not all(text.isdecimal() for text in texts)
    )


def _checked(path: Path, chosen: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns rows as floats that hold them.

    Raises:
      InputError: naming the first number that is not finite.
    """
    short = np.can_cast(chosen.dtype, np.float32)
    values = np.asarray(chosen, np.float32 if short else np.float64)
    limit = np.finfo(np.float32).max
    # NaN comes through, and no second matrix is needed.
    low, high = values.min(axis=0), values.max(axis=0)
    if not ((-limit <= low) & (high <= limit)).all():
        bad = np.flatnonzero(~(np.abs(values) <= limit).all(axis=1))
        column = int(np.argmin(np.abs(values[bad[0]]) <= limit))
        raise InputError(
            f"{path}: point {rows[bad[0]]}, column {column} (both from 0) is "
            f"{values[bad[0], column]}, must be finite and less than 3e38; {len(bad):,} of "
            f"{len(rows):,} points have such numbers. Fill them in or drop these points"
        )
    return values


def standardized(points: Points, data: str) -> Points:
    """Brings every column to mean 0 and standard deviation 1; constant ones become 0, and are told.

    Args:
      points: that were read.
      data: what they were read from.

    Returns:
      The points, their values float32.
    """
    values, names = points.values, points.features
    centered = values - values.mean(axis=0, dtype=np.float64)
    deviations = centered.std(axis=0)
    constant = np.flatnonzero(deviations <= 1e-12 * np.abs(values).max(axis=0))
    if len(constant):
        shown = [names[place] if names else str(place + 1) for place in constant[:5]]
        _logger.info(f"{data}: {len(constant):,} columns are constant: {', '.join(shown)}")
    centered[:, constant] = 0
    scaled = centered / np.where(deviations > 0, deviations, 1)
    return points._replace(values=scaled.astype(np.float32))


def _narrowed(values: np.ndarray) -> np.ndarray:
    """Returns float32 where it keeps the differences between points, which maps are made of."""
    if values.dtype == np.float32:
        return np.ascontiguousarray(values)
    low, high = values.min(axis=0), values.max(axis=0)
    # A few columns at a time: no second matrix is needed.
    parts = [values[:, start : start + 8] for start in range(0, values.shape[1], 8)]
    deviations = np.concatenate([part.std(axis=0) for part in parts])
    far = np.maximum(-low, high) > _FAR * deviations
    # A constant column has no differences to keep.
    keep = (far & (high > low)).any()
    return np.ascontiguousarray(values, np.float64 if keep else np.float32)
