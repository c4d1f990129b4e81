"""Window validity: tell a stretch of real text from one with a word switched for a random one."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.terms import check_margin


def window_logistic_loss(
    real: jax.Array, switched: jax.Array, *, where: jax.Array | None = None
) -> jax.Array:
    """Classifies windows, real ones and switched ones weighing the same.

    Args:
      real: [B] scores of windows of text; above 0 is called valid.
      switched: [B, K] scores of the same windows, a word of each switched.
      where: [B, K] bool; False drops a switched window. None keeps all.

    Returns:
      [B] in nats: a window's loss and the mean of those of its switched ones; 0, with zero
      gradient, if it has none. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Bottou 2011, arXiv:1102.1808.
    """
    here = _checked(real, switched, where)
    # -log sigmoid(x) written as softplus(-x): finite for large |x|.
    valid = jnp.where(here.any(axis=1), jax.nn.softplus(-real), 0)
    return valid + _mean(jax.nn.softplus(switched), here)


def window_ranking_loss(
    real: jax.Array,
    switched: jax.Array,
    *,
    margin: float = 1.0,
    where: jax.Array | None = None,
) -> jax.Array:
    """Takes max{0, 1 - f(window) + f(window with a word switched)}: real ones are to score higher.

    Args:
      real: [B] scores of windows of text.
      switched: [B, K] scores of the same windows, a word of each switched.
      margin: by how much; the paper's is 1.
      where: [B, K] bool; False drops a switched window. None keeps all.

    Returns:
      [B] mean over a window's switched ones; 0, with zero gradient, if it has none. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.

    Reference:
      Collobert & Weston 2008, "A unified architecture for natural language processing"; Collobert
      et al. 2011, arXiv:1103.0398, section 4.2. Their sum over all words is a mean over drawn ones.
    """
    check_margin(margin)
    here = _checked(real, switched, where)
    return _mean(jax.nn.relu(margin - real[:, None] + switched), here)


def _checked(real: jax.Array, switched: jax.Array, where: jax.Array | None) -> jax.Array:
    """Returns which switched windows count."""
    chex.assert_rank(real, 1)
    chex.assert_shape(switched, (len(real), None))
    here = jnp.ones(switched.shape, bool) if where is None else where
    chex.assert_shape(here, switched.shape)
    return here


def _mean(losses: jax.Array, here: jax.Array) -> jax.Array:
    return jnp.sum(losses, axis=1, where=here) / jnp.maximum(jnp.sum(here, axis=1), 1)
