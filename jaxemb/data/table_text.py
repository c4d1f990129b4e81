"""Tables in text: CSV and its relatives, whatever stands between cells."""

import csv
import dataclasses
import io
import itertools
import logging
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from jaxemb import checks
from jaxemb.data.compressed import open_file
from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")

# Lines that show how a text is laid out.
_LOOKED_AT = 200
# What programs write where a number is missing.
MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "-nan")
# The separator that is one blank or more, as pandas writes it.
BLANKS = r"\s+"
# What may stand between cells, likeliest first: commas are also in numbers, blanks in names.
_BETWEEN = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas", BLANKS: "blanks"}


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a file does not say of its table."""

    header: Literal["auto", "yes", "no"] = "auto"
    """Whether the first line names the columns; auto: where it holds a word above numbers."""
    encoding: str = "utf-8"
    """Of a table in text, or of words, e.g. latin-1."""
    array: str = ""
    """Which array of a .npz holds the rows."""
    image_side: int = 0
    """Pixels of both sides that the pictures of a folder are brought to; 0: as they are."""

    def __post_init__(self) -> None:
        """Refuses values that no table can have.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "image_side", at_least=0, at_most=4096)
        try:
            "".encode(self.encoding)
        except LookupError as error:
            raise InputError(f"encoding must be one that Python knows: {error}") from error


class Table(NamedTuple):
    """A table as a file has it.

    Attributes:
      values: [N, D] the columns of numbers; or [N, ...] of an array of pictures. A .npy is mapped,
        not in memory yet.
      names: D, of these columns; None where the file names none.
      texts: the other columns, name to [N] strings.
      unnamed: the column that the file itself keeps apart as names or numbers of the rows, one of
        `names` or `texts`; None without.
      given_order: all columns as the file has them; empty for the numbers first.
    """

    values: np.ndarray
    names: tuple[str, ...] | None
    texts: dict[str, np.ndarray]
    unnamed: str | None = None
    given_order: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """All columns, as the file has them."""
        numbers = self.names or tuple(str(n + 1) for n in range(self.values.shape[1]))
        return self.given_order or (*numbers, *self.texts)


class _Text(NamedTuple):
    """How a table in text is laid out."""

    separator: str
    decimal: str
    skip: int  # lines before the first row
    names: list[str] | None  # of all columns
    kinds: list[bool]  # whether a column holds numbers
    unnamed: int | None  # the column of row names


def read_text(
    path: Path, layout: Layout, as_text: set[str], quantities: set[str] | None = None
) -> Table:
    """Reads a table in text, as `tables.read_table` does; it may be without numbers."""
    pandas = _pandas()
    found = _look(path, layout, as_text, quantities)
    width = len(found.kinds)
    numeric = [place for place, numbers in enumerate(found.kinds) if numbers]

    def read(kinds: dict[int, type]) -> Any:
        with open_file(path) as file, warnings.catch_warnings():
            # A longer line would be cut.
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            warnings.simplefilter("ignore", pandas.errors.DtypeWarning)
            return pandas.read_csv(
                file,
                sep=found.separator,
                decimal=found.decimal,
                header=None,
                names=range(width),
                index_col=False,
                skiprows=found.skip,
                skip_blank_lines=True,
                dtype=kinds,
                na_values=dict.fromkeys(numeric, MISSING),
                keep_default_na=False,
                skipinitialspace=True,
                encoding=_with_mark(layout.encoding),
            )

    kinds: dict[int, type] = {place: str for place in range(width) if place not in numeric}
    try:
        # Faster than to ask for floats; whole numbers become them below.
        frame = read(kinds)
        if any(frame[place].dtype.kind not in "iuf" for place in numeric):
            frame = read(kinds | dict.fromkeys(numeric, np.float64))
    except (ValueError, pandas.errors.ParserWarning) as error:
        _find_fault(path, found, layout.encoding)
        raise InputError(f"{path}: {error}") from error
    if not len(frame):
        raise InputError(f"{path}: has no row below the columns' names")
    values = frame[numeric].to_numpy(np.float64)
    strings = {place: frame[place] for place in range(width) if place not in numeric}
    # A line that ends early is filled with gaps.
    if np.isnan(values.sum()) or any(column.isna().any() for column in strings.values()):
        _find_fault(path, found, layout.encoding)
    names = found.names or [str(place + 1) for place in range(width)]
    texts = {names[place]: column.to_numpy(object) for place, column in strings.items()}
    texts = {name: np.array([cell.strip() for cell in column]) for name, column in texts.items()}
    _logger.info(f"{path.name}: {_told(found)}")
    return Table(
        values,
        tuple(names[place] for place in numeric),
        texts,
        None if found.unnamed is None else names[found.unnamed],
        tuple(names),
    )


