"""Whitening within classes: directions of large variation within a class are scaled down."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.checks import check_labels
from jaxemb.errors import InputError
from jaxemb.factorize import pca


class WithinClass(NamedTuple):
    """A linear map of vectors: (x - mean) @ matrix.

    Attributes:
      mean: [D] of all.
      matrix: [D, K].
    """

    mean: jax.Array
    matrix: jax.Array


def fit(
    vectors: np.ndarray, labels: np.ndarray, *, components: int, shrinkage: float
) -> WithinClass:
    """Finds the map after which the variation within classes is the same in all directions.

    Args:
      vectors: [N, D] float, finite.
      labels: [N] int, their individuals.
      components: K, number of principal components kept, in 1..min(N, D).
      shrinkage: ridge added to the covariance within classes, as a share of its mean variance;
        above 0. Few examples need more of it.

    Returns:
      The map.

    Raises:
      InputError: if a number is out of range, labels are not one for each row, or vectors don't
        vary within classes.

    Reference:
      Hatch et al. 2006, "Within-class covariance normalization for SVM-based speaker recognition",
      section 3, with a ridge.
    """
    check_labels(labels, len(vectors))
    most = min(vectors.shape)
    if not 1 <= components <= most:
        raise InputError(f"components must be in 1..{most}, found {components}")
    if not 0 < shrinkage < float("inf"):
        raise InputError(f"shrinkage must be finite and more than 0, found {shrinkage}")
    table = jnp.asarray(vectors)
    principal = pca.fit(table, components=components)
    scores = pca.transform(principal, table)
    classes = np.unique(labels, return_inverse=True)[1]
    count = int(classes.max()) + 1
    sizes = jnp.asarray(np.bincount(classes), scores.dtype)[:, None]
    means = jax.ops.segment_sum(scores, classes, count) / sizes
    within = scores - means[classes]
    covariance = jnp.matmul(within.T, within, precision=jax.lax.Precision.HIGHEST) / len(vectors)
    variance = float(jnp.trace(covariance)) / components
    if not variance > 0:
        raise InputError(
            f"{len(vectors)} vectors of {count} classes don't vary within classes: is there one of "
            "each, or copies?"
        )
    root = jnp.linalg.cholesky(covariance + shrinkage * variance * jnp.eye(components))
    matrix = jax.scipy.linalg.solve_triangular(root, principal.directions.T, lower=True).T
    return WithinClass(principal.mean, matrix)
