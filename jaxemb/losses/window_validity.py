"""Window validity: classify windows of text as real or corrupted by a random word."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.terms import check_margin


def window_logistic_loss(
    real: jax.Array, switched: jax.Array, *, where: jax.Array | None = None
) -> jax.Array:
    """Computes the logistic loss; real and corrupted windows have the same weight.

    Args:
      real: [B] scores of windows of text; above 0 means valid.
      switched: [B, K] scores of the same windows with a word replaced.
      where: [B, K] bool; False drops a corrupted window. None keeps all.

    Returns:
      [B] in nats: a window's loss plus the mean of those of its corrupted ones; 0, with zero
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
    """Computes max{0, 1 - f(window) + f(window with a word replaced)}.

    Args:
      real: [B] scores of windows of text.
      switched: [B, K] scores of the same windows with a word replaced.
      margin: 1 in the paper.
      where: [B, K] bool; False drops a corrupted window. None keeps all.

    Returns:
      [B] mean over a window's corrupted ones; 0, with zero gradient, if it has none. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.

    Reference:
      Collobert & Weston 2008, "A unified architecture for natural language processing"; Collobert
      et al. 2011, arXiv:1103.0398, section 4.2. Here a mean over random words replaces their sum.
    """
    check_margin(margin)
    here = _checked(real, switched, where)
    return _mean(jax.nn.relu(margin - real[:, None] + switched), here)


def _checked(real: jax.Array, switched: jax.Array, where: jax.Array | None) -> jax.Array:
    """Returns which corrupted windows count."""
    chex.assert_rank(real, 1)
    chex.assert_shape(switched, (len(real), None))
    here = jnp.ones(switched.shape, bool) if where is None else where
    chex.assert_shape(here, switched.shape)
    return here


def _mean(losses: jax.Array, here: jax.Array) -> jax.Array:
    return jnp.sum(losses, axis=1, where=here) / jnp.maximum(jnp.sum(here, axis=1), 1)
