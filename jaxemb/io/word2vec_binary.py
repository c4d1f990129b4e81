"""word2vec's binary format: "V D", then word, space and D little-endian float32 for each row."""

import mmap
import re
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io import word2vec_header
from jaxemb.io.reading import Reading
from jaxemb.io.word_bytes import encode
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors

LONGEST = 1 << 20  # bytes of a word
LARGEST = 1e10  # letters taken for a number, or bytes of two numbers for one, are likely larger

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FindEnd = Callable[[mmap.mmap, int, int, str], int]


def read(reading: Reading) -> WordVectors:
    """Reads a file into one allocated table.

    A space ends a word, and yet a word may hold some, as Gensim's phrases do; then the next word
    begins among numbers. So where a word is empty, can't be decoded or has control characters, or
    a number is huge, another reading is tried, in which a word ends at the first space behind which
    numbers and another word make sense.

    Args:
      reading: The file, and what is forgiven; a lenient one counts the rows. A line feed after each
        row (the C program writes it, Gensim doesn't) is skipped.

    Raises:
      InputError: if the header, a number or a word is wrong, rows are missing or bytes are left.
      OSError: if the file cannot be read.
    """
    with reading.source.open("rb") as file:
        claimed, width = word2vec_header.read(file, reading, number_bytes=4)
        start = file.tell()
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    found, refused, count = None, None, claimed  # type: WordVectors | None, InputError | None, int
    try:
        rows = _find_rows(data, start, claimed, width, reading, _first_space)
        count = len(rows[0])
        found, sensible = _read_rows(data, *rows, claimed, width, reading)
        if sensible:
            return found
    except InputError as error:
        refused = error
    changes = reading.changes.copy()
    reading.changes.clear()
    try:
        others = _find_rows(data, start, claimed, width, reading, _space_that_fits)
        if len(others[0]) == count:
            return _read_rows(data, *others, claimed, width, reading)[0]
    except InputError:
        pass
    if found is None:
        assert refused is not None
        raise refused
    reading.changes.clear()
    reading.changes.update(changes)
    return found


def _read_rows(
    data: mmap.mmap, begins: array, ends: array, claimed: int, width: int, reading: Reading
) -> tuple[WordVectors, bool]:
    """Returns also whether all words and numbers look like such."""
    words: list[str | None] = []
    vectors = np.empty((len(ends), width), np.float32)
    for row, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        raw = data[begin:end]
        try:
            words.append(raw.decode(reading.options.encoding))
        except UnicodeDecodeError:
            words.append(reading.decode(raw, f"row {row}, at byte {begin}"))
        vectors[row] = np.frombuffer(data, "<f4", width, end + 1)
    sensible = not reading.changes and "" not in words
    if len(ends) != claimed:
        reading.changes[f"rows, where line 1 claims {claimed:,}"] = len(ends)
    found = WordVectors(*reading.settle(words, vectors))
    sensible &= bool(found.vectors.min() > -LARGEST and found.vectors.max() < LARGEST)
    return found, sensible and not any(map(_CONTROL.search, found.words))


def _find_rows(
    data: mmap.mmap, start: int, claimed: int, width: int, reading: Reading, find_end: _FindEnd
) -> tuple[array, array]:
    """Returns where each word begins and ends."""
    path, options, size = reading.path, reading.options, len(data)
    begins, ends = array("q"), array("q")
    while start < size and (options.lenient or len(ends) < claimed):
        start += data[start] == ord("\n")
        end = find_end(data, start, width, options.encoding)
        if end < 0 or end + 1 + 4 * width > size:
            break
        begins.append(start)
        ends.append(end)
        start = end + 1 + 4 * width
    left = data[start : start + 20].strip(b"\r\n")
    if len(ends) < claimed and not (options.lenient and not left):
        fault = "the word has no end" if left and data.find(b" ", start) < 0 else ""
        raise InputError(
            f"{path}: row {len(ends)}, at byte {start}: must be a word, a space and {4 * width} "
            f"bytes, but {fault or 'the file ends before'}; line 1 claims {claimed} words. Is the "
            "file cut, or line 1 or the format another's?"
            + ("" if left else " lenient=True reads the words that are there.")
        )
    if left:
        raise InputError(
            f"{path}: bytes are left after the {len(ends)} words that line 1 claims, from {left!r} "
            "on. Was the file appended to, or its first line edited? lenient=True counts the words."
        )
    return begins, ends


def _first_space(data: mmap.mmap, start: int, width: int, encoding: str) -> int:
    return data.find(b" ", start, start + LONGEST)


def _space_that_fits(data: mmap.mmap, start: int, width: int, encoding: str) -> int:
    end = start  # the word isn't empty
    while (end := data.find(b" ", end + 1, start + 1000)) >= 0:
        after = end + 1 + 4 * width
        if after > len(data):
            break
        numbers = np.frombuffer(data, "<f4", width, end + 1)
        # NaN fails this comparison.
        if np.abs(numbers).max() < LARGEST and _looks_like_a_word(data, after, encoding):
            return end
    return -1


def _looks_like_a_word(data: mmap.mmap, start: int, encoding: str) -> bool:
    piece = data[start : start + 1000].removeprefix(b"\n")
    try:
        word = piece[: piece.find(b" ", 1) + 1].decode(encoding)
    except UnicodeDecodeError:
        return False
    return not piece.strip() or (word != "" and not _CONTROL.search(word))


def write(path: Path, words: Sequence[str], vectors: np.ndarray) -> None:
    """Writes a file; what stood there before stays until the new one is whole.

    Args:
      path: The file.
      words: [V] unique words without white space.
      vectors: [V, D] finite float32; they are read back bit for bit.

    Raises:
      InputError: if words or vectors are not so.
      OSError: if the file cannot be written.
    """
    check(words, vectors, path)
    with replacing(path) as part, part.open("wb") as file:
        file.write(b"%d %d\n" % vectors.shape)
        for row, vector in enumerate(vectors):
            file.write(encode(words[row], path, row) + b" " + vector.astype("<f4").tobytes())
