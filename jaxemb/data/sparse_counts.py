"""Adds up pairs of a word and one of its contexts, in memory that the user sets, to a matrix."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from jaxemb.errors import InputError
from jaxemb.progress import progress_bar

# Words of text at a time, and at least: fewer would be read mostly for what surrounds them.
_TEXT_MOST, _TEXT_LEAST = 1 << 20, 1 << 12
# Words of text at a time that are worth a thread: with fewer, they wait for the interpreter.
_TEXT_SHARE = 1 << 18
# Bytes of a pair while a sparse row is added up: what is collected and what comes out.
_PAIR_BYTES = 32
# Parts of the work, at least, that threads share.
_PARTS = 8
# Occurrences of a word that are added to its row at a time, at most.
_AT_A_TIME = 1 << 14
# Up to here, float64 holds every whole number.
LARGEST_EXACT = 2**53
# Entries that are looked at at a time: they may be more than fit in memory.
_LOOK = 1 << 22


class Text(NamedTuple):
    """A stretch of text.

    Attributes:
      words: [M] int32 ids; from the number of rows on they are left out.
      contexts: [k] places in `words` -> [k, C] int32 columns; the number of columns for none.
    """

    words: np.ndarray
    contexts: Callable[[np.ndarray], np.ndarray]


class Pairs(NamedTuple):
    """What is counted.

    Attributes:
      occurrences: [R] of each word, descending.
      columns: different contexts.
      weights: [C] float64, whole numbers: what each of a word's contexts counts; 0 for none.
      unit: what 1 stands for in the weights.
      texts: number of words to read at a time -> the corpus, from its start.
      text_bytes: memory that a word of the text takes meanwhile.
    """

    occurrences: np.ndarray
    columns: int
    weights: np.ndarray
    unit: int
    texts: Callable[[int], Iterator[Text]]
    text_bytes: int


class _Block(NamedTuple):
    """Rows low..high - 1 of the result, and whether they are added up in arrays of all columns."""

    low: int
    high: int
    dense: bool


class _Rows(NamedTuple):
    """Some rows of the result: the entries of each, then all columns and all sums."""

    lengths: np.ndarray
    columns: np.ndarray
    sums: np.ndarray


def check_memory(pairs: Pairs, memory_limit: int) -> None:
    """Refuses a memory limit that is too small to count in.

    Args:
      pairs: what to count.
      memory_limit: in bytes.

    Raises:
      InputError: naming what is needed.
    """
    least = max(8 * _row_bytes(pairs), 4 * _TEXT_LEAST * pairs.text_bytes)
    if memory_limit < least:
        raise InputError(
            f"a memory limit of {memory_limit / 1e6:,.1f} MB is too small to count in: "
            f"{least / 1e6:,.1f} MB are needed for a row of {pairs.columns:,} columns and a "
            "stretch of text"
        )


def count(pairs: Pairs, folder: Path, *, memory_limit: int, progress: bool = False) -> csr_array:
    """Adds up weights, a block of rows at a time, for each of which the corpus is read anew.

    A row of a frequent word is an array of all columns. Those of rarer words are the product of a
    matrix that says whose each occurrence is, and one that has a row for each occurrence. Both
    take a fraction of the time of sorting the pairs, and no block needs another's: each core adds
    up one, in its share of the memory, unless that is too little.

    Args:
      pairs: what to count.
      folder: gets the files that the result is mapped from; it must exist.
      memory_limit: bytes that counting may take beside vocabulary and result.
      progress: show a bar on standard error.

    Returns:
      [R, columns] float64, sorted, on disk but for its row pointers. Every sum is exact, in whole
      units, and rounded once: it doesn't depend on the memory.

    Raises:
      InputError: if the memory is too little, or a sum is too large to be exact.
    """
    check_memory(pairs, memory_limit)
    threads = max(1, min(os.cpu_count() or 1, memory_limit // (4 * _TEXT_SHARE * pairs.text_bytes)))
    quarter = memory_limit // threads // 4
    lengths, done = [np.zeros(1, np.int64)], 0
    with (
        (folder / "columns").open("wb") as columns_file,
        (folder / "values").open("wb") as values_file,
        progress_bar(
            desc="counting",
            total=int(pairs.occurrences.sum()),
            unit=" words",
            unit_scale=True,
            disable=not progress,
        ) as bar,
    ):
        add_up = partial(_add_up, pairs, quarter)
        for rows in _in_order(add_up, _blocks(pairs, 2 * quarter), threads):
            if (largest := rows.sums.max(initial=0)) >= LARGEST_EXACT:
                raise InputError(
                    f"a sum of {largest / pairs.unit:,.0f} is too large to be exact in float64 "
                    f"as a multiple of 1/{pairs.unit:,}; take a smaller window, or flat weights"
                )
            lengths.append(rows.lengths)
            rows.columns.astype(np.int32, copy=False).tofile(columns_file)
            (rows.sums / pairs.unit).tofile(values_file)
            begun, done = done, done + len(rows.lengths)
            bar.update(int(pairs.occurrences[begun:done].sum()))
    ends = np.concatenate(lengths).cumsum()
    # SciPy wants one type for both, and would copy the columns.
    if ends[-1] < 1 << 31:
        ends = ends.astype(np.int32)
    columns, values = (
        np.memmap(folder / name, kind, "r") if ends[-1] else np.empty(0, kind)
        for name, kind in (("columns", np.int32), ("values", np.float64))
    )
    return csr_array((values, columns, ends), shape=(len(pairs.occurrences), pairs.columns))


def check_counts(counts: csr_array) -> None:
    """Refuses counts that are none.

    Args:
      counts: read in blocks.

    Raises:
      InputError: naming the first that is negative or not finite.
    """
    for start in range(0, counts.nnz, _LOOK):
        values = counts.data[start : start + _LOOK]
        # Written so that NaN fails.
        good = (values >= 0) & (values < np.inf)
        if not good.all():
            first = int(np.argmin(good))
            row = int(np.searchsorted(counts.indptr, start + first, "right")) - 1
            raise InputError(
                f"counts: entry ({row}, {counts.indices[start + first]}) is {values[first]}, must "
                f"be finite and at least 0; {int((~good).sum())} such entries"
            )


def _blocks(pairs: Pairs, most: int) -> Iterator[_Block]:
    """Yields as many rows as fit, and are no large part of the work."""
    # An occurrence takes about as much as two pairs.
    sparse_bytes = _PAIR_BYTES * (len(pairs.weights) + 2) * pairs.occurrences
    dense = int(np.count_nonzero(sparse_bytes >= _row_bytes(pairs)))
    shares = np.maximum(
        np.minimum(sparse_bytes, _row_bytes(pairs)) / most,
        _PARTS * pairs.occurrences / pairs.occurrences.sum(),
    )
    ends = shares.cumsum()
    low = 0
    while low < len(ends):
        high = int(np.searchsorted(ends, (ends[low - 1] if low else 0) + 1, "right"))
        high = min(max(high, low + 1), dense if low < dense else len(ends))
        yield _Block(low, high, high <= dense)
        low = high


def _row_bytes(pairs: Pairs) -> int:
    """A row of all columns, and one for no context."""
    return 8 * (pairs.columns + 1)


def _in_order(
    add_up: Callable[[_Block], Iterator[_Rows]], blocks: Iterable[_Block], threads: int
) -> Iterator[_Rows]:
    """Yields what threads add up; each has one block at a time, which may wait to be read."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Iterator[_Rows]]] = deque()
        for block in blocks:
            if len(waiting) == threads:
                yield from waiting.popleft().result()
            waiting.append(pool.submit(add_up, block))
        while waiting:
            yield from waiting.popleft().result()


