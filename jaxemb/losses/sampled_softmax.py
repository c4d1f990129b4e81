"""Sampled softmax: tell the observed word among sampled ones, as if they were all words."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.nce import scores_of_text
from jaxemb.losses.negative_sampling import MEASURED, GroupedGradients


def sampled_softmax_loss(
    center: jax.Array,
    context: jax.Array,
    noise: jax.Array,
    *,
    context_expected: jax.Array,
    noise_expected: jax.Array,
    where: jax.Array | None = None,
) -> jax.Array:
    """Takes the softmax over the observed and K noise words, each for all words of its kind.

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


def sampled_softmax_gradients(
    hidden: jax.Array,
    outputs: jax.Array,
    observed: jax.Array,
    output_scale: jax.Array,
) -> GroupedGradients:
    """Takes the gradient of `sampled_softmax_loss` over all predictions of groups of words.

    A group shares its K noise words, so that all its scores are one matrix product. The loss of
    a pair is softplus(log of the sum of the noise words' exponentials - the observed score), of
    which a vector that predicts several words has the first term in common.

    Args:
      hidden: [G, S, D] the vectors that predict.
      outputs: [G, C + K, D] output vectors of C words, then of the noise words. Scores are already
        less log(K q(w)), by a bias, say.
      observed: [G, C, S] float, how often vector s predicts word c.
      output_scale: [G, C + K] factor on each row of the second gradient.

    Returns:
      The gradients, summed over predictions, the second one scaled.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    words, columns = observed.shape[1], outputs.shape[1]
    chex.assert_scalar_positive(columns - words)
    chex.assert_shape(outputs, (groups, columns, dim))
    chex.assert_shape(observed, (groups, words, size))
    chex.assert_shape(output_scale, (groups, columns))

    scores = jnp.einsum("gcd,gsd->gcs", outputs, hidden)
    noisy = scores[:, words:]
    all_noise = jax.nn.logsumexp(noisy, axis=1, keepdims=True)  # [G, 1, S]
    gap = all_noise - scores[:, :words]
    missed = jax.lax.optimization_barrier(observed * jax.nn.sigmoid(gap))
    to_noise = jnp.exp(noisy - all_noise) * jnp.sum(missed, axis=1, keepdims=True)
    to_scores = jax.lax.optimization_barrier(jnp.concatenate([-missed, to_noise], axis=1))
    by_center = jax.lax.optimization_barrier(jnp.swapaxes(to_scores, 1, 2))
    measured = observed[:, :, MEASURED]
    return GroupedGradients(
        jnp.einsum("gsc,gcd->gsd", by_center, outputs),
        jnp.einsum("gcs,gsd->gcd", to_scores * output_scale[..., None], hidden),
        jnp.sum(measured * jax.nn.softplus(gap[:, :, MEASURED]), axis=(1, 2)),
        jnp.sum(measured, axis=(1, 2)),
    )
