"""A gallery: individuals that are enrolled in a finished embedding, looked up and removed again.

Nothing is trained: who is enrolled today is recognized today. `jaxemb.evaluation.gallery_file`
keeps galleries.
"""

import math
from typing import Literal, NamedTuple, get_args

import numpy as np

from jaxemb.errors import InputError
from jaxemb.evaluation.distance_rows import Distance, check_vectors, distance_rows
from jaxemb.losses.distances import (
    pairwise_cosine,
    pairwise_euclidean,
    pairwise_l1,
    pairwise_squared_euclidean,
)

Metric = Literal["squared_euclidean", "euclidean", "cosine", "l1"]

_DISTANCES: dict[str, Distance] = {
    "squared_euclidean": pairwise_squared_euclidean,
    "euclidean": pairwise_euclidean,
    "cosine": pairwise_cosine,
    "l1": pairwise_l1,
}


class Found(NamedTuple):
    """Who a query is.

    Attributes:
      name: the nearest individual, or None if it is farther than the threshold: unknown.
      nearest: the nearest individual in any case.
      distance: to the nearest of its vectors.
    """

    name: str | None
    nearest: str
    distance: float


class Gallery:
    """Individuals with one or more vectors each; a query is whoever's vector is nearest.

    Attributes:
      width: D.
      threshold: queries farther than this from everybody are unknown.
      metric: what distances are.
    """

    def __init__(self, *, width: int, threshold: float, metric: Metric = "squared_euclidean"):
        """Makes an empty gallery.

        Args:
          width: D, of the encoder's output.
          threshold: a distance, such as from `jaxemb.evaluation.identification.open_set_threshold`;
            infinite if nobody is to be unknown.
          metric: a distance of `jaxemb.losses.distances`.

        Raises:
          InputError: if the threshold is not a number, the width below 1 or the metric another.
        """
        if math.isnan(threshold):
            raise InputError("the threshold must be a number, found nan")
        if width < 1:
            raise InputError(f"the width must be at least 1, found {width}")
        if metric not in _DISTANCES:
            raise InputError(f"the metric must be one of {get_args(Metric)}, found {metric!r}")
        self.width, self.threshold, self.metric = width, threshold, metric
        self._vectors: dict[str, np.ndarray] = {}
        # Of all individuals, once they were searched: names, first rows and the table itself.
        self._table: tuple[list[str], np.ndarray, np.ndarray] | None = None

    @property
    def names(self) -> list[str]:
        """Who is enrolled, in this order."""
        return list(self._vectors)

    def vectors(self, name: str) -> np.ndarray:
        """Returns the [K, D] vectors of who is enrolled."""
        return self._vectors[name]

    def enrol(self, name: str, vectors: np.ndarray) -> None:
        """Adds an individual.

        Args:
          name: not empty, and not enrolled yet.
          vectors: [K, D] finite, embedded pictures, K at least 1.

        Raises:
          InputError: if the name is taken or empty, or the vectors are not so.
        """
        if not name:
            raise InputError("an individual's name must not be empty")
        if name in self._vectors:
            raise InputError(
                f"{name!r} is enrolled already, with {len(self._vectors[name])} vectors. Remove it "
                "first to replace them, or give two individuals two names"
            )
        check_vectors(vectors, f"vectors of {name!r}", width=self.width)
        self._vectors[name] = vectors.astype(np.float32)
        self._table = None

    def remove(self, name: str) -> None:
        """Forgets an individual.

        Args:
          name: who.

        Raises:
          InputError: if nobody of this name is enrolled.
        """
        if name not in self._vectors:
            raise InputError(f"{name!r} is not enrolled, so that it can't be removed")
        del self._vectors[name]
        self._table = None

    def look_up(self, queries: np.ndarray) -> list[Found]:
        """Compares each query with all vectors of all individuals, exactly.

        Args:
          queries: [B, D] finite.

        Returns:
          Who each is. Of individuals equally near, the one enrolled first.

        Raises:
          InputError: if nobody is enrolled, or the queries are not finite or of another width.
        """
        if not self._vectors:
            raise InputError("the gallery is empty: enrol somebody before looking anybody up")
        check_vectors(queries, "queries", width=self.width)
        if self._table is None:
            counts = [len(vectors) for vectors in self._vectors.values()]
            table = np.concatenate(list(self._vectors.values()))
            # Padded with what is there to a power of two: each size is compiled anew.
            padding = (1 << (len(table) - 1).bit_length()) - len(table)
            table = np.pad(table, ((0, padding), (0, 0)), mode="edge")
            self._table = self.names, np.cumsum([0, *counts[:-1]]), table
        names, firsts, table = self._table
        found = []
        for _, block in distance_rows(queries.astype(np.float32), table, _DISTANCES[self.metric]):
            rows = block.argmin(axis=1)
            owners = np.searchsorted(firsts, rows, side="right") - 1
            for owner, distance in zip(owners, block[np.arange(len(block)), rows], strict=True):
                name, far = names[owner], float(distance)
                found.append(Found(name if far <= self.threshold else None, name, far))
        return found