def _add_up(pairs: Pairs, quarter: int, block: _Block) -> Iterator[_Rows]:
    """Returns a block's rows, in four times `quarter` bytes."""
    room = int(pairs.occurrences[block.low : block.high].sum())
    if block.dense:
        room = min(room, quarter // (8 * len(pairs.weights) + 32))
    texts = pairs.texts(min(_TEXT_MOST, quarter // pairs.text_bytes))
    found = _collect(texts, block, room, len(pairs.weights))
    return (_dense_rows if block.dense else _sparse_rows)(pairs, block.high - block.low, found)


def _collect(
    texts: Iterator[Text], block: _Block, room: int, reach: int
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
) -> Iterator[_Rows]:
    """Adds to rows that hold all columns; the table is full when this returns."""
    # The last column is that of no context.
    table = np.zeros((count, pairs.columns + 1))
    for words, contexts in found:
        # Of a word's occurrences so many at a time that they take less than what was collected.
        at_a_time = min(_AT_A_TIME, len(words) // 8 + 1)
        weights = np.tile(pairs.weights, at_a_time)
        # In two bytes, where they fit, words are sorted by their digits.
        order = np.argsort(words.astype(np.min_scalar_type(count)), kind="stable")
        ends = np.bincount(words, minlength=count).cumsum()
        for row, end in enumerate(ends):
            for start in range(ends[row - 1] if row else 0, end, at_a_time):
                of_word = contexts[order[start : min(start + at_a_time, end)]].ravel()
                # As np.bincount, which would keep other threads waiting.
                whole = csr_array(
                    (weights[: of_word.size], of_word, np.array([0, of_word.size], np.int32)),
                    shape=(1, pairs.columns + 1),
                )
                table[row] += whole.toarray()[0]
    return _of_table(table[:, :-1])


def _of_table(table: np.ndarray) -> Iterator[_Rows]:
    """Yields its rows without what is 0."""
    for row in table:
        columns = np.flatnonzero(row > 0)
        yield _Rows(np.array([len(columns)]), columns, row[columns])


def _sparse_rows(
    pairs: Pairs, count: int, found: Iterator[tuple[np.ndarray, np.ndarray]]
) -> Iterator[_Rows]:
    """Adds up rows that hold few columns."""
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
    return iter([_Rows(lengths, rows.indices[kept], rows.data[kept])])
