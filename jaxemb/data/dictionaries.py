"""Dictionaries: words or sentences of one language and their translations."""

import logging
from pathlib import Path

from jaxemb.data.text_files import read_lines
from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")


def read_dictionary(path: Path) -> list[tuple[str, str]]:
    """Reads pairs of words, one a line, with a tab or blanks between them.

    In a file with tabs, words may have blanks in them, and be sentences. A word may have several
    lines. Blank lines and what follows a second tab are left out, which is logged; quotes mean
    nothing.

    Args:
      path: the file, in UTF-8, plain or compressed.

    Returns:
      The pairs, in the order of the file.

    Raises:
      InputError: if a line is no pair, or there is none.
      OSError: if the file cannot be read.
    """
    pairs = []
    blank = longer = 0
    lines = read_lines(path)
    between = "\t" if any("\t" in line for line in lines) else None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            blank += 1
            continue
        words = [word.strip() for word in line.split(between)]
        if len(words) < 2 or not all(words[:2]) or (between is None and len(words) > 2):
            what = "a tab" if between else "a tab or a blank"
            raise InputError(
                f"{path}: line {number}: expected a word and its translation, or two sentences, "
                f"with {what} between them, found {line.strip()[:80]!r}"
            )
        longer += len(words) > 2
        pairs.append((words[0], words[1]))
    for count, what in ((blank, "blank lines"), (longer, "texts after a second tab")):
        if count:
            _logger.info(f"{path}: {what} left out: {count:,}")
    if not pairs:
        raise InputError(f"{path}: has no pair of words or sentences")
    return pairs