def _look(path: Path, layout: Layout, as_text: set[str], quantities: set[str] | None) -> _Text:
    """Finds out from its first lines how a text is laid out."""
    lines = first_lines(path, layout.encoding)
    before = len(list(itertools.takewhile(lambda line: not line.strip() or line[0] == "#", lines)))
    lines = lines[before:]
    separator = find_separator([line for line in lines if line.strip()])
    rows = [row for _, row in cells_of(lines, separator)]
    if not rows:
        raise InputError(f"{path}: is empty")
    if len(lines) > 1 and before + len(lines) == _LOOKED_AT:
        rows.pop()  # a cell may go on in the next line
    decimal = _decimal(rows, separator)
    named = _has_header(path, rows, decimal, layout.header)
    body = rows[1:] if named else rows
    width, names, unnamed = len(rows[0]), None, None
    if named:
        names = rows[0]
        if body and len(body[0]) == width + 1 and separator in ("\t", BLANKS):
            names = ["", *names]  # as R writes row names
        width = len(names)
        unnamed = 0 if names[0] in ("", "Unnamed: 0") else None
        if unnamed == 0 and "row" not in names:
            names = ["row", *names[1:]]
        names = [name or str(place) for place, name in enumerate(names, 1)]
        if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise InputError(
                f"{path}: {names.count(repeated[0])} columns are called {repeated[0]!r}"
            )
    kinds = []
    for place in range(width):
        called = {str(place + 1), *(names[place : place + 1] if names else ())}
        cells = [row[place] for row in body if place < len(row)]
        numbers = all(_is_number(cell, decimal) or cell in MISSING for cell in cells)
        asked = quantities is None or bool(called & quantities)
        kinds.append(numbers and asked and not called & as_text)
    return _Text(separator, decimal, before + named, names, kinds, unnamed)


def _has_header(path: Path, rows: list[list[str]], decimal: str, header: str) -> bool:
    if header != "auto":
        return header == "yes"
    first, others = rows[0], rows[1:]
    for place, cell in enumerate(first):
        below = [row[place] for row in others if place < len(row) and row[place] not in MISSING]
        if not _is_number(cell, decimal) and (
            not below or sum(_is_number(other, decimal) for other in below) > len(below) / 2
        ):
            return True
    if not any(_is_number(cell, decimal) for cell in first):
        return True
    steps = np.diff([float(cell) if cell.isdecimal() else np.nan for cell in first])
    counts = len(first) > 2 and len({*steps.tolist()}) == 1 and steps[0] > 0
    if counts and others and not all(cell.isdecimal() for row in others for cell in row):
        raise InputError(
            f"{path}: the first line, {', '.join(first[:4])}, ..., may name the columns or be a "
            "row: header='yes' or header='no' tells"
        )
    return False


def find_separator(lines: list[str]) -> str:
    """Finds what stands between cells: the first that cuts all lines into as many.

    Args:
      lines: none of them blank.

    Returns:
      A tab, semicolon, bar or comma, or the regular expression of blanks.
    """
    cut = {mark: [len(row) for _, row in cells_of(lines, mark)] for mark in _BETWEEN}
    for mark, widths in cut.items():
        # As R writes row names: the first line has no name for them.
        named = mark in ("\t", BLANKS) and len(widths) > 1 and widths[0] == widths[1] - 1
        if widths and max(widths) > 1 and len({*widths[named:]}) == 1:
            return mark
    return next((mark for mark, widths in cut.items() if widths and widths[0] > 1), ",")


