"""The first line of word2vec's text and binary files: the number of words and the width."""

import os
import re
from typing import BinaryIO

from jaxemb.errors import InputError
from jaxemb.io.reading import Reading

HEADER = re.compile(rb"\s*(-?\d{1,18})\s+(-?\d{1,18})\s*")
LONGEST = 64  # bytes; HEADER fits, and a file without lines is not read whole


def read(file: BinaryIO, reading: Reading, number_bytes: int) -> tuple[int, int]:
    """Reads "V D" and holds it against the size of the file, before anything is allocated.

    Args:
      file: The open file, at its beginning; left after the header.
      reading: What is forgiven; a lenient one of any V.
      number_bytes: The fewest bytes that one number takes in this format.

    Returns:
      The number of words V and the width D, both at least 1.

    Raises:
      InputError: if there is no such line, V or D is below 1 or the file is too small for them.
    """
    path, lenient = reading.path, reading.options.lenient
    size = os.fstat(file.fileno()).st_size
    if not size:
        raise InputError(f"{path}: the file is empty. Was its writing or download interrupted?")
    line = file.readline(LONGEST)
    match = HEADER.fullmatch(line)
    if not match:
        raise InputError(
            f"{path}: line 1 must be 'WORDS WIDTH', two integers, found {line[:40]!r}. Is it GloVe "
            "text, which has no such line (format='glove'), or another format?"
        )
    rows, width = int(match[1]), int(match[2])
    if width < 1 or (rows < 1 and not lenient):
        raise InputError(
            f"{path}: line 1 claims {rows} words of width {width}, both must be at least 1. Is the "
            "file damaged? lenient=True counts the words."
        )
    # A word of one byte, its separator and the numbers; the last line may lack its end.
    least = len(line) + (1 if lenient else rows) * (2 + width * number_bytes) - 1
    if size < least:
        raise InputError(
            f"{path}: line 1 claims {rows} words of width {width}, which take at least {least} "
            f"bytes, but the file has {size}. Was its writing or download interrupted? "
            "lenient=True reads the words that are there."
        )
    return rows, width
