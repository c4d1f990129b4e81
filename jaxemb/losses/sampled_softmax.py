"""Sampled softmax: tell the observed word among sampled ones, as if they were all words."""

import jax
import jax.numpy as jnp

from jaxemb.losses.nce import scores_of_text


def sampled_softmax_loss(
    center: jax.Array,
    context: jax.Array,
    noise: jax.Array,
    *,
    context_expected: jax.Array,
    noise_expected: jax.Array,
    where: jax.Array | None = None,
) -> jax.Array:
    """Computes a softmax loss of observed and noise words, each weighted by 1 / its expected count.

    A word that is expected n times in the sample counts 1 / n times, so that the denominator is an
    unbiased estimate of the full softmax's, plus the observed word's share, which vanishes as K
    grows: then the gradient goes to that of the full softmax.

    Args:
      center: [B, D] input vectors.
      context: [B, D] output vectors of the observed neighbors.
      noise: [B, K, D] output vectors of the noise words.
      context_expected: [B] log(K q(w)) of the neighbors: the log of how often each is expected
        among the pair's K noise words.
      noise_expected: [B, K] the same of the noise words.
      where: [B, K] bool; False drops a noise word. None keeps all.

    Returns:
      [B] loss of each pair, in nats; 0 without noise words. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Bengio & Senécal 2008, IEEE TNN 19(4); Jean et al. 2015, arXiv:1412.2007, section 3.
    """
    observed, noisy = scores_of_text(center, context, noise, context_expected, noise_expected)
    present = jnp.ones(noisy.shape, bool) if where is None else where
    among = jnp.concatenate([jnp.zeros_like(observed)[:, None], noisy - observed[:, None]], axis=1)
    kept = jnp.concatenate([jnp.ones((len(noisy), 1), bool), present], axis=1)
    return jax.nn.logsumexp(among, axis=1, where=kept)
