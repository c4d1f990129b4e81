"""Rows of decimal numbers in text, a bounded block at a time."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jaxemb.errors import InputError
from jaxemb.io.word_bytes import decode, encode
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors

BLOCK = 1 << 20  # bytes of text held at a time
ROWS = 1024  # rows formatted at a time


def blocks(file: BinaryIO) -> Iterator[list[bytes]]:
    """Yields the lines of an open file, about BLOCK bytes of them at a time."""
    while lines := file.readlines(BLOCK):
        yield lines


def count(file: BinaryIO) -> int:
    """Counts the lines of an open file and goes back to its beginning."""
    rows = sum(len(lines) for lines in blocks(file))
    file.seek(0)
    return rows


def floats(numbers: list[bytes], width: int, path: Path, line: int) -> np.ndarray:
    """Parses lines of numbers with white space between them.

    Args:
      numbers: [N] lines.
      width: Numbers in each, D.
      path: The file, for the message.
      line: The number of the first line, for the message.

    Returns:
      [N, D] float32. Nine significant digits give back the float32 they were written from.

    Raises:
      InputError: if a line has more or fewer numbers, or something else in it.
    """
    parsed = None
    if all(len(row.split()) == width for row in numbers):
        parsed = _parse(b" ".join(numbers))
    if parsed is None:
        raise InputError(f"{path}: {_first_fault(numbers, width, line)}")
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


def _first_fault(numbers: list[bytes], width: int, line: int) -> str:
    for number, row in enumerate(numbers, line):
        fields = row.split()
        binary = b"\0" in row or not row.isascii()
        cause = "Is it a binary file under a text file's name?" if binary else ""
        if len(fields) != width:
            cause = cause or "Is the line cut, are two joined, or has a word a space?"
            return f"line {number}: must hold {width} numbers, found {len(fields)}. {cause}"
        for column, field in enumerate(fields, 1):
            if _parse(field) is None:
                cause = cause or "Is the line damaged, or a decimal comma used?"
                return (
                    f"line {number}: number {column} must be a decimal number, found "
                    f"{field[:40]!r}. {cause}"
                )
    raise AssertionError("numbers that fail together but not one by one")


def first_field(line: bytes, width: int) -> tuple[bytes, bytes]:
    """Cuts a line into its word and its numbers."""
    word, _, numbers = line.partition(b" ")
    return word, numbers


def read(
    file: BinaryIO,
    path: Path,
    rows: int,
    width: int,
    *,
    first: int,
    cut: Callable[[bytes, int], tuple[bytes, bytes]] = first_field,
) -> WordVectors:
    """Reads the rest of an open file as rows "word number number ...".

    Args:
      file: The open file, at its first row.
      path: Its name, for the messages.
      rows: The number of rows that must follow, V; the table is allocated for them.
      width: Numbers in each, D.
      first: The number of the first row's line.
      cut: Cuts a line, given the width, into word and numbers.

    Raises:
      InputError: for more or fewer rows, and whatever `floats`, `decode` and `check` refuse.
    """
    words: list[str] = []
    vectors = np.empty((rows, width), np.float32)
    for lines in blocks(file):
        start, line = len(words), first + len(words)
        if start + len(lines) > rows:
            raise InputError(
                f"{path}: line {first + rows}: one row more than the {rows} that line 1 claims. "
                "Was the file appended to, or its first line edited?"
            )
        pairs = [cut(row, width) for row in lines]
        numbers = [pair[1] for pair in pairs]
        vectors[start : start + len(lines)] = floats(numbers, width, path, line)
        words += [decode(pair[0], path, f"line {line + i}") for i, pair in enumerate(pairs)]
    if len(words) < rows:
        raise InputError(
            f"{path}: ends after line {first + len(words) - 1} with {len(words)} rows, but line 1 "
            f"claims {rows}. Was its writing or download interrupted?"
        )
    check(words, vectors, path, place="line", first=first)
    return WordVectors(words, vectors)


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
