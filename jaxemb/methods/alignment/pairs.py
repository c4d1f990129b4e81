"""Pairs of words as rows of both languages."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.io.word_vectors import WordVectors

_logger = logging.getLogger("jaxemb")


def rows_of(
    source: WordVectors, target: WordVectors, pairs: Iterable[tuple[str, str]]
) -> np.ndarray:
    """Returns the rows [P, 2] of pairs of words.

    A word without a vector is sought in lower case, too. Pairs that still lack one are left out.
    Both are told.

    Raises:
      InputError: if a pair is none, or none has vectors.
    """
    rows, unknown, total, lowered = [], [], 0, 0
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:
            raise InputError(f"pairs must be (source word, target word), found {pair!r:.80}")
        total += 1
        exact = source.row(pair[0]), target.row(pair[1])
        found = tuple(
            words.row(word.lower()) if row is None and isinstance(word, str) else row
            for words, word, row in zip((source, target), pair, exact, strict=True)
        )
        if None in found:
            unknown.append(pair[found[0] is not None])
        else:
            rows.append(found)
            lowered += found != exact
    if not rows:
        examples = list(dict.fromkeys(unknown))[:3]
        raise InputError(
            f"none of {total:,} pairs has vectors for both words, e.g. not {examples}; are the "
            "languages the other way round?"
        )
    if lowered:
        _logger.info(f"{lowered:,} of {total:,} pairs have vectors in lower case only")
    if unknown:
        _logger.info(
            f"{len(unknown):,} of {total:,} pairs are left out: no vector for "
            f"{', '.join(map(str, unknown[:3]))}"
        )
    return np.unique(np.array(rows, np.int32), axis=0)


def check_words(words: Any, name: str) -> None:
    """Refuses what are no finite vectors of at least two words.

    Raises:
      InputError: naming the language.
    """
    if not isinstance(words, WordVectors):
        raise InputError(
            f"{name} must be jaxemb.io.WordVectors, found {type(words).__name__}; jaxemb.io.read "
            "reads a file of them"
        )
    checks.check_points(words.vectors, at_least=2, name=f"vectors of the {name}")
    if (words.vectors == words.vectors[:1]).all():
        raise InputError(f"vectors of the {name} must differ, found all alike")


def check_asked(words: Sequence[str], there: WordVectors, k: int) -> None:
    """Refuses what is no list of words, and more translations than there are words.

    Raises:
      InputError: naming the argument.
    """
    if isinstance(words, str):
        raise InputError(f"words must be a list of words, found one string: [{words!r:.80}]")
    if not 1 <= k <= len(there):
        raise InputError(f"k must be from 1 to {len(there)}, the words there, found {k}")
