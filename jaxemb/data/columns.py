"""Text in a column of JSON Lines, CSV and Parquet files: each row is a document."""

import csv
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jaxemb.data import compressed
from jaxemb.data.text_files import Piece, Reading, read_decoded
from jaxemb.errors import InputError

Kind = Literal["json", "csv", "parquet"]

_KINDS: dict[str, Kind] = {
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_PIECE = 1 << 20  # characters
_PARQUET_ROWS = 1 << 12


class _Row(NamedTuple):
    text: Any  # None where the row has none
    number: int  # of the line it ends in, or of the row, from 1
    position: int
    undecodable: int


def kind(path: Path) -> Kind | None:
    """Returns what a file with columns is, by its name; None for plain text."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in compressed.ENDINGS:
        suffixes.pop()
    return _KINDS.get(suffixes[-1]) if suffixes else None


def check_column(files: Sequence[Path], column: str | None) -> None:
    """Refuses a column without files that have any, and files with columns without one.

    Raises:
      InputError: naming the columns.
    """
    with_columns = [file for file in files if kind(file)]
    if column is None and with_columns:
        names = ", ".join(map(repr, _names(with_columns[0])[:12]))
        raise InputError(f"{with_columns[0]}: `column` must say where its text is, one of {names}")
    if column is not None and not with_columns:
        raise InputError(
            f"column {column!r} is for files named {', '.join(_KINDS)}, found {files[0]}"
        )


def read_column(path: Path, reading: Reading) -> Iterator[Piece]:
    """Streams a column of a file.

    Args:
      path: the file; its name says what it is.
      reading: which column, and the encoding. Rows without a text there are no documents.

    Yields:
      Pieces of about a megabyte, each of whole rows.

    Raises:
      InputError: if the file can't be read or is damaged, has no such column, or what is there is
        no text.
    """
    # The first text of a piece goes on with what was before; a row doesn't.
    texts, size, position, undecodable = [""], 0, 0, 0
    for row in _rows(path, reading):
        position, undecodable = row.position, undecodable + row.undecodable
        if row.text is None:
            continue
        if not isinstance(row.text, str):
            raise InputError(
                f"{path}: row {row.number}: column {reading.column!r} must hold text, found "
                f"{type(row.text).__name__} {str(row.text)[:60]!r}"
            )
        texts.append(row.text)
        size += len(row.text)
        if size >= _PIECE:
            yield Piece(texts, position, undecodable)
            texts, size, undecodable = [""], 0, 0
    yield Piece(texts, position, undecodable)


def _rows(path: Path, reading: Reading) -> Iterator[_Row]:
    readers = {"json": _json_rows, "csv": _csv_rows, "parquet": _parquet_rows}
    return readers[kind(path) or "csv"](path, reading)


class _Lines:
    """The lines of a file, each with its end, and how far they have been read."""

    def __init__(self, path: Path, reading: Reading):
        self.position = self.number = self.undecodable = 0
        self._blocks = read_decoded(path, reading)

    def __iter__(self) -> Iterator[str]:
        rest = ""
        for text, position, undecodable in self._blocks:
            self.position = position
            self.undecodable += undecodable
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                self.number += 1
                yield line + "\n"
        if rest:
            self.number += 1
            yield rest

    def row(self, text: Any) -> _Row:
        """Returns a row that ends here."""
        undecodable, self.undecodable = self.undecodable, 0
        return _Row(text, self.number, self.position, undecodable)


def _json_rows(path: Path, reading: Reading) -> Iterator[_Row]:
    lines, found, first = _Lines(path, reading), False, None
    for line in lines:
        if not line.strip():
            continue
        record = _record(path, lines.number, line)
        first = record if first is None else first
        found = found or reading.column in record
        yield lines.row(record.get(reading.column or ""))
    if not found:
        raise _no_column(path, reading.column, list(first or {}))


def _record(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: line {number}: expected a JSON object a line, found {line[:60]!r}: {error}"
        ) from error
    if not isinstance(record, dict):
        raise InputError(f"{path}: line {number}: expected a JSON object, found {line[:60]!r}")
    return record


def _csv_rows(path: Path, reading: Reading) -> Iterator[_Row]:
    lines = _Lines(path, reading)
    records = _csv_records(path, lines)
    header = next(records, [])
    if reading.column not in header:
        raise _no_column(path, reading.column, header)
    place = header.index(reading.column)
    for record in records:
        if len(record) != len(header) and record:
            raise InputError(
                f"{path}: line {lines.number}: {len(record)} fields, but the header has "
                f"{len(header)}; text with a separator needs quotes around it"
            )
        yield lines.row(record[place] if record else None)


def _csv_records(path: Path, lines: _Lines) -> Iterator[list[str]]:
    # A text may be longer than the 131,072 characters that the reader allows.
    csv.field_size_limit(sys.maxsize)
    stream = iter(lines)
    header = next(stream, "")
    separator = max(",;\t|", key=header.count)
    try:
        yield from csv.reader(itertools.chain([header], stream), delimiter=separator, strict=True)
    except csv.Error as error:
        raise InputError(f"{path}: line {lines.number}: {error}") from error


def _parquet_rows(path: Path, reading: Reading) -> Iterator[_Row]:
    pyarrow, file = open_parquet(path)
    if reading.column not in file.schema_arrow.names:
        raise _no_column(path, reading.column, file.schema_arrow.names)
    size, rows = path.stat().st_size, max(file.metadata.num_rows, 1)
    number = 0
    try:
        for batch in file.iter_batches(_PARQUET_ROWS, columns=[reading.column]):
            for text in batch.column(0).to_pylist():
                number += 1
                yield _Row(text, number, size * number // rows, 0)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read or is damaged: {error}") from error


def open_parquet(path: Path) -> tuple[Any, Any]:
    """Returns pyarrow, and the file.

    Raises:
      InputError: if pyarrow is not installed, or the file is damaged.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            f"{path}: Parquet files need pyarrow; pip install 'jaxemb[parquet]'"
        ) from error
    try:
        return pyarrow, parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read or is damaged: {error}") from error


def _names(path: Path) -> list[str]:
    """Returns the names of a file's columns."""
    if kind(path) == "parquet":
        return open_parquet(path)[1].schema_arrow.names
    # Whatever its encoding, most names are ASCII.
    lines = _Lines(path, Reading("latin-1", "skip"))
    if kind(path) == "csv":
        return next(_csv_records(path, lines), [])
    line = next((line for line in lines if line.strip()), "{}")
    return list(_record(path, lines.number, line))


def _no_column(path: Path, column: str | None, names: Iterable[str]) -> InputError:
    known = ", ".join(map(repr, itertools.islice(names, 12))) or "none"
    return InputError(f"{path}: column {column!r} is not there; its columns are {known}")
