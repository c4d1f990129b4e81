"""Supervised contrastive learning: all examples of the class against all others of the batch.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.supervised_contrastive import supervised_contrastive_loss
    from jaxemb.losses.terms import mean_of_terms

    vectors = jnp.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]])
    terms = supervised_contrastive_loss(vectors, jnp.array([0, 0, 1, 1]), temperature=0.1)
    loss = mean_of_terms(terms)

Vectors are normalized inside; an example whose class has no other example has no term.
"""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import unit
from jaxemb.losses.terms import Terms, class_masks


def supervised_contrastive_loss(
    vectors: jax.Array,
    labels: jax.Array,
    *,
    temperature: float | jax.Array,
    where: jax.Array | None = None,
) -> Terms:
    """Computes -log of the softmax over all other examples, as a mean over those of the class.

    Args:
      vectors: [B, D] float; a zero vector has cosine 0 to all.
      labels: [B] int.
      temperature: above 0.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A term for each example that has a positive, in nats.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Khosla et al. 2020, arXiv:2004.11362, eq. 2 (the sum over positives outside the logarithm).
    """
    batch = len(vectors)
    chex.assert_rank(vectors, 2)
    chex.assert_shape(labels, (batch,))
    rows = unit(vectors)
    cosines = jnp.matmul(rows, rows.T, precision=jax.lax.Precision.HIGHEST)
    positive, negative = class_masks(labels, where)
    positives = jnp.sum(positive, axis=1, dtype=jnp.int32)
    paired = positives > 0
    # A row without partners sums over itself: the logarithm of nothing has no finite gradient.
    others = positive | negative | (~paired[:, None] & jnp.eye(batch, dtype=bool))
    logits = cosines / temperature
    largest = jax.nn.logsumexp(jnp.where(others, logits, -jnp.inf), axis=1)
    mean = jnp.sum(logits, axis=1, where=positive) / jnp.maximum(positives, 1)
    return Terms(jnp.where(paired, largest - mean, 0), paired.astype(jnp.int32))
