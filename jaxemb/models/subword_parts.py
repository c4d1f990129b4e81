"""Which rows of a table in training each word is composed of."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError
from jaxemb.models.subword_table import SubwordTable, word_rows

CHUNK = 4  # rows of a word that are read and written together; words have about 25


class Parts(NamedTuple):
    """Which rows of the table in training each word is composed of.

    That table has rows only for buckets in use, the most used first: the rows of a step are then
    close together, which saves a third of its time. Other buckets stay zero, so that an n-gram
    without training adds no noise to the vector of an unknown word.

    Attributes:
      chunks: [N, CHUNK] int32 rows, word after word; R, which no row has, fills the last of each.
      first: [V + 2] int32, where the chunks of each word begin and the last one's end; an id of V
        has none.
      sizes: [V + 1] float32, the rows of each word; 1 for an id of V.
      buckets: [R - V] the bucket of each row after the words'.
    """

    chunks: np.ndarray
    first: np.ndarray
    sizes: np.ndarray
    buckets: np.ndarray

    @property
    def rows(self) -> int:
        """R, the rows of the table."""
        return len(self.first) - 2 + len(self.buckets)


def cut(words: Sequence[str], *, shortest: int, longest: int, buckets: int) -> Parts:
    """Cuts the words of a vocabulary into n-grams, all of them, however long the word.

    Args:
      words: V words.
      shortest: characters in an n-gram, at least; < before and > behind the word count.
      longest: characters, at most.
      buckets: numbers that n-grams are hashed to.

    Returns:
      The rows.

    Raises:
      InputError: if no n-gram can be, or there is no bucket.
    """
    if not 1 <= shortest <= longest or buckets < 1:
        raise InputError(
            f"n-grams need 1 <= shortest <= longest and a bucket, found shortest = {shortest}, "
            f"longest = {longest}, buckets = {buckets}"
        )
    size = len(words)
    known = {word: row for row, word in enumerate(words)}
    rows, owners = word_rows(words, known, shortest=shortest, longest=longest, buckets=buckets)
    pieces = rows >= size
    used, place, count = np.unique(rows[pieces], return_inverse=True, return_counts=True)
    order = np.argsort(-count, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    rows[pieces] = size + rank[place]

    sizes = np.bincount(owners, minlength=size)
    first = np.concatenate([[0], np.cumsum(-(-sizes // CHUNK))])
    chunks = np.full((first[-1], CHUNK), size + len(used), np.int32)
    nth = np.arange(len(rows)) - (np.cumsum(sizes) - sizes)[owners]
    chunks[first[owners] + nth // CHUNK, nth % CHUNK] = rows
    return Parts(
        chunks,
        np.append(first, first[-1]).astype(np.int32),
        np.append(sizes, 1).astype(np.float32),
        used[order] - size,
    )


def subword_table(
    words: Sequence[str],
    parts: Parts,
    rows: np.ndarray,
    *,
    shortest: int,
    longest: int,
    buckets: int,
) -> SubwordTable:
    """Moves the rows in training to the places of their buckets.

    Args:
      words: V words.
      parts: from `cut`.
      rows: [R, D] float32.
      shortest: as for `cut`.
      longest: as for `cut`.
      buckets: as for `cut`.

    Returns:
      The table; zeros in buckets that no word uses.
    """
    placed = np.zeros((len(words) + buckets, rows.shape[1]), np.float32)
    placed[: len(words)] = rows[: len(words)]
    placed[len(words) + parts.buckets] = rows[len(words) :]
    return SubwordTable(list(words), placed, shortest, longest)
