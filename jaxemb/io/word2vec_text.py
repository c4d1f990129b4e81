"""word2vec's text format, which is fastText's .vec too: "V D", then "word number number ..."."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.io import text_rows, word2vec_header
from jaxemb.io.reading import Reading
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors


def read(reading: Reading) -> WordVectors:
    """Reads a file into one allocated table, a block of lines at a time.

    Args:
      reading: The file, and what is forgiven; a lenient one counts the rows.

    Raises:
      InputError: if the header, a row, a number or a word is wrong; see the message.
      OSError: if the file cannot be read.
    """
    with reading.open_text() as file:
        claimed, width = word2vec_header.read(file, reading, number_bytes=2)  # a space and a digit
        rows = text_rows.count(file) if reading.options.lenient else claimed
        found = text_rows.read(file, reading, rows, width, first=2)
    rows -= reading.changes[text_rows.BLANK]
    if rows != claimed:
        reading.changes[f"rows, where line 1 claims {claimed:,}"] = rows
    return found


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
        text_rows.write(file, path, words, vectors)
