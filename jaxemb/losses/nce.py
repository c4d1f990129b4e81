"""Noise-contrastive estimation: classify words as observed or noise by their probabilities."""

import chex
import jax
import jax.numpy as jnp


def nce_loss(
    center: jax.Array,
    context: jax.Array,
    noise: jax.Array,
    *,
    context_expected: jax.Array,
    noise_expected: jax.Array,
    where: jax.Array | None = None,
) -> jax.Array:
    """Reads scores as log-probabilities; logistic loss against noise.

    A word w came from the text with probability p(w) / (p(w) + K q(w)), which is the sigmoid of
    log p(w) - log(K q(w)). Without the second term this is negative sampling, whose scores go to
    log(p / q) - log K instead. As K grows, the gradient approaches that of the full softmax, if
    the scores are those of a normalized model. Training makes them so; a bias helps: the vectors'
    last column, where the center's is 1.

    Args:
      center: [B, D] input vectors.
      context: [B, D] output vectors of the observed neighbors.
      noise: [B, K, D] output vectors of the noise words.
      context_expected: [B] log(K q(w)) of the neighbors: the log of their expected counts among
        the pair's K noise words.
      noise_expected: [B, K] the same of the noise words.
      where: [B, K] bool; False drops a noise word. None keeps all.

    Returns:
      [B] loss of each pair, in nats. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Gutmann & Hyvärinen 2012, JMLR 13; Mnih & Kavukcuoglu 2013, NIPS, eq. 5 to 8.
    """
    observed, noisy = scores_of_text(center, context, noise, context_expected, noise_expected)
    return jax.nn.softplus(-observed) + jnp.sum(jax.nn.softplus(noisy), axis=1, where=where)


def scores_of_text(
    center: jax.Array,
    context: jax.Array,
    noise: jax.Array,
    context_expected: jax.Array,
    noise_expected: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Returns the scores [B] and [B, K] minus log(K q(w)): log odds of text against noise.

    Raises:
      AssertionError: while tracing, if a shape disagrees with those of `nce_loss`.
    """
    batch, dim = center.shape
    chex.assert_shape(context, (batch, dim))
    chex.assert_shape(noise, (batch, None, dim))
    chex.assert_shape(context_expected, (batch,))
    chex.assert_shape(noise_expected, noise.shape[:2])
    exact = jax.lax.Precision.HIGHEST
    observed = jnp.einsum("bd,bd->b", center, context, precision=exact) - context_expected
    noisy = jnp.einsum("bd,bkd->bk", center, noise, precision=exact) - noise_expected
    return observed, noisy
