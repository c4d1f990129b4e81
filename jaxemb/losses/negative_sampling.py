"""Negative sampling: tell the observed context from sampled noise words."""

import chex
import jax
import jax.numpy as jnp


def negative_sampling_loss(
    center: jax.Array, context: jax.Array, noise: jax.Array, *, where: jax.Array | None = None
) -> jax.Array:
    """Scores each observed pair against sampled noise words, exactly as the paper has it.

    Args:
      center: [B, D] input vectors.
      context: [B, D] output vectors of the observed neighbors.
      noise: [B, K, D] output vectors of the noise words.
      where: [B, K] bool; False drops a noise word. None keeps all.

    Returns:
      [B] loss of each pair, in nats. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Mikolov et al. 2013, arXiv:1310.4546, eq. 4 (sign flipped: we minimize).
    """
    batch, dim = center.shape
    chex.assert_shape(context, (batch, dim))
    chex.assert_shape(noise, (batch, None, dim))
    observed = jnp.einsum("bd,bd->b", center, context)
    noisy = jnp.einsum("bd,bkd->bk", center, noise)
    # -log sigmoid(x) written as softplus(-x): finite for large |x|.
    return jax.nn.softplus(-observed) + jnp.sum(jax.nn.softplus(noisy), axis=1, where=where)