def _decimal(rows: list[list[str]], separator: str) -> str:
    cells = list(itertools.chain.from_iterable(rows))
    commas = any(re.fullmatch(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?", cell) for cell in cells)
    points = any(re.fullmatch(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?", cell) for cell in cells)
    return "," if commas and not points and separator != "," else "."


def _told(found: _Text) -> str:
    """Says how a text was read."""
    parts = [f"{_BETWEEN[found.separator]} between cells"]
    parts += ["decimal commas"] * (found.decimal == ",")
    parts.append("no line of names" if found.names is None else "columns' names in the first line")
    return ", ".join(parts)


def first_lines(path: Path, encoding: str) -> list[str]:
    """Returns the first lines of a text, decompressed.

    Raises:
      InputError: if there are none, or they cannot be decoded.
    """
    lines = list(itertools.islice(all_lines(path, encoding), _LOOKED_AT))
    if not lines:
        raise InputError(f"{path}: is empty")
    return lines


def all_lines(path: Path, encoding: str) -> Iterator[str]:
    """Yields the lines of a text, decompressed, each with its end.

    Raises:
      InputError: if it cannot be read or decoded.
    """
    try:
        with (
            open_file(path) as file,
            io.TextIOWrapper(file, encoding=_with_mark(encoding), newline="") as text,
        ):
            for line in text:
                if "\0" in line:
                    raise InputError(
                        f"{path}: holds NUL bytes, so it is no text, or another `encoding` such as "
                        "utf-16"
                    )
                yield line
    except UnicodeError as error:
        raise _not_decoded(path, encoding, error) from error


def cells_of(lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yields the number and the cells of each line that isn't blank."""
    if separator == BLANKS:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line.split()
        return
    csv.field_size_limit(sys.maxsize)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    try:
        for row in reader:
            if len(row) > 1 or (row and row[0].strip()):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise InputError(f"line {reader.line_num}: {error}") from error


def _find_fault(path: Path, found: _Text, encoding: str) -> None:
    """Names the first bad cell or line; pandas' own messages count lines differently."""
    width = len(found.kinds)
    for line, row in cells_of(all_lines(path, encoding), found.separator):
        if line <= found.skip:
            continue
        if len(row) != width:
            raise InputError(
                f"{path}: line {line}: {len(row)} cells, but {width} in the first line"
            )
        for place, cell in enumerate(row):
            if found.kinds[place]:
                _check_cell(path, line, place, cell, found)


def _check_cell(path: Path, line: int, place: int, cell: str, found: _Text) -> None:
    column = f"column {place + 1}" if found.names is None else f"column {found.names[place]!r}"
    if cell in MISSING:
        raise InputError(
            f"{path}: line {line}: {column}: no number is there; fill gaps, delete such lines, or "
            "leave the column out: `drop`"
        )
    if not _is_number(cell, found.decimal):
        raise InputError(
            f"{path}: line {line}: {column}: {cell[:80]!r} is no number, as those above are; "
            "`drop` leaves the column out"
        )


def _is_number(cell: str, decimal: str) -> bool:
    if decimal != ".":
        cell = cell.replace(decimal, ".")
    # Python's float also reads 1_000.
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _with_mark(encoding: str) -> str:
    """UTF-8 may begin with a byte order mark."""
    return "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding


def _not_decoded(path: Path, encoding: str, error: UnicodeError) -> InputError:
    reason = getattr(error, "reason", error)
    return InputError(
        f"{path}: is not in {encoding}: {reason}; `encoding` names another, such as latin-1"
    )


def _pandas() -> Any:
    """Imports pandas, which loads slowly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas
    return pandas
