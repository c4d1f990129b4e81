"""Rows of decimal numbers in text, a bounded block at a time."""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jaxemb.errors import InputError
from jaxemb.io.reading import Reading
from jaxemb.io.word_bytes import encode
from jaxemb.io.word_vectors import WordVectors

BLOCK = 1 << 20  # bytes of text held at a time
ROWS = 1024  # rows formatted at a time
BLANK = "blank lines left out"

_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def is_number(field: bytes) -> bool:
    """Tells whether a field is a decimal number."""
    return _NUMBER.fullmatch(field) is not None


def blocks(file: BinaryIO) -> Iterator[list[bytes]]:
    """Yields the lines of an open file, about BLOCK bytes of them at a time.

    Blank lines at its end are no lines.
    """
    blank: list[bytes] = []
    while lines := file.readlines(BLOCK):
        if blank:
            lines = blank + lines
        end = len(lines)
        while end and not lines[end - 1].strip():
            end -= 1
        blank = lines[end:]
        if end:
            yield lines[:end] if blank else lines


def count(file: BinaryIO) -> int:
    """Counts the lines of an open file from here on, and comes back here."""
    here = file.tell()
    rows = sum(len(lines) for lines in blocks(file))
    file.seek(here)
    return rows


def floats(numbers: list[bytes], width: int, path: Path, line: int) -> np.ndarray:
    """Parses lines of numbers with white space between them.

    Args:
      numbers: [N] lines, of as many fields as numbers.
      width: Numbers in each, D.
      path: The file, for the message.
      line: The number of the first line, for the message.

    Returns:
      [N, D] float32. Nine significant digits give back the float32 they were written from.

    Raises:
      InputError: if a field is no number.
    """
    parsed = _parse(b" ".join(numbers))
    if parsed is None or parsed.size != len(numbers) * width:
        raise InputError(f"{path}: {_first_fault(numbers, line)}")
    return parsed.reshape(-1, width)


def _parse(text: bytes) -> np.ndarray | None:
    """Parses numbers, or gives None where something is no number. `text` is not blank."""
    if b"\0" in text:  # NumPy before 2.4 takes it for the end
        return None
    # As fast as loadtxt, which takes Latin-1 spaces, and faster than float(), which takes
    # underscores. NumPy before 2.4 warns of rubbish where later ones raise.
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, np.float32, sep=" ")
        except (ValueError, DeprecationWarning):
            return None


def _first_fault(numbers: list[bytes], line: int) -> str:
    for number, row in enumerate(numbers, line):
        for column, field in enumerate(row.split(), 1):
            parsed = _parse(field)
            if parsed is None or parsed.size != 1:  # "1-2" makes two
                cause = "Is the line damaged, or a decimal comma used?"
                if b"\0" in field:
                    cause = "Is it a binary file (format='word2vec-binary')?"
                return (
                    f"line {number}: number {column} must be a decimal number, found "
                    f"{field[:40]!r}. {cause}"
                )
    raise AssertionError("numbers that fail together but not one by one")


def short_or_long(path: Path, line: int, width: int, found: int, way_on: str = "") -> InputError:
    """Says that a line has more or fewer numbers than others."""
    return InputError(
        f"{path}: line {line}: must hold {width} numbers, found {found}. Is the line cut, or are "
        f"two joined?{way_on}"
    )


def read(file: BinaryIO, reading: Reading, rows: int, width: int, *, first: int) -> WordVectors:
    """Reads the rest of an open file as rows "word number number ...".

    White space between them is spaces or tabs. A word may hold some: the last D fields are the
    numbers, and what stands before them, but for the last white space, is the word.

    Args:
      file: The open file, at its first row.
      reading: Its name, and what is forgiven.
      rows: The number of rows that must follow, V; the table is allocated for them.
      width: Numbers in each, D.
      first: The number of the first row's line.

    Raises:
      InputError: for more or fewer rows, a line of more or fewer numbers, and whatever `floats`
        and `Reading` refuse.
    """
    words: list[str | None] = []
    vectors = np.empty((rows, width), np.float32)
    for lines in blocks(file):
        start, line = len(words), first + len(words)
        if start + len(lines) > rows:
            raise InputError(
                f"{reading.path}: line {first + rows}: one row more than the {rows} that line 1 "
                "claims. Was the file appended to, or its first line edited? lenient=True counts "
                "the rows."
            )
        raws, numbers = [], []
        for i, row in enumerate(lines):
            fields = row.split()
            if len(fields) == width + 1 and row.startswith(fields[0]):
                raws.append(fields[0])
                numbers.append(row[len(fields[0]) :])
            else:
                raw, rest = _cut(row, width, reading, line + i, start=first)
                raws.append(raw)
                numbers.append(rest)
        vectors[start : start + len(lines)] = floats(numbers, width, reading.path, line)
        found = reading.decode_rows(raws, "line", line)
        if BLANK in reading.changes:
            found = [w if row.strip() else None for w, row in zip(found, lines, strict=True)]
        words += found
    if len(words) < rows:
        raise InputError(
            f"{reading.path}: ends after line {first + len(words) - 1} with {len(words)} rows, but "
            f"line 1 claims {rows}. Was its writing or download interrupted? lenient=True reads "
            "the rows that are there."
        )
    return WordVectors(*reading.settle(words, vectors, place="line", first=first))


def _cut(row: bytes, width: int, reading: Reading, line: int, *, start: int) -> tuple[bytes, bytes]:
    """Cuts a line whose word is empty or holds white space into word and numbers."""
    path, lenient = reading.path, reading.options.lenient
    fields = row.split()
    if not fields:
        if not lenient:
            raise InputError(f"{path}: line {line}: is blank. lenient=True leaves it out.")
        reading.changes[BLANK] += 1
        return b"", b" 0" * width
    if len(fields) == width and row[:1].isspace() and is_number(fields[0]):
        begin = row.index(fields[0])
        return row[: begin - 1], row[begin:]
    if len(fields) <= width:
        raise short_or_long(path, line, width, len(fields) - 1)
    word, *rest = row.rsplit(None, width)
    inner = [is_number(field) for field in word.split()[1:]]
    # Two joined lines have all numbers of one between them; one number may be the word's, as in
    # "1 000", or one too many.
    if sum(inner) >= width or (inner and inner[-1] and not (lenient and line > start)):
        way_on = f" lenient=True takes {word[:40]!r} for a word." if sum(inner) < width else ""
        raise short_or_long(path, line, width, width + sum(inner), way_on)
    if inner and inner[-1]:
        reading.changes["words that end in a number"] += 1
    return word, b" ".join(rest)


def format_numbers(vectors: np.ndarray, separator: str) -> Iterator[bytes]:
    """Yields each row of [V, D] as text that `floats` reads back to the same float32."""
    # 9 digits always suffice for float32, and %-formatting is twice as fast as the shortest repr.
    pattern = separator.join(["%.9g"] * vectors.shape[1])
    for start in range(0, len(vectors), ROWS):
        for row in vectors[start : start + ROWS].tolist():
            yield (pattern % tuple(row)).encode()


def write(file: BinaryIO, path: Path, words: Sequence[str], vectors: np.ndarray) -> None:
    """Writes rows "word number number ..." to an open file.

    Args:
      file: The open file.
      path: Its name, for the message.
      words: [V] words.
      vectors: [V, D] float32.

    Raises:
      InputError: if a word holds white space.
    """
    for row, numbers in enumerate(format_numbers(vectors, " ")):
        file.write(b"%b %b\n" % (encode(words[row], path, row), numbers))
