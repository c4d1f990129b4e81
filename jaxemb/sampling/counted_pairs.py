"""Pairs of a symmetric matrix of counts, cut into pieces of one row, one batch a step."""

import functools
from typing import NamedTuple

import jax
import numpy as np
from scipy.sparse import csr_array

from jaxemb.data.sparse_counts import check_counts
from jaxemb.errors import InputError


class PairBatch(NamedTuple):
    """P pieces, each of a row and some of its columns.

    Attributes:
      rows: [P] int32.
      columns: [P, L] int32; 0 where there is no pair.
      counts: [P, L] float32; 0 where there is no pair.
    """

    rows: np.ndarray
    columns: np.ndarray
    counts: np.ndarray


class PairStream:
    """The batches of every epoch over a matrix of counts, each a function of (counts, key, step).

    A row of n pairs is cut into m = n / L pieces, rounded up: the first has pairs 0, m, 2m, ..., so
    that each is as mixed as the row. An epoch uses all pieces once, in a random order.

    Attributes:
      epoch_steps: [E] int, the steps of each epoch.
    """

    def __init__(self, key: jax.Array, counts: csr_array, *, epochs: int, pieces: int, length: int):
        """Cuts the rows.

        Args:
          key: random key.
          counts: [V, V] symmetric; read as pairs are needed, so that it may be on disk.
          epochs: passes over the pairs.
          pieces: P, of a step.
          length: L, pairs of a piece, at most.

        Raises:
          InputError: if the matrix is not square, has no pairs, a count is negative or not finite,
            or a row and its column don't add up to the same.
        """
        _check(counts)
        self._counts, self._pieces, self._length = counts, pieces, length
        found = np.diff(counts.indptr)
        self._cut = -(-found // length)
        self._rows = np.repeat(np.arange(len(found), dtype=np.int32), self._cut)
        self._first = np.cumsum(self._cut) - self._cut
        self._steps = -(-len(self._rows) // pieces)
        self.epoch_steps = np.full(epochs, self._steps)
        self._seed = [int(word) for word in np.asarray(jax.random.key_data(key)).ravel()]
        # A call may end one epoch and begin the next.
        self._order = functools.lru_cache(2)(self._draw_order)

    def _draw_order(self, epoch: int) -> np.ndarray:
        """Returns [steps, P] pieces, -1 for none."""
        # Drawn by NumPy, seeded by the key: no order waits for a device.
        order = np.full(self._steps * self._pieces, -1, np.int64)
        rng = np.random.default_rng([*self._seed, epoch])
        order[: len(self._rows)] = rng.permutation(len(self._rows))
        return order.reshape(self._steps, self._pieces)

    def batches(self, start: int, stop: int) -> PairBatch:
        """Returns the batches of steps [start, stop), stacked along a new first axis."""
        steps = (divmod(step, self._steps) for step in range(start, stop))
        chosen = np.stack([self._order(epoch)[step] for epoch, step in steps])
        rows = self._rows[chosen]
        cut = self._cut[rows]
        place = (chosen - self._first[rows])[..., None] + cut[..., None] * np.arange(self._length)
        found = np.diff(self._counts.indptr)[rows]
        inside = (place < found[..., None]) & (chosen >= 0)[..., None]
        # Where there is no pair, any place may be read.
        place = np.where(inside, self._counts.indptr[rows][..., None] + place, 0)
        return PairBatch(
            rows,
            np.where(inside, self._counts.indices[place], 0),
            np.where(inside, self._counts.data[place], 0).astype(np.float32),
        )


def _check(counts: csr_array) -> None:
    """Refuses a matrix that is not symmetric or has no pairs."""
    if counts.shape[0] != counts.shape[1]:
        raise InputError(f"counts must be square, found {counts.shape}")
    check_counts(counts)
    if not counts.nnz:
        raise InputError("no pair was counted")
    rows, columns = (counts.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    # Sums in another order differ by rounding.
    differing = np.flatnonzero(~np.isclose(rows, columns, rtol=1e-6))
    if differing.size:
        first = differing[0]
        raise InputError(
            f"counts must be symmetric, but row {first} adds up to {rows[first]:g} and column "
            f"{first} to {columns[first]:g}, and so for {differing.size:,} of {len(rows):,}; were "
            "contexts of one side counted?"
        )
