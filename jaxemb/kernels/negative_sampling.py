"""Gradients of `losses.negative_sampling`, of all windows of a text at once."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from jaxemb.kernels.grouped import MEASURED, GroupedGradients
from jaxemb.kernels.products import multiply, scaled_transpose


def skipgram_gradients(
    hidden: jax.Array,
    outputs: jax.Array,
    noise: jax.Array,
    left: jax.Array,
    right: jax.Array,
    hidden_scale: jax.Array,
    output_scale: jax.Array,
    noise_scale: jax.Array,
    *,
    margin: int,
    negatives: float,
) -> GroupedGradients:
    """Computes the gradient of `negative_sampling_loss` over all windows of a text at once.

    A group's S words are centers, in blocks of B; a block's words, with a margin of W on either
    side, are contexts. All scores of a block are one matrix product, of which a band belongs to
    windows. The group shares K noise words, each weighted by (contexts of the center) * negatives
    / K: over the draw of the noise words, the expected gradient is that of the paper's `negatives`
    words a pair.

    The gradient is written out because the scores' nonlinearity is then one exponential; tracing it
    through the loss costs three transcendental functions a score.

    Args:
      hidden: [G, S, D] input vectors of the centers. If they, and the output vectors, are bfloat16,
        gradients with respect to scores are rounded to it, too, before they meet them.
      outputs: [G, S / B * (B + 2W), D] output vectors of the words that `cut_blocks` gives.
      noise: [G, K, D] output vectors of the noise words.
      left: [G, S] contexts to the left of each center, at most W.
      right: [G, S] contexts to the right.
      hidden_scale: [G, S] factor on each row of the first gradient. Applied to the scores'
        gradient, which is smaller than the rows'.
      output_scale: [G, S / B * (B + 2W)] on each row of the second.
      noise_scale: [G, K] on each row of that of the noise words.
      margin: W.
      negatives: noise words a pair.

    Returns:
      The scaled gradients, float32, summed over pairs. A prediction is a pair.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    blocks = (outputs.shape[1] - size) // (2 * margin)
    words = outputs.shape[1] // blocks  # B + 2W
    count = noise.shape[1]
    chex.assert_scalar_positive(count)
    chex.assert_shape(outputs, (groups, size + 2 * margin * blocks, dim))
    chex.assert_shape(noise, (groups, count, dim))
    chex.assert_shape([left, right, hidden_scale], (groups, size))
    chex.assert_shape(output_scale, outputs.shape[:2])
    chex.assert_shape(noise_scale, (groups, count))

    def by_block(of_group: jax.Array) -> jax.Array:
        return of_group.reshape(groups * blocks, -1, *of_group.shape[2:])

    # The gradients with respect to scores end in a division because XLA computes a fusion that does
    # so once, any other again for each use. [G * S / B, B + 2W, B]: with the smaller matrix on the
    # right, the product packs less.
    centers, contexts = by_block(hidden), by_block(outputs)
    scores = multiply("gcd,gsd->gcs", contexts, centers)
    column = jnp.arange(words)[None, :, None]
    offset = column - jnp.arange(centers.shape[1])[None, None, :] - margin
    before, after = by_block(left)[:, None], by_block(right)[:, None]
    observed = ((offset >= -before) & (offset <= after) & (offset != 0)).astype(scores.dtype)
    to_scores = -observed / (1 + jnp.exp(scores))  # -sigmoid(-x)
    by_center = scaled_transpose(to_scores, by_block(hidden_scale)[..., None], hidden.dtype)
    by_context = (to_scores * by_block(output_scale)[..., None]).astype(hidden.dtype)

    from_words = multiply("gsc,gcd->gsd", by_center, contexts)
    to_contexts = multiply("gcs,gsd->gcd", by_context, centers)

    share = (left + right).astype(scores.dtype) * (negatives / count)
    apart = _noise_gradients(hidden, noise, share, hidden_scale, noise_scale)
    first = scores.reshape(groups, blocks, words, -1)[:, 0, :, MEASURED]
    measured = observed.reshape(groups, blocks, words, -1)[:, 0, :, MEASURED]
    return GroupedGradients(
        from_words.reshape(hidden.shape) + apart.hidden,
        to_contexts.reshape(outputs.shape),
        jnp.sum(measured * jax.nn.softplus(-first), axis=(1, 2)) + apart.loss,
        jnp.sum((left + right)[:, MEASURED], axis=1),
        apart.noise,
        (scores, by_center, by_context, *apart.held),
    )


