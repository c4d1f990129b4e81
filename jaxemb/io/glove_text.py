"""GloVe's text format: "word number number ..." from the first line on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io import text_rows
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors


def read(path: Path) -> WordVectors:
    """Reads a file twice, to count its rows and then into one allocated table.

    A word may hold spaces, as a few of Stanford's glove.840B do (". . .", "at name@domain.com"),
    if what follows them is no number; the first line tells the width and must have no such word.

    Args:
      path: The file.

    Raises:
      InputError: if a row, a number or a word is wrong; see the message.
      OSError: if the file cannot be read.
    """
    with path.open("rb") as file:
        rows = text_rows.count(file)
        if not rows:
            raise InputError(f"{path}: the file is empty. Was its writing or download interrupted?")
        width = len(file.readline().split()) - 1
        if width < 1:
            raise InputError(
                f"{path}: line 1: must be a word and its numbers, found {width + 1} field(s). Is "
                "the file a list of words or of another format?"
            )
        file.seek(0)
        return text_rows.read(file, path, rows, width, first=1, cut=_cut)


def _cut(line: bytes, width: int) -> tuple[bytes, bytes]:
    if line.count(b" ") > width:
        fields = line.split(b" ")
        try:
            float(fields[-width - 1])
        except ValueError:
            return b" ".join(fields[:-width]), b" ".join(fields[-width:])
    return text_rows.first_field(line, width)


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
        text_rows.write(file, path, words, vectors)
