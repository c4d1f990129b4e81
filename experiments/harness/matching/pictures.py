"""Pictures of what an embedding finds the same, and of what it mistakes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxemb.evaluation.neighbors import nearest_by
from jaxemb.losses.distances import pairwise_squared_euclidean
from jaxemb.plots.pairs import write_neighbor_rows, write_pairs

# Pairs of each kind in a picture, and neighbors of a query.
HARDEST = 12
NEIGHBORS = 8


def draw_hardest_pairs(
    path: Path,
    images: np.ndarray,
    distances: np.ndarray,
    same: np.ndarray,
    *,
    threshold: float,
    title: str,
) -> None:
    """Draws the farthest pairs of the same individual, then the nearest of different ones.

    Args:
      path: the picture.
      images: [N, H, W] or [N, H, W, 3] uint8.
      distances: [N (N - 1) / 2] as of `jaxemb.evaluation.verification.all_pairs`.
      same: likewise.
      threshold: pairs at most as far apart are called the same.
      title: heading of the picture.
    """
    # An image stands in the picture once: one bad photograph would be in all of its pairs.
    first, second = np.triu_indices(len(images), 1)
    chosen: list[int] = []
    for of_same in (True, False):
        ids = np.flatnonzero(same == of_same)
        order = ids[np.argsort(-distances[ids] if of_same else distances[ids], kind="stable")]
        shown: set[int] = set()
        drawn = []
        for pair in order:
            if {first[pair], second[pair]} & shown:
                continue
            shown |= {first[pair], second[pair]}
            drawn.append(int(pair))
            if len(drawn) == HARDEST:
                break
        chosen += drawn
    write_pairs(
        path,
        images[first[chosen]],
        images[second[chosen]],
        distances[chosen],
        same[chosen],
        threshold=threshold,
        title=title,
    )


def draw_neighbors(
    path: Path,
    images: np.ndarray,
    labels: np.ndarray,
    embeddings: Mapping[str, np.ndarray],
    queries: np.ndarray,
    *,
    title: str,
) -> None:
    """Draws what lies nearest to each query, a row for each embedding.

    Args:
      path: the picture.
      images: [N, H, W] or [N, H, W, 3] uint8.
      labels: [N] int, their individuals or classes.
      embeddings: [N, D] vectors by the embedding's name.
      queries: [Q] positions of images; all others are searched.
      title: heading of the picture.
    """
    k = min(NEIGHBORS, len(images) - 1)
    found, distances = [], []
    for vectors in embeddings.values():
        ids, apart = nearest_by(pairwise_squared_euclidean, vectors, queries, k=k)
        found.append(ids)
        distances.append(apart)
    near = np.stack(found, axis=1).reshape(-1, k)  # [Q E, k], a query's rows side by side
    rows = np.repeat(queries, len(embeddings))
    write_neighbor_rows(
        path,
        images[rows],
        images[near],
        np.stack(distances, axis=1).reshape(-1, k),
        labels[near] == labels[rows][:, None],
        names=list(embeddings) * len(queries),
        title=title,
    )
