"""Softmax over angles to class vectors, with a margin for the right class.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.angular_margin import cosface_loss
    from jaxemb.losses.terms import mean_of_terms

    vectors = jnp.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    centers = jnp.array([[1.0, 0.2], [-0.3, 1.0]])  # learned with the encoder
    loss = mean_of_terms(cosface_loss(vectors, jnp.array([0, 0, 1]), centers))

Vectors and centers are normalized inside: angles alone count.
"""

import math

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import unit
from jaxemb.losses.softmax_classifier import softmax_classifier_loss
from jaxemb.losses.terms import Terms, check_margin


def arcface_loss(
    vectors: jax.Array,
    labels: jax.Array,
    centers: jax.Array,
    *,
    scale: float = 64.0,
    margin: float = 0.5,
    where: jax.Array | None = None,
) -> Terms:
    """Computes the cross entropy of s cos(theta), the right class's angle widened by a margin.

    Beyond the angle pi - margin, where cos(theta + margin) would rise again, cos(theta) is lowered
    by margin * sin(margin) instead, as in the authors' program.

    Args:
      vectors: [B, D] float, normalized here.
      labels: [B] int in [0, C). Others have no term (see `softmax_classifier_loss`).
      centers: [C, D] float, a learned vector for each class, normalized here.
      scale: s, above 0.
      margin: radians in [0, pi].
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A term for each example, in nats.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.

    Reference:
      Deng et al. 2019, arXiv:1801.07698, eq. 3.
    """
    check_margin(margin)
    cosines, own = _cosines(vectors, labels, centers)
    # Only for the true class: a root's gradient at 0 is infinite.
    squared_sine = 1 - jnp.square(jnp.where(own, cosines, 0))
    inside = squared_sine > 0
    sine = jnp.where(inside, jnp.sqrt(jnp.where(inside, squared_sine, 1)), 0)
    widened = jnp.where(
        cosines > math.cos(math.pi - margin),
        cosines * math.cos(margin) - sine * math.sin(margin),
        cosines - margin * math.sin(margin),
    )
    return softmax_classifier_loss(scale * jnp.where(own, widened, cosines), labels, where=where)


def cosface_loss(
    vectors: jax.Array,
    labels: jax.Array,
    centers: jax.Array,
    *,
    scale: float = 64.0,
    margin: float = 0.35,
    where: jax.Array | None = None,
) -> Terms:
    """Computes the cross entropy of s cos(theta), the right class's cosine lowered by a margin.

    Args:
      vectors: [B, D] float, normalized here.
      labels: [B] int in [0, C). Others have no term (see `softmax_classifier_loss`).
      centers: [C, D] float, a learned vector for each class, normalized here.
      scale: s, above 0.
      margin: of cosines.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A term for each example, in nats.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.

    Reference:
      Wang et al. 2018, arXiv:1801.09414, eq. 4.
    """
    check_margin(margin)
    cosines, own = _cosines(vectors, labels, centers)
    return softmax_classifier_loss(
        scale * jnp.where(own, cosines - margin, cosines), labels, where=where
    )


def _cosines(
    vectors: jax.Array, labels: jax.Array, centers: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Returns [B, C] cosines and which are those of the right class."""
    batch, dim = vectors.shape
    chex.assert_shape(centers, (None, dim))
    chex.assert_shape(labels, (batch,))
    cosines = jnp.matmul(unit(vectors), unit(centers).T, precision=jax.lax.Precision.HIGHEST)
    return cosines, labels[:, None] == jnp.arange(len(centers))[None, :]
