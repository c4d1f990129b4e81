"""Rows of a sparse matrix in pieces of one length, for steps of one shape."""

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

# Entries of a piece: rows of a few are padded, long ones take several.
LENGTH = 32
# Pieces of a step, where no row has more: these sums of outer products stay in cache.
PIECES = 128


class Pieces(NamedTuple):
    """Some rows of a matrix [M, N], as one step takes them; arrays of NumPy or JAX.

    Attributes:
      rows: [P] int32, which rows they are; M where there are fewer.
      owners: [P] int32 ascending, position in `rows` of each piece's row; P for none.
      columns: [P, L] int32 of the entries.
      values: [P, L] float32; -1 for no entry.
    """

    rows: Any
    owners: Any
    columns: Any
    values: Any


class RowPieces:
    """The rows of a matrix, cut into steps.

    Attributes:
      steps: how many there are.
    """

    def __init__(self, matrix: csr_array):
        """Cuts the rows.

        Args:
          matrix: [M, N], its values at least 0. Rows without an entry are in no step.
        """
        self._matrix = matrix
        sizes = np.diff(matrix.indptr)
        self._rows = np.flatnonzero(sizes)
        self._counts = -(-sizes[self._rows] // LENGTH)
        self.pieces = max(PIECES, int(self._counts.max(initial=1)))
        ends = np.cumsum(self._counts)
        starts, at = [0], 0
        while at < len(ends):
            before = ends[at] - self._counts[at]
            # A step has whole rows only.
            at = int(np.searchsorted(ends, before + self.pieces, side="right"))
            starts.append(at)
        self._starts = starts
        self.steps = len(starts) - 1

    def step(self, number: int, *, pieces: int | None = None) -> Pieces:
        """Returns the rows of one step.

        Args:
          number: of the step, from 0.
          pieces: P, at least `self.pieces`, which None takes.
        """
        size = self.pieces if pieces is None else pieces
        first, last = self._starts[number : number + 2]
        found, counts = self._rows[first:last], self._counts[first:last]
        rows = np.full(size, self._matrix.shape[0], np.int32)
        rows[: len(found)] = found
        owners = np.full(size, size, np.int32)
        owners[: counts.sum()] = np.repeat(np.arange(len(found)), counts)
        columns = np.zeros((size * LENGTH,), np.int32)
        values = np.full((size * LENGTH,), -1, np.float32)
        sizes = np.diff(self._matrix.indptr)[found]
        begins = (np.cumsum(counts) - counts) * LENGTH
        places = np.repeat(begins - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        # Rows without an entry lie between, so that the entries follow one another.
        entries = slice(self._matrix.indptr[found[0]], self._matrix.indptr[found[-1] + 1])
        columns[places] = self._matrix.indices[entries]
        values[places] = self._matrix.data[entries]
        return Pieces(rows, owners, columns.reshape(size, -1), values.reshape(size, -1))
