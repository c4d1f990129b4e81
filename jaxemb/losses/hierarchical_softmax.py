"""Hierarchical softmax: a word is predicted branch by branch along its path in a binary tree."""

import chex
import jax
import jax.numpy as jnp


def hierarchical_softmax_loss(center: jax.Array, nodes: jax.Array, codes: jax.Array) -> jax.Array:
    """Computes -log of the probability of the path from the root to the observed word.

    A word costs as many scores as its path is long instead of V, and the probabilities of all
    words sum to 1 whatever the vectors are.

    Args:
      center: [B, D] input vectors.
      nodes: [B, L, D] output vectors of the inner nodes on the path.
      codes: [B, L] 1 for a turn to the first child, -1 to the second; 0 where the path has ended.

    Returns:
      [B] loss of each pair, in nats. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Morin & Bengio 2005, AISTATS; Mikolov et al. 2013, arXiv:1310.4546, eq. 3.
    """
    batch, dim = center.shape
    chex.assert_shape(nodes, (batch, None, dim))
    chex.assert_shape(codes, nodes.shape[:2])
    scores = jnp.einsum("bd,bld->bl", center, nodes, precision=jax.lax.Precision.HIGHEST)
    return jnp.sum(jax.nn.softplus(-codes * scores), axis=1, where=codes != 0)
