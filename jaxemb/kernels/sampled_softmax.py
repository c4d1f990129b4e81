"""Gradients of `losses.sampled_softmax`, of groups of neighboring words at once."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.kernels.grouped import MEASURED, GroupedGradients


def sampled_softmax_gradients(
    hidden: jax.Array,
    outputs: jax.Array,
    observed: jax.Array,
    output_scale: jax.Array,
) -> GroupedGradients:
    """Computes the gradient of `sampled_softmax_loss` over all predictions of groups of words.

    A group shares its K noise words, so that all its scores are one matrix product. The loss of
    a pair is softplus(log of the sum of the noise words' exponentials - the observed score), of
    which a vector that predicts several words has the first term in common.

    Args:
      hidden: [G, S, D] the vectors that predict.
      outputs: [G, C + K, D] output vectors of C words, then of the noise words. Scores are already
        less log(K q(w)), by a bias for instance.
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
