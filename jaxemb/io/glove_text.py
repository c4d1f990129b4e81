"""GloVe's text format: "word number number ..." from the first line on."""

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io import text_rows
from jaxemb.io.reading import Reading
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors

LINES = 100  # looked at to know the width


def read(reading: Reading) -> WordVectors:
    """Reads a file twice, to count its rows and then into one allocated table.

    A word may hold spaces, as a few of Stanford's glove.840B do (". . .", "at name@domain.com"):
    as many numbers belong to each as most of the first lines have.

    Args:
      reading: The file, and what is forgiven.

    Raises:
      InputError: if a row, a number or a word is wrong; see the message.
      OSError: if the file cannot be read.
    """
    path = reading.path
    with reading.open_text() as file:
        rows = text_rows.count(file)
        if not rows:
            raise InputError(f"{path}: the file is empty. Was its writing or download interrupted?")
        width = _width(file)
        if width < 1:
            raise InputError(
                f"{path}: line 1: must be a word and its numbers, found {width + 1} field(s). Is "
                "the file a list of words or of another format?"
            )
        return text_rows.read(file, reading, rows, width, first=1)


def _width(file: BinaryIO) -> int:
    here = file.tell()
    rows = [fields for line in itertools.islice(file, LINES) if (fields := line.split())]
    file.seek(here)
    numbers = Counter(
        sum(1 for _ in itertools.takewhile(text_rows.is_number, reversed(fields[1:])))
        for fields in rows
    )
    # Where training diverged, nan stands for numbers.
    return numbers.most_common(1)[0][0] or len(rows[0]) - 1 if rows else 0


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
