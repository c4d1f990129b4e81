"""GloVe: scores of words and contexts approach the logarithms of their co-occurrence counts."""

import math

import chex
import jax
import jax.numpy as jnp


def glove_weight(counts: jax.Array, *, x_max: float, alpha: float) -> jax.Array:
    """Computes f(X), the weight of a pair: (X / x_max)^alpha, at most 1; 0 for no count.

    Args:
      counts: [...] X, not negative.
      x_max: count above which all pairs have weight 1.
      alpha: power of the counts up to there; below 1, frequent pairs weigh less than in proportion.

    Returns:
      [...] in [0, 1].

    Reference:
      Pennington, Socher & Manning 2014, "GloVe: Global Vectors for Word Representation", eq. 9.
    """
    present = counts > 0
    # A power is the exponential of a logarithm, which the loss computes anyway.
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
    """Computes ½ f(X) (w · c + b + b' - log X)² of each pair.

    Args:
      words: [B, D] vectors w.
      contexts: [B, D] vectors c.
      word_biases: [B] b.
      context_biases: [B] b'.
      counts: [B] X, not negative. A pair that was never counted has loss and gradient 0.
      x_max: count above which all pairs have weight 1.
      alpha: power of the counts up to there.

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
    weight = glove_weight(counts, x_max=x_max, alpha=alpha)
    return 0.5 * weight * log_count_error(scores, counts) ** 2


def log_count_error(scores: jax.Array, counts: jax.Array) -> jax.Array:
    """Computes score - log X; 0 where there is no pair, whatever the score.

    Args:
      scores: [...].
      counts: [...] X, not negative; 0 for no pair.

    Returns:
      [...].
    """
    present = counts > 0
    return jnp.where(present, scores - jnp.log(jnp.where(present, counts, 1)), 0)
