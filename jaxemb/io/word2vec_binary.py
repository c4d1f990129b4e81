"""word2vec's binary format: "V D", then word, space and D little-endian float32 for each row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io import word2vec_header
from jaxemb.io.word_bytes import decode, encode
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors

BLOCK = 1 << 20  # bytes read at a time; no word is longer


def read(path: Path) -> WordVectors:
    """Reads a file into one allocated table, a block at a time.

    Args:
      path: The file. A line feed after each row (the C program writes it, gensim doesn't) is
        skipped.

    Raises:
      InputError: if the header, a number or a word is wrong, rows are missing or bytes are left.
      OSError: if the file cannot be read.
    """
    with path.open("rb") as file:
        rows, width = word2vec_header.read(file, path, number_bytes=4)
        words: list[str] = []
        vectors = np.empty((rows, width), np.float32)
        data, start = b"", 0
        for row in range(rows):
            end = data.find(b" ", start)
            if end < 0 or end + 1 + 4 * width > len(data):
                data, start = data[start:] + file.read(BLOCK + 4 * width), 0
                end = data.find(b" ")
            place = f"row {row}, at byte {file.tell() - len(data) + start}"
            if end < 0 or end + 1 + 4 * width > len(data):
                raise InputError(
                    f"{path}: {place}: must be a word, a space and {4 * width} bytes, but "
                    f"{'the word has no end' if end < 0 else 'the file ends before'}; line 1 "
                    f"claims {rows} words. Is the file cut, or line 1 or the format another's?"
                )
            words.append(decode(data[start:end].removeprefix(b"\n"), path, place))
            vectors[row] = np.frombuffer(data, "<f4", width, end + 1)
            start = end + 1 + 4 * width
        left = data[start:] + file.read(BLOCK)
    if left not in (b"", b"\n"):
        raise InputError(
            f"{path}: bytes are left after the {rows} words that line 1 claims, from {left[:20]!r} "
            "on. Was the file appended to, or its first line edited?"
        )
    check(words, vectors, path)
    return WordVectors(words, vectors)


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
