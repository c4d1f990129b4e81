"""A sparse matrix of how often words and contexts occur together, in bounded memory."""

import os
import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from jaxemb.data.count_rows import Block, Rows, add_up
from jaxemb.data.pairs import LARGEST_EXACT, Pairs
from jaxemb.errors import InputError
from jaxemb.progress import progress_bar

# Words of text read at a time, at least: with fewer, most reading is of what surrounds them.
_TEXT_LEAST = 1 << 12
# Words of text at a time that are worth a thread: with fewer, threads wait for the interpreter.
_TEXT_SHARE = 1 << 18
# Bytes of a pair while a sparse row is added up: what is collected and what results.
_PAIR_BYTES = 32
# Parts of the work, at least, that threads share.
_PARTS = 8
# Entries checked at a time: all may not fit in memory.
_CHECKED = 1 << 22


def check_memory(pairs: Pairs, memory_limit: int) -> None:
    """Refuses a memory limit below what counting needs.

    Args:
      pairs: what to count.
      memory_limit: in bytes.

    Raises:
      InputError: naming the memory needed.
    """
    least = max(8 * _row_bytes(pairs), 4 * _TEXT_LEAST * pairs.text_bytes)
    if memory_limit < least:
        raise InputError(
            f"memory_limit of {memory_limit / 1e6:,.1f} MB is too small to count in: "
            f"{least / 1e6:,.1f} MB are needed for a row of {pairs.columns:,} columns and a "
            "stretch of text"
        )


def count(
    pairs: Pairs, folder: Path | None = None, *, memory_limit: int, progress: bool = False
) -> csr_array:
    """Adds up weights, a block of rows at a time, reading the corpus anew for each.

    Blocks are independent: each core adds up one, in its share of the memory, unless that is too
    little.

    Args:
      pairs: what to count.
      folder: gets the files that the result is mapped from; it must exist. None makes one among
        the system's temporary files, which is removed when the result isn't needed any more.
      memory_limit: bytes that counting may take beside vocabulary and result.
      progress: show a bar on standard error.

    Returns:
      [R, columns] float64, sorted, on disk but for its row pointers. Every sum is exact, in whole
      units, and rounded once: it doesn't depend on the memory.

    Raises:
      InputError: if the memory is too little, or a sum is too large to be exact.
    """
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="jaxemb_counts_"))
        try:
            counts = count(pairs, folder, memory_limit=memory_limit, progress=progress)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        weakref.finalize(counts, shutil.rmtree, folder, ignore_errors=True)
        return counts
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
        for rows in _in_order(
            partial(add_up, pairs, quarter), _blocks(pairs, 2 * quarter), threads
        ):
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
    # SciPy wants one type for rows' ends and columns, and would copy the columns.
    if ends[-1] < 1 << 31:
        ends = ends.astype(np.int32)
    columns, values = (
        np.memmap(folder / name, kind, "r") if ends[-1] else np.empty(0, kind)
        for name, kind in (("columns", np.int32), ("values", np.float64))
    )
    return csr_array((values, columns, ends), shape=(len(pairs.occurrences), pairs.columns))


def check_counts(counts: csr_array) -> None:
    """Refuses a matrix with an entry that is negative or not finite.

    Args:
      counts: [R, C]; read in blocks.

    Raises:
      InputError: naming the first such entry.
    """
    for start in range(0, counts.nnz, _CHECKED):
        values = counts.data[start : start + _CHECKED]
        # NaN fails these comparisons.
        good = (values >= 0) & (values < np.inf)
        if not good.all():
            first = int(np.argmin(good))
            row = int(np.searchsorted(counts.indptr, start + first, "right")) - 1
            raise InputError(
                f"counts: entry ({row}, {counts.indices[start + first]}) is {values[first]}, must "
                f"be finite and at least 0; {int((~good).sum())} such entries"
            )


def _blocks(pairs: Pairs, most: int) -> Iterator[Block]:
    """Yields blocks of as many rows as fit in memory, each a small part of the work."""
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
        yield Block(low, high, high <= dense)
        low = high


def _row_bytes(pairs: Pairs) -> int:
    """Returns the bytes of a row of all columns, and one for no context."""
    return 8 * (pairs.columns + 1)


def _in_order(
    task: Callable[[Block], Iterator[Rows]], blocks: Iterable[Block], threads: int
) -> Iterator[Rows]:
    """Yields what threads add up, in order; each has one block at a time."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Iterator[Rows]]] = deque()
        for block in blocks:
            if len(waiting) == threads:
                yield from waiting.popleft().result()
            waiting.append(pool.submit(task, block))
        while waiting:
            yield from waiting.popleft().result()
