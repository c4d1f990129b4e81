"""Negative sampling: tell the observed context from sampled noise words."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

# The loss is only looked at, and costs more than the gradient: it is taken of one word a group.
MEASURED = slice(0, 1)


def negative_sampling_loss(
    center: jax.Array, context: jax.Array, noise: jax.Array, *, where: jax.Array | None = None
) -> jax.Array:
    """Scores each observed pair against sampled noise words, exactly as the paper has it.

    Args:
      center: [B, D] input vectors.
      context: [B, D] output vectors of the observed neighbors.
      noise: [B, K, D] output vectors of the noise words.
      where: [B, K] bool; False drops a noise word. None keeps all.

    Returns:
      [B] loss of each pair, in nats. Not averaged.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Mikolov et al. 2013, arXiv:1310.4546, eq. 4 (sign flipped: we minimize).
    """
    batch, dim = center.shape
    chex.assert_shape(context, (batch, dim))
    chex.assert_shape(noise, (batch, None, dim))
    observed = jnp.einsum("bd,bd->b", center, context)
    noisy = jnp.einsum("bd,bkd->bk", center, noise)
    # -log sigmoid(x) written as softplus(-x): finite for large |x|.
    return jax.nn.softplus(-observed) + jnp.sum(jax.nn.softplus(noisy), axis=1, where=where)


class GroupedGradients(NamedTuple):
    """Gradients of the summed loss of G groups of neighboring words.

    Attributes:
      hidden: [G, S, D] with respect to the vectors that predict.
      outputs: [G, C, D] with respect to the output vectors, scaled.
      loss: [G] loss of the predictions of each group's first word, summed, in nats.
      predictions: [G] how many those are.
      noise: [G, K, D] with respect to noise words that are no columns of `outputs`, scaled.
      held: what the products read, of any shapes, for `training.parts.hold`.
    """

    hidden: jax.Array
    outputs: jax.Array
    loss: jax.Array
    predictions: jax.Array
    noise: jax.Array | tuple[()] = ()
    held: tuple[jax.Array, ...] = ()


def multiply(subscripts: str, left: jax.Array, right: jax.Array) -> jax.Array:
    """Multiplies as `jnp.einsum` does, and sums in float32 whatever the factors' type."""
    return jnp.einsum(subscripts, left, right, preferred_element_type=jnp.float32)


def turned(values: jax.Array, scale: jax.Array, dtype: DTypeLike) -> jax.Array:
    """Transposes matrices and scales them, ready to be the first factor of `multiply`.

    Args:
      values: [..., M, N].
      scale: [..., N, M], or what broadcasts to it.
      dtype: of the result.

    Returns:
      [..., N, M].
    """
    # Without the barrier XLA gives transposed products to a slower kernel. It multiplies bfloat16
    # as float32 if the first factor lies turned in memory: what is scaled lies as the scale does,
    # if that comes first.
    return jax.lax.optimization_barrier((scale * jnp.swapaxes(values, -1, -2)).astype(dtype))


def cut_blocks(words: jax.Array, *, margin: int, block: int) -> jax.Array:
    """Cuts stretches of words into overlapping blocks, each of some centers and all their contexts.

    Args:
      words: [G, S + 2W].
      margin: W.
      block: B centers a block; it divides S.

    Returns:
      [G, S / B * (B + 2W)], block after block.
    """
    starts = range(0, words.shape[1] - 2 * margin, block)
    return jnp.concatenate([words[:, i : i + block + 2 * margin] for i in starts], axis=1)


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
    """Takes the gradient of `negative_sampling_loss` over all windows of a text at once.

    A group's S words are centers, in blocks of B; a block's words, with a margin of W on either
    side, are contexts. All scores of a block are one matrix product, of which a band belongs to
    windows. The group shares K noise words, each weighed with (contexts of the center) * negatives
    / K: over the draw of the noise words, the expected gradient is that of the paper's `negatives`
    words a pair.

    The gradient is written out because the scores' nonlinearity is then one exponential; tracing it
    through the loss costs three transcendentals a score.

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
    by_center = turned(to_scores, by_block(hidden_scale)[..., None], hidden.dtype)
    by_context = (to_scores * by_block(output_scale)[..., None]).astype(hidden.dtype)

    from_words = multiply("gsc,gcd->gsd", by_center, contexts)
    to_contexts = multiply("gcs,gsd->gcd", by_context, centers)

    share = (left + right).astype(scores.dtype) * (negatives / count)
    apart = _from_noise(hidden, noise, share, hidden_scale, noise_scale)
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


class _FromNoise(NamedTuple):
    """What noise words add, as in `GroupedGradients`."""

    hidden: jax.Array
    noise: jax.Array
    loss: jax.Array
    held: tuple[jax.Array, ...]


def _from_noise(
    hidden: jax.Array,
    noise: jax.Array,
    share: jax.Array,
    hidden_scale: jax.Array | float,
    noise_scale: jax.Array,
) -> _FromNoise:
    """Tells vectors [G, S, D] from a group's noise words [G, K, D], each weighed with [G, S]."""
    scores = multiply("gsd,gkd->gsk", hidden, noise)
    # In one row a group: along a last axis of 32 XLA unrolls whole rows, which takes three times as
    # long.
    flat = jax.lax.optimization_barrier(scores.reshape(len(scores), -1))
    to_scores = (1 / (1 + jnp.exp(-flat))).reshape(scores.shape)  # sigmoid(x)
    by_center = (to_scores * (share * hidden_scale)[..., None]).astype(hidden.dtype)
    by_word = turned(to_scores, share[:, None] * noise_scale[..., None], hidden.dtype)
    to_hidden = multiply("gsk,gkd->gsd", by_center, noise)
    to_noise = multiply("gks,gsd->gkd", by_word, hidden)
    loss = jnp.sum((share[..., None] * jax.nn.softplus(scores))[:, MEASURED], axis=(1, 2))
    return _FromNoise(to_hidden, to_noise, loss, (scores, by_center, by_word))


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
    """Takes the gradient of `negative_sampling_loss` where each word is predicted once.

    Noise words are shared and weighed, and the arrays turned, as in `skipgram_gradients`.

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
    apart = _from_noise(hidden, noise, share, 1.0, noise_scale)
    return GroupedGradients(
        to_observed[..., None] * outputs + apart.hidden,
        (to_observed * output_scale)[..., None] * hidden,
        jnp.sum((weight * jax.nn.softplus(-observed))[:, MEASURED], axis=1) + apart.loss,
        jnp.sum(present[:, MEASURED], axis=1),
        apart.noise,
        (observed, *apart.held),
    )
