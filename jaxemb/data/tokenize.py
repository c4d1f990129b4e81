"""Splits text into words."""

import functools
import re
import unicodedata
from collections.abc import Callable

Tokenizer = Callable[[str], list[str]]
"""Text, cut at white space, to its words; no word is empty or contains white space."""


def words(text: str) -> list[str]:
    """Lower-cases text and returns its runs of letters, digits and combining marks.

    A single apostrophe or underscore inside a run is kept (don't, object_hook); the typographic
    apostrophe becomes the plain one. All else separates words.

    Args:
      text: any text in Unicode NFC.

    Returns:
      The words, in order.
    """
    pattern = _ASCII_WORD if text.isascii() else _unicode_word()
    return pattern.findall(text.lower().replace("\u2019", "'"))


_ASCII_WORD = re.compile(r"[a-z0-9]+(?:['_][a-z0-9]+)*")


@functools.cache
def _unicode_word() -> re.Pattern[str]:
    # The class \w lacks combining marks, without which e.g. Hindi falls to pieces. All marks lie
    # in the first two planes but for the variation selectors.
    marks = (chr(c) for c in range(0x300, 0x20000) if unicodedata.category(chr(c))[0] == "M")
    run = rf"(?:[^\W_][{''.join(marks)}\U000e0100-\U000e01ef]*)+"
    return re.compile(rf"{run}(?:['_]{run})*")
