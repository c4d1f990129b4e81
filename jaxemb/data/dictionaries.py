"""Dictionaries: words or sentences of one language and their translations."""

from pathlib import Path

from jaxemb.data.compressed import read_blocks
from jaxemb.data.text_files import decode
from jaxemb.errors import InputError


def read_dictionary(path: Path) -> list[tuple[str, str]]:
    """Reads pairs of words, one a line, with a tab or blanks between them.

    Where there is a tab, words may have blanks in them, and be sentences. A word may have several
    lines. Blank lines and what follows a second tab are left alone.

    Args:
      path: the file, in UTF-8, plain or compressed.

    Returns:
      The pairs, in the order of the file.

    Raises:
      InputError: if a line is no pair, or there is none.
      OSError: if the file cannot be read.
    """
    text = decode(b"".join(part for part, _ in read_blocks(path)), path).removeprefix("\ufeff")
    pairs = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        words = [word.strip() for word in line.split("\t")[:2]] if "\t" in line else line.split()
        if len(words) != 2 or not all(words):
            raise InputError(
                f"{path}: line {number}: expected a word and its translation, with a tab or a "
                f"blank between them, found {line.strip()[:80]!r}"
            )
        pairs.append((words[0], words[1]))
    if not pairs:
        raise InputError(f"{path}: has no pair of words")
    return pairs