class _NoiseGradients(NamedTuple):
    """What noise words add; the fields are those of `GroupedGradients`."""

    hidden: jax.Array
    noise: jax.Array
    loss: jax.Array
    held: tuple[jax.Array, ...]


def _noise_gradients(
    hidden: jax.Array,
    noise: jax.Array,
    share: jax.Array,
    hidden_scale: jax.Array | float,
    noise_scale: jax.Array,
) -> _NoiseGradients:
    """Gradients of the noise terms: vectors [G, S, D], noise [G, K, D], weighted by [G, S]."""
    scores = multiply("gsd,gkd->gsk", hidden, noise)
    # In one row per group: along a last axis of 32 XLA unrolls whole rows, which takes three times
    # as long.
    flat = jax.lax.optimization_barrier(scores.reshape(len(scores), -1))
    to_scores = (1 / (1 + jnp.exp(-flat))).reshape(scores.shape)  # sigmoid(x)
    by_center = (to_scores * (share * hidden_scale)[..., None]).astype(hidden.dtype)
    by_word = scaled_transpose(to_scores, share[:, None] * noise_scale[..., None], hidden.dtype)
    to_hidden = multiply("gsk,gkd->gsd", by_center, noise)
    to_noise = multiply("gks,gsd->gkd", by_word, hidden)
    loss = jnp.sum((share[..., None] * jax.nn.softplus(scores))[:, MEASURED], axis=(1, 2))
    return _NoiseGradients(to_hidden, to_noise, loss, (scores, by_center, by_word))


def cbow_gradients(
    hidden: jax.Array,
    outputs: jax.Array,
    noise: jax.Array,
    present: jax.Array,
    output_scale: jax.Array,
    noise_scale: jax.Array,
    *,
    negatives: float,
) -> GroupedGradients:
    """Computes the gradient of `negative_sampling_loss` where each word is predicted once.

    Noise words are shared and weighted, and arrays transposed, as in `skipgram_gradients`.

    Args:
      hidden: [G, S, D] what each word's context amounts to.
      outputs: [G, S, D] output vectors of the group.
      noise: [G, K, D] of its noise words.
      present: [G, S] bool; False for a word without a context.
      output_scale: [G, S] factor on each row of the second gradient.
      noise_scale: [G, K] on each row of that of the noise words.
      negatives: noise words a prediction.

    Returns:
      The gradients, summed over words, all but the first scaled. A prediction is a word.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    count = noise.shape[1]
    chex.assert_scalar_positive(count)
    chex.assert_shape(outputs, (groups, size, dim))
    chex.assert_shape(noise, (groups, count, dim))
    chex.assert_shape([present, output_scale], (groups, size))
    chex.assert_shape(noise_scale, (groups, count))

    weight = present.astype(hidden.dtype)
    share = weight * (negatives / count)
    observed = jnp.sum(hidden * outputs, axis=-1)
    to_observed = -weight / (1 + jnp.exp(observed))
    apart = _noise_gradients(hidden, noise, share, 1.0, noise_scale)
    return GroupedGradients(
        to_observed[..., None] * outputs + apart.hidden,
        (to_observed * output_scale)[..., None] * hidden,
        jnp.sum((weight * jax.nn.softplus(-observed))[:, MEASURED], axis=1) + apart.loss,
        jnp.sum(present[:, MEASURED], axis=1),
        apart.noise,
        (observed, *apart.held),
    )
