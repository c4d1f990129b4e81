"""Measures of similarity, by name; their neighbors don't agree."""

import jax
import jax.numpy as jnp

from jaxemb.evaluation.distance_rows import Distance
from jaxemb.losses.distances import pairwise_cosine, pairwise_euclidean, pairwise_l1


def _minus_dot(x: jax.Array, y: jax.Array) -> jax.Array:
    return -jnp.matmul(x, y.T, precision=jax.lax.Precision.HIGHEST)


MEASURES: dict[str, Distance] = {
    "cosine": pairwise_cosine,
    "Euclidean": pairwise_euclidean,
    "Manhattan": pairwise_l1,
    "dot product": _minus_dot,
}
