"""Full softmax: tell the observed word among all words."""

import chex
import jax
import jax.numpy as jnp


def full_softmax_loss(center: jax.Array, outputs: jax.Array, context: jax.Array) -> jax.Array:
    """Computes -log of the softmax, over all words, of the observed word's score.

    What the other objectives approximate. It costs a score for each word of the vocabulary.

    Args:
      center: [B, D] input vectors.
      outputs: [V, D] output vectors of all words.
      context: [B] int, the observed neighbors, in [0, V).

    Returns:
      [B] loss of each pair, in nats. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Mikolov et al. 2013, arXiv:1310.4546, eq. 2 (sign flipped: we minimize).
    """
    batch, dim = center.shape
    chex.assert_shape(outputs, (None, dim))
    chex.assert_shape(context, (batch,))
    scores = jnp.matmul(center, outputs.T, precision=jax.lax.Precision.HIGHEST)
    own = jnp.take_along_axis(scores, context[:, None], axis=1)[:, 0]
    return jax.nn.logsumexp(scores, axis=1) - own
