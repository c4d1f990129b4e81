"""Retrieval: are the things found near a query of its kind?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.checks import check_labels
from jaxemb.errors import InputError
from jaxemb.evaluation.distance_rows import Distance, distance_rows
from jaxemb.losses.distances import pairwise_squared_euclidean


class RetrievalScores(NamedTuple):
    """Means over queries; R is how many things of a query's kind there are to find.

    Attributes:
      recall: {k: share of queries with one of their kind among the k nearest}.
      r_precision: share of their kind among the R nearest.
      map_at_r: mean over the R nearest of the precision up to each one of their kind.
      mean_average_precision: mean of the precision up to each one of their kind, all R of them.
      queries: judged.
      missing: left out, for there is nothing of their kind.
    """

    recall: dict[int, float]
    r_precision: float
    map_at_r: float
    mean_average_precision: float
    queries: int
    missing: int


def retrieval(
    queries: np.ndarray,
    labels: np.ndarray,
    *,
    others: tuple[np.ndarray, np.ndarray] | None = None,
    ks: Sequence[int] = (1, 5, 10),
    distance: Distance = pairwise_squared_euclidean,
) -> RetrievalScores:
    """Ranks things by their distance to each query.

    Args:
      queries: [Q, D] finite.
      labels: [Q] int, their kinds.
      others: [G, D] what is searched and [G] int, its kinds. None searches the other queries.
      ks: which k.
      distance: all distances between two sets of vectors.

    Returns:
      The scores. A thing of another kind that is equally near counts as nearer: an embedding that
      has collapsed to a point finds nothing.

    Raises:
      InputError: if arrays don't belong together, or there is nothing to find for any query.

    Reference:
      Musgrave et al. 2020, arXiv:2003.08505, section 3.2 (R-precision and MAP@R).
    """
    searched, kinds = (queries, labels) if others is None else others
    check_labels(labels, len(queries))
    check_labels(kinds, len(searched))
    places, missing = [], 0
    for start, block in distance_rows(queries, searched, distance):
        for row, distances in enumerate(block, start):
            of_kind = kinds == labels[row]
            elsewhere = ~of_kind
            if others is None:
                of_kind[row] = False
            if not of_kind.any():
                missing += 1
                continue
            # The place of each one of the kind, from 1, behind all others that are as near.
            near = np.sort(distances[of_kind])
            before = np.searchsorted(np.sort(distances[elsewhere]), near, side="right")
            places.append(before + np.arange(1, len(near) + 1))
    if not places:
        raise InputError(
            f"for none of {len(labels)} queries is there another thing with its label. Were labels "
            "numbered apart?"
        )
    precisions = [np.arange(1, len(place) + 1) / place for place in places]
    within = [place <= len(place) for place in places]
    at_r = [(p * w).mean() for p, w in zip(precisions, within, strict=True)]
    return RetrievalScores(
        {k: float(np.mean([place[0] <= k for place in places])) for k in ks},
        float(np.mean([w.mean() for w in within])),
        float(np.mean(at_r)),
        float(np.mean([p.mean() for p in precisions])),
        len(places),
        missing,
    )
