"""GloVe: scores of words and contexts approach the logarithms of their co-occurrence counts."""

import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp


def glove_weight(counts: jax.Array, *, x_max: float, alpha: float) -> jax.Array:
    """Returns f(X), how much a count matters: (X / x_max)^alpha, at most 1; for no count 0.

    Args:
      counts: [...] X, not negative.
      x_max: from here on all counts matter alike.
      alpha: below 1, frequent pairs matter less than in proportion.

    Returns:
      [...] in [0, 1].

    Reference:
      Pennington, Socher & Manning 2014, "GloVe: Global Vectors for Word Representation", eq. 9.
    """
    present = counts > 0
    # A power is an exponential of a logarithm, which the loss takes anyway.
    power = jnp.exp(alpha * (jnp.log(jnp.where(present, counts, 1)) - math.log(x_max)))
    return jnp.where(present, jnp.minimum(power, 1), 0)


def glove_loss(
    words: jax.Array,
    contexts: jax.Array,
    word_biases: jax.Array,
    context_biases: jax.Array,
    counts: jax.Array,
    *,
    x_max: float = 100.0,
    alpha: float = 0.75,
) -> jax.Array:
    """Takes ½ f(X) (w · c + b + b' - log X)² of each pair.

    Args:
      words: [B, D] vectors w.
      contexts: [B, D] vectors c.
      word_biases: [B] b.
      context_biases: [B] b'.
      counts: [B] X, not negative. A pair that was never counted has loss and gradient 0.
      x_max: from here on all counts matter alike.
      alpha: power of the counts below.

    Returns:
      [B] losses; their mean is the cost that the authors' program shows.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Pennington et al. 2014, eq. 8, with the ½ of the authors' program.
    """
    chex.assert_equal_shape([words, contexts])
    chex.assert_shape([word_biases, context_biases, counts], words.shape[:1])
    scores = jnp.sum(words * contexts, axis=-1) + word_biases + context_biases
    return 0.5 * glove_weight(counts, x_max=x_max, alpha=alpha) * _error(scores, counts) ** 2


class GloveGradients(NamedTuple):
    """What some of a word's pairs say of its vector.

    Attributes:
      rows: [P, D + 1] gradients of the rows' vectors and biases, summed over pairs.
      loss: [P] summed over pairs.
    """

    rows: jax.Array
    loss: jax.Array


def glove_gradients(
    rows: jax.Array,
    others: jax.Array,
    counts: jax.Array,
    *,
    x_max: float = 100.0,
    alpha: float = 0.75,
) -> GloveGradients:
    """Takes the gradient of `glove_loss` over pairs of each row with several others.

    Only that of the rows: where X is symmetric, a word's pairs as a word are its pairs as a
    context, too, so that each table can wait until its own rows are at hand. Nothing is then
    scattered but one row for many pairs. Written out because the gradient of a gather, which
    tracing would add, is such a scatter.

    Args:
      rows: [P, D + 1] vectors of one table, the bias last.
      others: [P, L, D + 1] of the other table.
      counts: [P, L] X of the pairs, not negative; 0 for no pair.
      x_max: from here on all counts matter alike.
      alpha: power of the counts below.

    Returns:
      The gradients.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    pieces, length = counts.shape
    width = rows.shape[-1]
    chex.assert_shape(rows, (pieces, width))
    chex.assert_shape(others, (pieces, length, width))
    # With 1 for the bias of the others; the rows' own is the same for all pairs.
    vectors = rows.at[:, -1].set(1)
    scores = jnp.einsum("pld,pd->pl", others, vectors) + rows[:, -1:]
    error = _error(scores, counts)
    weighed = glove_weight(counts, x_max=x_max, alpha=alpha) * error
    to_rows = jnp.einsum("pl,pld->pd", jax.lax.optimization_barrier(weighed), others)
    return GloveGradients(
        to_rows.at[:, -1].set(weighed.sum(axis=1)), 0.5 * jnp.sum(weighed * error, axis=1)
    )


def _error(scores: jax.Array, counts: jax.Array) -> jax.Array:
    """Returns by how much scores miss, [...]; 0 where there is no pair, whatever the score."""
    present = counts > 0
    return jnp.where(present, scores - jnp.log(jnp.where(present, counts, 1)), 0)
