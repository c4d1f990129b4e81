"""A gallery: individuals that are enrolled in a finished embedding, looked up and removed again.

Example:
    import numpy as np

    from jaxemb.evaluation.gallery import Gallery

    gallery = Gallery(width=2, threshold=0.5)
    gallery.enroll("Ann", np.array([[1.0, 0.0], [0.8, 0.6]]))
    gallery.enroll("Bob", np.array([[0.0, 1.0]]))
    found = gallery.look_up(np.array([[0.9, 0.1], [-1.0, 0.0]]))
    assert [who.name for who in found] == ["Ann", None]  # the second is unknown
    first, second = gallery.nearest(np.array([[0.1, 0.9]]), 2)[0]
    assert (first.nearest, second.nearest) == ("Bob", "Ann")
    gallery.remove("Ann")

Nothing is trained: who is enrolled today is recognized today. `jaxemb.io.gallery_file` writes and
reads galleries.
"""

import math
from typing import Any, Literal, NamedTuple, get_args

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


# A vector this much smaller than all others tells nobody apart: a sum with one rounds it away.
_NOTHING = 1e-6


class Found(NamedTuple):
    """An individual that is near to a query.

    Attributes:
      name: the individual, or None if it is farther than the threshold: unknown.
      nearest: the individual in any case.
      distance: from the query to the nearest of its vectors.
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
      encoder: what made the vectors.
      threshold_from: where the threshold is from.
    """

    def __init__(
        self,
        *,
        width: int,
        threshold: float,
        metric: Metric = "squared_euclidean",
        encoder: Any = None,
        threshold_from: str = "",
    ):
        """Makes an empty gallery.

        Args:
          width: D, of the encoder's output.
          threshold: a distance, such as from `jaxemb.evaluation.identification.open_set_threshold`;
            infinite if nobody is to be unknown.
          metric: a distance of `jaxemb.losses.distances`.
          encoder: what makes vectors, such as `Fitted.model` of `jaxemb.methods.matching`; it is
            not called, but written along. None leaves it out.
          threshold_from: where the threshold is from, in words.

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
        self.encoder, self.threshold_from = encoder, threshold_from
        self._vectors: dict[str, np.ndarray] = {}
        # Names, first rows and the table of all individuals, once they were searched.
        self._table: tuple[list[str], np.ndarray, np.ndarray] | None = None

    @property
    def names(self) -> list[str]:
        """Who is enrolled, in this order."""
        return list(self._vectors)

    def vectors(self, name: str) -> np.ndarray:
        """Returns the [K, D] vectors of who is enrolled."""
        return self._vectors[name]

    def enroll(self, name: str, vectors: np.ndarray) -> None:
        """Adds an individual.

        Args:
          name: not empty, and not enrolled yet.
          vectors: [K, D] finite, embedded pictures, K at least 1; not zero where distances are
            cosines.

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
        if self.metric == "cosine":
            _refuse_zero(vectors, f"vectors of {name!r}", 0.0)
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
          queries: [B, D] finite, as for `nearest`.

        Returns:
          Who each is; the one enrolled first, if two are equally near.

        Raises:
          InputError: if nobody is enrolled, or the queries are not so.
        """
        return [found[0] for found in self.nearest(queries, 1)]

    def nearest(self, queries: np.ndarray, k: int) -> list[list[Found]]:
        """Finds the k individuals nearest to each query, exactly.

        Args:
          queries: [B, D] finite, and not zero or nearly so beside the vectors enrolled, by which
            such a query is nobody rather than whoever comes first.
          k: individuals, from 1 to as many as are enrolled.

        Returns:
          For each query k individuals, the nearest first; of equally near ones, in the order in
          which they were enrolled.

        Raises:
          InputError: if nobody is enrolled, fewer than k are, or the queries are not so.
        """
        if not self._vectors:
            raise InputError("the gallery is empty: enroll somebody before looking anybody up")
        if not 1 <= k <= len(self._vectors):
            raise InputError(
                f"k must be from 1 to {len(self._vectors)}, the individuals enrolled, found {k}"
            )
        check_vectors(queries, "queries", width=self.width)
        if self._table is None:
            counts = [len(vectors) for vectors in self._vectors.values()]
            table = np.concatenate(list(self._vectors.values()))
            # Padded with what is there to a power of two: each size is compiled anew.
            padding = (1 << (len(table) - 1).bit_length()) - len(table)
            table = np.pad(table, ((0, padding), (0, 0)), mode="edge")
            self._table = self.names, np.cumsum([0, *counts[:-1]]), table
        names, firsts, table = self._table
        # Somebody may be zero where distances aren't cosines.
        if smallest := float(np.abs(table).max(axis=1).min()):
            _refuse_zero(queries, "queries", _NOTHING * smallest)
        found = []
        for _, block in distance_rows(queries.astype(np.float32), table, _DISTANCES[self.metric]):
            # The padding repeats the last vector, which changes no minimum.
            distances = np.minimum.reduceat(block, firsts, axis=1)
            order = np.argsort(distances, axis=1, kind="stable")[:, :k]
            for row, owners in zip(distances, order, strict=True):
                near = [(names[owner], float(row[owner])) for owner in owners]
                found.append([Found(n if d <= self.threshold else None, n, d) for n, d in near])
        return found


def _refuse_zero(vectors: np.ndarray, what: str, limit: float) -> None:
    zero = np.flatnonzero(np.abs(vectors).max(axis=1) <= limit)
    if zero.size:
        raise InputError(
            f"{what}: {zero.size} of {len(vectors)} rows are zero or nearly so, the first is row "
            f"{zero[0]}: they are like nobody. Is a picture empty, or did the encoder collapse?"
        )
