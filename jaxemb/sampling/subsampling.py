"""Subsampling of frequent words."""

import jax
import jax.numpy as jnp


def keep_probability(counts: jax.Array, *, words: int, threshold: float) -> jax.Array:
    """Returns how likely each word's occurrences are to stay.

    The released word2vec code keeps a word of relative frequency f with probability
    sqrt(t / f) + t / f, more than the paper's sqrt(t / f); peers do the same, so do we.

    Args:
      counts: [V] occurrences of each word in the corpus.
      words: length of the corpus, words outside the vocabulary included.
      threshold: t, a relative frequency; 0 keeps everything.

    Returns:
      [V + 1] float32 probabilities; the last is 0, for words outside the vocabulary.

    Reference:
      Mikolov et al. 2013, arXiv:1310.4546, section 2.3.
    """
    frequency = jnp.maximum(counts.astype(jnp.float32), 1.0) / words
    ratio = threshold / frequency if threshold > 0 else jnp.full_like(frequency, jnp.inf)
    return jnp.append(jnp.minimum(jnp.sqrt(ratio) + ratio, 1.0), 0.0)


def subsample(key: jax.Array, ids: jax.Array, keep: jax.Array) -> jax.Array:
    """Draws which words of a text stay.

    Args:
      key: drawn from here.
      ids: [N] word ids; V or more stands for any word outside the vocabulary.
      keep: [V + 1] from `keep_probability`.

    Returns:
      [N] bool, True for the words that stay.
    """
    # uniform() lies in [0, 1), so that probability 0 never and 1 always keeps.
    return jax.random.uniform(key, ids.shape) < keep[jnp.minimum(ids, keep.size - 1)]
