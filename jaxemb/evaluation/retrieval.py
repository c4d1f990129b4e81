"""Retrieval: are the nearest items of the query's class?"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.checks import as_labels
from jaxemb.errors import InputError
from jaxemb.evaluation.distance_rows import Distance, distance_rows
from jaxemb.losses.distances import pairwise_squared_euclidean


class RetrievalScores(NamedTuple):
    """Means over queries; R is the number of items of the query's class.

    Attributes:
      recall: {k: share of queries with an item of their class among the k nearest}.
      r_precision: share of the class among the R nearest.
      map_at_r: mean over the R nearest of the precision at each item of the class.
      mean_average_precision: mean of the precision at each of the R items of the class.
      queries: number of queries scored.
      missing: number left out because there is no other item of their class.
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
    """Ranks items by their distance to each query.

    Args:
      queries: [Q, D] finite.
      labels: [Q] whole numbers or names, their classes.
      others: [G, D] items to search and their classes [G]. None searches the other queries.
      ks: which k.
      distance: all distances between two sets of vectors.

    Returns:
      The scores. Ties count against the query's class: an embedding that has collapsed to a point
      finds nothing.

    Raises:
      InputError: if arrays don't belong together, or there is nothing to find for any query.

    Reference:
      Musgrave et al. 2020, arXiv:2003.08505, section 3.2 (R-precision and MAP@R).
    """
    searched, kinds = (queries, labels) if others is None else others
    labels = as_labels(labels, len(queries))
    kinds = as_labels(kinds, len(searched))
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
            # The rank of each item of the class, from 1, after all others that are as near.
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
