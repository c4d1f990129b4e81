"""Gradients of `losses.full_softmax`, over the whole vocabulary in bounded memory."""

import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

# Scores held at once: 16 MB of them.
_SCORES = 1 << 22


class FullSoftmaxGradients(NamedTuple):
    """Gradients of the summed loss of G groups of neighboring words.

    Attributes:
      hidden: [G, S, D] with respect to the vectors that predict.
      outputs: [V, D] with respect to the output vectors of all words.
      loss: [G] the summed loss of each group.
      predictions: [G] how many there are.
    """

    hidden: jax.Array
    outputs: jax.Array
    loss: jax.Array
    predictions: jax.Array


def full_softmax_gradients(
    hidden: jax.Array, outputs: jax.Array, words: jax.Array, observed: jax.Array
) -> FullSoftmaxGradients:
    """Computes the gradient of `full_softmax_loss` over all predictions of groups of words.

    A vector that predicts several words has the log of the normalizer in common, as many times.
    Scores of all words are computed and forgotten a block of vectors at a time.

    Args:
      hidden: [G, S, D] the vectors that predict.
      outputs: [V, D] output vectors of all words.
      words: [G, C] int ids; V or more where no word is predicted.
      observed: [G, C, S] float, how often vector s predicts word c.

    Returns:
      The gradients, summed over predictions.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    groups, size, dim = hidden.shape
    chex.assert_shape(outputs, (None, dim))
    chex.assert_shape(words, (groups, None))
    chex.assert_shape(observed, (groups, words.shape[1], size))

    weight = jnp.sum(observed, axis=1)  # [G, S]
    # The largest power of two that divides all rows and gives few enough scores.
    rows = math.gcd(groups * size, 1 << max(0, (_SCORES // len(outputs)).bit_length() - 1))

    def normalize(
        to_outputs: jax.Array, block: tuple[jax.Array, jax.Array]
    ) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        vectors, count = block
        scores = jnp.einsum("nd,vd->nv", vectors, outputs)
        top = jnp.max(scores, axis=1, keepdims=True)
        share = jnp.exp(scores - top)
        total = jnp.sum(share, axis=1, keepdims=True)
        to_scores = jax.lax.optimization_barrier(share * (count[:, None] / total))
        to_outputs += jnp.einsum("nv,nd->vd", to_scores, vectors)
        return to_outputs, ((top + jnp.log(total))[:, 0], to_scores @ outputs)

    blocks = hidden.reshape(-1, rows, dim), weight.reshape(-1, rows)
    to_outputs, (log_sum, pushed) = jax.lax.scan(normalize, jnp.zeros_like(outputs), blocks)
    pulled = jnp.einsum("gcs,gcd->gsd", observed, outputs[words])
    score = jnp.sum(hidden * pulled, axis=-1)
    return FullSoftmaxGradients(
        pushed.reshape(hidden.shape) - pulled,
        to_outputs.at[words].add(-jnp.einsum("gcs,gsd->gcd", observed, hidden)),
        jnp.sum(weight * log_sum.reshape(groups, size) - score, axis=1),
        jnp.sum(weight, axis=1),
    )
