"""Negative sampling: tell the observed context from sampled noise words."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from jaxemb.sampling.windows import in_window

# The loss is a measurement, costlier than the gradient; every LOSS_ROWS-th centre has it taken.
LOSS_ROWS = 8


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
      loss: [G] the summed loss of every LOSS_ROWS-th centre's predictions, in nats.
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
      outputs: [G, S + 2W + K, D] output vectors of the group with its margins, then of the noise.
      left: [G, S] contexts to the left of each centre, at most W.
      right: [G, S] contexts to the right.
      margin: W.
      negatives: noise words a pair.

    Returns:
      The gradients, summed over pairs; C is S + 2W + K, a pair is a prediction.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    contexts, columns = size + 2 * margin, outputs.shape[1]
    chex.assert_scalar_positive(columns - contexts)
    chex.assert_shape(outputs, (groups, columns, dim))
    chex.assert_shape([left, right], (groups, size))

    column = jax.lax.broadcasted_iota(jnp.int32, (groups, size, columns), 2)
    noise = column >= contexts
    observed = in_window(left, right, margin=margin, columns=columns) & ~noise
    share = (left + right).astype(hidden.dtype) * (negatives / (columns - contexts))
    weight = jnp.where(noise, share[..., None], observed.astype(hidden.dtype))

    scores = jnp.einsum("gsd,gcd->gsc", hidden, outputs)
    gradient = weight * jax.nn.sigmoid(scores) - observed
    measured = slice(None, None, LOSS_ROWS)
    signed = jnp.where(observed, -scores, scores)[:, measured]
    return GroupedGradients(
        jnp.einsum("gsc,gcd->gsd", gradient, outputs),
        jnp.einsum("gsc,gsd->gcd", gradient, hidden),
        jnp.sum(weight[:, measured] * jax.nn.softplus(signed), axis=(1, 2)),
        jnp.sum((left + right)[:, measured], axis=1),
    )


def cbow_gradients(
    hidden: jax.Array, outputs: jax.Array, present: jax.Array, *, negatives: float
) -> GroupedGradients:
    """Takes the gradient of `negative_sampling_loss` where each word is predicted once.

    Noise words are shared and weighed as in `skipgram_gradients`.

    Args:
      hidden: [G, S, D] what each word's context amounts to.
      outputs: [G, S + K, D] output vectors of the group, then of its noise words.
      present: [G, S] bool; False for a word without a context.
      negatives: noise words a prediction.

    Returns:
      The gradients, summed over words; C is S + K.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    words = outputs.shape[1] - size
    chex.assert_scalar_positive(words)
    chex.assert_shape(outputs, (groups, size + words, dim))
    chex.assert_shape(present, (groups, size))

    target, noise = outputs[:, :size], outputs[:, size:]
    weight = present.astype(hidden.dtype)
    share = weight[..., None] * (negatives / words)
    observed = jnp.sum(hidden * target, axis=-1)
    noisy = jnp.einsum("gsd,gkd->gsk", hidden, noise)
    to_target = (weight * (jax.nn.sigmoid(observed) - 1))[..., None]
    to_noise = share * jax.nn.sigmoid(noisy)
    measured = slice(None, None, LOSS_ROWS)
    noise_loss = (share * jax.nn.softplus(noisy))[:, measured].sum((1, 2))
    return GroupedGradients(
        to_target * target + jnp.einsum("gsk,gkd->gsd", to_noise, noise),
        jnp.concatenate([to_target * hidden, jnp.einsum("gsk,gsd->gkd", to_noise, hidden)], axis=1),
        (weight * jax.nn.softplus(-observed))[:, measured].sum(1) + noise_loss,
        present[:, measured].sum(1),
    )
