"""What embeddings learned without labels are worth: simple classifiers on top of them."""

import chex
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import normalize


def weighted_knn(
    vectors: np.ndarray,
    labels: np.ndarray,
    queries: np.ndarray,
    *,
    k: int = 30,
    temperature: float = 0.07,
) -> np.ndarray:
    """Classifies by the nearest known vectors, of which nearer ones count more.

    Args:
      vectors: [N, D] finite, known.
      labels: [N] their classes.
      queries: [Q, D] finite.
      k: neighbors that vote, each with exp(cosine / temperature); at most N.
      temperature: more than 0.

    Returns:
      [Q] classes.

    Raises:
      AssertionError: if a shape disagrees with the above, or k is not in 1..N.

    Reference:
      Wu et al. 2018, arXiv:1805.01978, section 3.4.
    """
    chex.assert_shape(vectors, (len(labels), None))
    chex.assert_shape(queries, (None, vectors.shape[1]))
    assert 1 <= k <= len(vectors), f"k = {k} of {len(vectors)} vectors"
    # Of unit vectors the squared distance is 2 - 2 cosine.
    neighbors = KNeighborsClassifier(
        k, weights=lambda distances: np.exp(-np.square(distances) / (2 * temperature))
    )
    return neighbors.fit(normalize(vectors), labels).predict(normalize(queries))


def linear_probe(
    vectors: np.ndarray, labels: np.ndarray, queries: np.ndarray, *, penalty: float = 0.1
) -> np.ndarray:
    """Classifies by a linear function of the vectors: multinomial logistic regression.

    Args:
      vectors: [N, D] finite, known. Columns are brought to mean 0, and all together to deviation 1:
        each by itself, the faint ones would count as much as the others.
      labels: [N] their classes.
      queries: [Q, D] finite.
      penalty: of half the squared weights, beside the mean loss of a vector; more than 0.

    Returns:
      [Q] classes.

    Raises:
      AssertionError: if a shape disagrees with the above.
    """
    chex.assert_shape(vectors, (len(labels), None))
    chex.assert_shape(queries, (None, vectors.shape[1]))
    mean = vectors.mean(axis=0)
    scaled = vectors - mean
    scale = float(np.sqrt(np.square(scaled).mean())) or 1.0
    scaled /= scale
    regression = LogisticRegression(C=1 / (penalty * len(vectors)), max_iter=1000)
    return regression.fit(scaled, labels).predict((queries - mean) / scale)
