"""Negative sampling: tell the observed context from sampled noise words."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

# The loss is only looked at, and costs more than the gradient: it is taken of one word a group.
MEASURED = slice(0, 1)


def negative_sampling_loss(
    centre: jax.Array, context: jax.Array, noise: jax.Array, *, where: jax.Array | None = None
) -> jax.Array:
    """Scores each observed pair against sampled noise words, exactly as the paper has it.

    Args:
      centre: [B, D] input vectors.
      context: [B, D] output vectors of the observed neighbours.
      noise: [B, K, D] output vectors of the noise words.
      where: [B, K] bool; False drops a noise word. None keeps all.

    Returns:
      [B] loss of each pair, in nats. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Mikolov et al. 2013, arXiv:1310.4546, eq. 4 (sign flipped: we minimise).
    """
    batch, dim = centre.shape
    chex.assert_shape(context, (batch, dim))
    chex.assert_shape(noise, (batch, None, dim))
    observed = jnp.einsum("bd,bd->b", centre, context)
    noisy = jnp.einsum("bd,bkd->bk", centre, noise)
    # -log sigmoid(x) written as softplus(-x): finite for large |x|.
    return jax.nn.softplus(-observed) + jnp.sum(jax.nn.softplus(noisy), axis=1, where=where)


class GroupedGradients(NamedTuple):
    """Gradients of the summed loss of G groups of neighbouring words.

    Attributes:
      hidden: [G, S, D] with respect to the vectors that predict.
      outputs: [G, C, D] with respect to the output vectors.
      loss: [G] the summed loss of the predictions of each group's first word, in nats.
      predictions: [G] the number of these predictions.
    """

    hidden: jax.Array
    outputs: jax.Array
    loss: jax.Array
    predictions: jax.Array


def skipgram_gradients(
    hidden: jax.Array,
    outputs: jax.Array,
    left: jax.Array,
    right: jax.Array,
    hidden_scale: jax.Array,
    output_scale: jax.Array,
    *,
    margin: int,
    negatives: float,
) -> GroupedGradients:
    """Takes the gradient of `negative_sampling_loss` over all windows of a text at once.

    A group's S words are centres, and with a margin of W words on either side they are contexts.
    All scores of a group are one matrix product, of which a band belongs to windows. The group
    shares K noise words, each weighed with (contexts of the centre) * negatives / K: over the
    draw of the noise words, the expected gradient is that of the paper's `negatives` words a pair.

    The gradient is written out because the scores' nonlinearity is then one sigmoid; tracing it
    through the loss costs three transcendentals a score.

    Args:
      hidden: [G, S, D] input vectors of the centres.
      outputs: [G, C, D] output vectors of the S + 2W words of the group with its margins, then of
        its K noise words; C is S + 2W + K.
      left: [G, S] contexts to the left of each centre, at most W.
      right: [G, S] contexts to the right.
      hidden_scale: [G, S] factor on each row of the first gradient. Applied to the scores'
        gradient, which is smaller than the rows'.
      output_scale: [G, C] on each row of the second.
      margin: W.
      negatives: noise words a pair.

    Returns:
      The scaled gradients, summed over pairs. A prediction is a pair.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    contexts, columns = size + 2 * margin, outputs.shape[1]
    chex.assert_scalar_positive(columns - contexts)
    chex.assert_shape(outputs, (groups, columns, dim))
    chex.assert_shape([left, right, hidden_scale], (groups, size))
    chex.assert_shape(output_scale, (groups, columns))

    def targets(rows: slice) -> tuple[jax.Array, jax.Array]:
        """Returns which scores are of observed pairs, and all weights, [G, C, rows] each."""
        before, after = left[:, None, rows], right[:, None, rows]
        column = jnp.arange(columns)[None, :, None]
        offset = column - jnp.arange(size)[None, None, rows] - margin
        noise = column >= contexts
        observed = (offset >= -before) & (offset <= after) & (offset != 0) & ~noise
        share = (before + after).astype(hidden.dtype) * (negatives / (columns - contexts))
        return observed, jnp.where(noise, share, observed.astype(hidden.dtype))

    # [G, C, S]: with the smaller matrix on the right, the product packs less.
    scores = jnp.einsum("gcd,gsd->gcs", outputs, hidden)
    observed, weight = targets(slice(None))
    # Without the barriers XLA takes the sigmoid once for each use, and gives the transposed
    # products to a slower kernel.
    to_scores = jax.lax.optimization_barrier(weight * jax.nn.sigmoid(scores) - observed)
    by_centre = jnp.swapaxes(to_scores, 1, 2) * hidden_scale[..., None]
    observed, weight = targets(MEASURED)
    measured = scores[:, :, MEASURED]
    return GroupedGradients(
        jnp.einsum("gsc,gcd->gsd", jax.lax.optimization_barrier(by_centre), outputs),
        jnp.einsum("gcs,gsd->gcd", to_scores * output_scale[..., None], hidden),
        jnp.sum(weight * jax.nn.softplus(jnp.where(observed, -measured, measured)), axis=(1, 2)),
        jnp.sum((left + right)[:, MEASURED], axis=1),
    )


def cbow_gradients(
    hidden: jax.Array,
    outputs: jax.Array,
    present: jax.Array,
    output_scale: jax.Array,
    *,
    negatives: float,
) -> GroupedGradients:
    """Takes the gradient of `negative_sampling_loss` where each word is predicted once.

    Noise words are shared and weighed, and the arrays turned, as in `skipgram_gradients`.

    Args:
      hidden: [G, S, D] what each word's context amounts to.
      outputs: [G, S + K, D] output vectors of the group, then of its noise words.
      present: [G, S] bool; False for a word without a context.
      output_scale: [G, S + K] factor on each row of the second gradient.
      negatives: noise words a prediction.

    Returns:
      The gradients, summed over words, the second one scaled. A prediction is a word.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    words = outputs.shape[1] - size
    chex.assert_scalar_positive(words)
    chex.assert_shape(outputs, (groups, size + words, dim))
    chex.assert_shape(present, (groups, size))
    chex.assert_shape(output_scale, (groups, size + words))

    target, noise = outputs[:, :size], outputs[:, size:]
    weight = present.astype(hidden.dtype)
    share = weight[:, None] * (negatives / words)
    observed = jnp.sum(hidden * target, axis=-1)
    to_observed = weight * (jax.nn.sigmoid(observed) - 1)
    # [G, K, S]
    noisy = jnp.einsum("gkd,gsd->gks", noise, hidden)
    to_noisy = jax.lax.optimization_barrier(share * jax.nn.sigmoid(noisy))
    by_word = jax.lax.optimization_barrier(jnp.swapaxes(to_noisy, 1, 2))
    to_target = (to_observed * output_scale[:, :size])[..., None] * hidden
    scaled = to_noisy * output_scale[:, size:, None]
    noise_loss = jnp.sum((share * jax.nn.softplus(noisy))[:, :, MEASURED], axis=(1, 2))
    return GroupedGradients(
        to_observed[..., None] * target + jnp.einsum("gsk,gkd->gsd", by_word, noise),
        jnp.concatenate([to_target, jnp.einsum("gks,gsd->gkd", scaled, hidden)], axis=1),
        jnp.sum((weight * jax.nn.softplus(-observed))[:, MEASURED], axis=1) + noise_loss,
        jnp.sum(present[:, MEASURED], axis=1),
    )
