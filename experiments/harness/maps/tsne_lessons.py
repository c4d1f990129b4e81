"""Points of known shape, and what a reader would take from a map of them.

After Wattenberg, Viegas and Johnson 2016, "How to Use t-SNE Effectively", Distill.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.sparse import csgraph
from sklearn.metrics import silhouette_score
from sklearn.neighbors import kneighbors_graph


class Lesson(NamedTuple):
    """A kind of points, and a number of theirs that a reader would read off the map.

    Attributes:
      title: of its row.
      claim: what the numbers show.
      unit: what the number is.
      make: (generator, n) -> points [n, D] and labels [n].
      measure: (points or map, labels) -> the number.
    """

    title: str
    claim: str
    unit: str
    make: Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
    measure: Callable[[np.ndarray, np.ndarray], float]


def two_clusters(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two round clusters, seven standard deviations apart."""
    labels = np.arange(n) % 2
    points = rng.normal(size=(n, 2))
    points[:, 0] += 7 * labels
    return points, labels


def wide_and_tight(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clusters, one ten times as wide as the other."""
    labels = np.arange(n) % 2
    points = rng.normal(size=(n, 2)) * np.where(labels, 1, 10)[:, None]
    points[:, 0] += 50 * labels
    return points, labels


def near_and_far(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Three clusters; the last is five times as far from the second as this from the first."""
    labels = np.arange(n) % 3
    points = rng.normal(size=(n, 2))
    points[:, 0] += np.array([0, 10, 60])[labels]
    return points, labels


def noise(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """No structure at all: a Gaussian in a hundred dimensions."""
    return rng.normal(size=(n, 100)), np.zeros(n, int)


def ellipsoid(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A Gaussian in fifty dimensions, the i-th as wide as 1 / i."""
    points = rng.normal(size=(n, 50)) / np.arange(1, 51)
    return points, np.zeros(n, int)


def nested(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A cluster in the middle of another that is fifty times as wide, in fifty dimensions."""
    labels = np.arange(n) % 2
    return rng.normal(size=(n, 50)) * np.where(labels, 1, 50)[:, None], labels


def knot(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A trefoil: a closed loop that cannot be laid flat. Labels are tenths of its length."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    columns = [np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)]
    return np.column_stack(columns), np.arange(n) * 10 // n


def separation(points: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette: 1 for clusters far apart, 0 for mixed ones."""
    return float(silhouette_score(points, labels))


def width_ratio(points: np.ndarray, labels: np.ndarray) -> float:
    """How much wider cluster 0 is than cluster 1."""
    wide, tight = (points[labels == i].std(axis=0) for i in (0, 1))
    return float(np.linalg.norm(wide) / np.linalg.norm(tight))


def distance_ratio(points: np.ndarray, labels: np.ndarray) -> float:
    """How much farther the middles of clusters 1 and 2 are than those of 0 and 1."""
    a, b, c = (points[labels == i].mean(axis=0) for i in range(3))
    return float(np.linalg.norm(c - b) / np.linalg.norm(b - a))


def pieces(points: np.ndarray, labels: np.ndarray) -> float:
    """Pieces that fall apart when each point is tied to its five nearest."""
    return float(csgraph.connected_components(kneighbors_graph(points, 5), directed=False)[0])


def elongation(points: np.ndarray, labels: np.ndarray) -> float:
    """How much longer than wide the cloud is, by standard deviation along its own two axes."""
    lengths = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return float(lengths[0] / lengths[1])


def ring(points: np.ndarray, labels: np.ndarray) -> float:
    """How much farther cluster 0 lies from the middle of cluster 1 than cluster 1 itself."""
    far = np.linalg.norm(points - points[labels == 1].mean(axis=0), axis=1)
    return float(far[labels == 0].mean() / far[labels == 1].mean())


LESSONS = {
    "perplexity": Lesson(
        "1. Perplexity matters",
        "Two clusters apart are kept apart only where perplexity suits their size",
        "silhouette of the two clusters",
        two_clusters,
        separation,
    ),
    "sizes": Lesson(
        "2. Sizes mean nothing",
        "A cluster ten times as wide is drawn about as large as the other",
        "width of the wide cluster / width of the tight one",
        wide_and_tight,
        width_ratio,
    ),
    "distances": Lesson(
        "3. Distances may mean nothing",
        "A gap five times as wide is drawn as about any",
        "far gap / near gap",
        near_and_far,
        distance_ratio,
    ),
    "noise": Lesson(
        "4. Noise has shapes",
        "At low perplexity noise falls into clumps that are not there",
        "pieces",
        noise,
        pieces,
    ),
    "shapes": Lesson(
        "5. Some shapes are seen",
        "A long cloud comes out round at low perplexity, long at high",
        "length / width",
        ellipsoid,
        elongation,
    ),
    "topology": Lesson(
        "6. Topology needs several maps",
        "A tight cluster within a wide one is drawn as mixed with it, or as the core of a ring",
        "distance from the middle of the tight cluster, wide / tight",
        nested,
        ring,
    ),
}
