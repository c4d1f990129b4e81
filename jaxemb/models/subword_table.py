"""Word vectors composed of those of character n-grams, for unknown words, too."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError
from jaxemb.models.subwords import subwords

# The token that fastText puts at the end of a line has no n-grams.
END_OF_LINE = "</s>"
AT_A_TIME = 1024  # words in a block


class SubwordTable(NamedTuple):
    """The vectors of words and of n-grams, as in fastText's models.

    Attributes:
      words: V words.
      rows: [V + buckets, D] float32, a row for each word, then for each bucket of n-grams.
      shortest: characters in an n-gram, at least; < before and > behind the word count.
      longest: characters, at most; 0 for no n-grams.
    """

    words: list[str]
    rows: np.ndarray
    shortest: int
    longest: int


def has_ngrams(word: str, *, shortest: int, longest: int) -> bool:
    """Returns whether a word has n-grams of these lengths, and so needs no row of its own."""
    return word != END_OF_LINE and shortest <= min(longest, len(word) + 2)


def word_rows(
    words: Sequence[str], known: Mapping[str, int], *, shortest: int, longest: int, buckets: int
) -> tuple[np.ndarray, np.ndarray]:
    """Lists the rows of a table whose mean is the vector of each word.

    Args:
      words: N words.
      known: the row of each word that has one of its own; V of them.
      shortest: as for `subwords`.
      longest: as for `subwords`.
      buckets: number of buckets; 0 for none.

    Returns:
      [S] int64, word after word: its own row, if it has one, then V + the bucket of each of its
      n-grams, those that it has twice twice. And [S] int64, ascending: which word each belongs to.
    """
    pieces = subwords(words, shortest=shortest, longest=longest if buckets else 0, buckets=buckets)
    kept = np.array([word != END_OF_LINE for word in words], bool)[pieces.words]
    own = np.array([known.get(word, -1) for word in words], np.int64)
    has_own = np.flatnonzero(own >= 0)
    rows = np.concatenate([own[has_own], len(known) + pieces.buckets[kept]])
    owners = np.concatenate([has_own, pieces.words[kept]])
    order = np.argsort(owners, kind="stable")
    return rows[order], owners[order]


def word_vectors(table: SubwordTable, words: Sequence[str]) -> np.ndarray:
    """Composes the vectors of words: the mean of a word's rows, in double precision.

    Args:
      table: made of V words.
      words: N words; one that isn't in the table is the mean of its n-grams alone.

    Returns:
      [N, D] float32.

    Raises:
      InputError: naming an unknown word that has no n-grams.

    Reference:
      Bojanowski et al. 2017, arXiv:1607.04606, section 3.2, whose sum is a mean in fastText's code.
    """
    known = {word: row for row, word in enumerate(table.words)}
    vectors = np.empty((len(words), table.rows.shape[1]), np.float32)
    for first in range(0, len(words), AT_A_TIME):
        some = words[first : first + AT_A_TIME]
        rows, owners = word_rows(
            some,
            known,
            shortest=table.shortest,
            longest=table.longest,
            buckets=len(table.rows) - len(known),
        )
        counts = np.bincount(owners, minlength=len(some))
        if not counts.all():
            raise InputError(
                f"the word {some[int(np.argmin(counts))]!r} is not among the {len(known):,} words "
                f"and has no n-grams of {table.shortest} to {table.longest} characters"
            )
        sums = np.add.reduceat(table.rows[rows].astype(np.float64), np.cumsum(counts) - counts)
        vectors[first : first + len(some)] = sums / counts[:, None]
    return vectors
