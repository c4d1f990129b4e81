"""Bayesian personalized ranking: what a user has is scored above what the user has not."""

import chex
import jax
import jax.numpy as jnp


def bpr_loss(
    user: jax.Array, item: jax.Array, other: jax.Array, *, where: jax.Array | None = None
) -> jax.Array:
    """Scores each observed item against one that the user has not, by dot products.

    Args:
      user: [B, D] vectors of the users.
      item: [B, D] vectors of items that they have; a bias is one more number, times 1 in `user`.
      other: [B, D] vectors of items that they have not.
      where: [B] bool; False drops a triple. None keeps all.

    Returns:
      [B] loss of each triple, in nats. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Rendle et al. 2009, "BPR: Bayesian personalized ranking from implicit feedback", section 4.1
      (sign flipped: we minimize), without the penalty on the size of the vectors.
    """
    chex.assert_equal_shape([user, item, other])
    chex.assert_rank(user, 2)
    # Each by itself: of huge vectors the difference of the scores stays finite for longer.
    ahead = jnp.einsum("bd,bd->b", user, item) - jnp.einsum("bd,bd->b", user, other)
    losses = jax.nn.softplus(-ahead)
    return losses if where is None else jnp.where(where, losses, 0)
