"""Adds up some rows of a matrix of counts from a text."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from jaxemb.data.pairs import Pairs, Stretch

# Words of text read at a time, at most.
_TEXT_MOST = 1 << 20
# Occurrences of a word that are added to its row at a time, at most.
_AT_A_TIME = 1 << 14


class Block(NamedTuple):
    """Rows low..high - 1 of the result, and whether they are added up as arrays of all columns."""

    low: int
    high: int
    dense: bool


class Rows(NamedTuple):
    """Some rows of the result: the number of entries of each, then all columns and all sums."""

    lengths: np.ndarray
    columns: np.ndarray
    sums: np.ndarray


def add_up(pairs: Pairs, quarter: int, block: Block) -> Iterator[Rows]:
    """Adds up a block of rows, in four times `quarter` bytes.

    A row of a frequent word is an array of all columns. Those of rarer words are the product of a
    matrix of words by occurrences and one of occurrences by contexts. Both take a fraction of the
    time of sorting the pairs.

    Args:
      pairs: what to count.
      quarter: bytes.
      block: the rows.

    Returns:
      The rows, in order.
    """
    room = int(pairs.occurrences[block.low : block.high].sum())
    if block.dense:
        room = min(room, quarter // (8 * len(pairs.weights) + 32))
    texts = pairs.texts(min(_TEXT_MOST, quarter // pairs.text_bytes))
    found = _collect(texts, block, room, len(pairs.weights))
    return (_dense_rows if block.dense else _sparse_rows)(pairs, block.high - block.low, found)


def _collect(
    texts: Iterator[Stretch], block: Block, room: int, reach: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields occurrences of a block's words, [k] counted from its first, and contexts, [k, C]."""
    words, contexts = np.empty(room, np.int32), np.empty((room, reach), np.int32)
    filled = 0
    for text in texts:
        places = np.flatnonzero((text.words >= block.low) & (text.words < block.high))
        while len(places):
            now, places = places[: room - filled], places[room - filled :]
            here = slice(filled, filled + len(now))
            words[here], contexts[here] = text.words[now] - block.low, text.contexts(now)
            filled += len(now)
            if filled == room:
                yield words, contexts
                filled = 0
    yield words[:filled], contexts[:filled]


def _dense_rows(
    pairs: Pairs, count: int, found: Iterator[tuple[np.ndarray, np.ndarray]]
) -> Iterator[Rows]:
    """Adds up rows as arrays of all columns; the table is complete when this returns."""
    # The last column collects places without a context.
    table = np.zeros((count, pairs.columns + 1))
    for words, contexts in found:
        # Chunked so that the buffer stays below the input's size.
        at_a_time = min(_AT_A_TIME, len(words) // 8 + 1)
        weights = np.tile(pairs.weights, at_a_time)
        # Two bytes, where they suffice, are sorted by radix: faster.
        order = np.argsort(words.astype(np.min_scalar_type(count)), kind="stable")
        ends = np.bincount(words, minlength=count).cumsum()
        for row, end in enumerate(ends):
            for start in range(ends[row - 1] if row else 0, end, at_a_time):
                of_word = contexts[order[start : min(start + at_a_time, end)]].ravel()
                # Like np.bincount, which would block other threads.
                whole = csr_array(
                    (weights[: of_word.size], of_word, np.array([0, of_word.size], np.int32)),
                    shape=(1, pairs.columns + 1),
                )
                table[row] += whole.toarray()[0]
    return _of_table(table[:, :-1])


def _of_table(table: np.ndarray) -> Iterator[Rows]:
    """Yields the rows of a table without zeros."""
    for row in table:
        columns = np.flatnonzero(row > 0)
        yield Rows(np.array([len(columns)]), columns, row[columns])


def _sparse_rows(
    pairs: Pairs, count: int, found: Iterator[tuple[np.ndarray, np.ndarray]]
) -> Iterator[Rows]:
    """Adds up rows of few entries."""
    words, contexts = next(found)
    every = np.arange(len(words) + 1)
    whose = csr_array((np.ones(len(words)), (words, every[:-1])), shape=(count, len(words)))
    of_each = csr_array(
        (np.tile(pairs.weights, len(words)), contexts.ravel(), every * len(pairs.weights)),
        shape=(len(words), pairs.columns + 1),
    )
    rows = whose @ of_each
    del of_each
    rows.sort_indices()
    kept = (rows.indices < pairs.columns) & (rows.data > 0)
    lengths = np.diff(np.append(0, kept.cumsum())[rows.indptr])
    return iter([Rows(lengths, rows.indices[kept], rows.data[kept])])
