"""Skip-gram and CBOW: two tables of word vectors and how a step reads and changes them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

Params = dict[str, jax.Array]


@functools.partial(jax.jit, static_argnames=("vocabulary", "dim"))
def init(key: jax.Array, *, vocabulary: int, dim: int) -> Params:
    """Starts both tables as the word2vec code does.

    Args:
      key: random key.
      vocabulary: V.
      dim: D.

    Returns:
      {"input": [V, D] uniform in ±1/(2D), "output": [V, D] zeros}. The input vectors are the
      result of training.
    """
    uniform = jax.random.uniform(key, (vocabulary, dim), jnp.float32, minval=-0.5, maxval=0.5)
    return {"input": uniform / dim, "output": jnp.zeros((vocabulary, dim), jnp.float32)}


def with_biases(params: Params, counts: np.ndarray) -> Params:
    """Gives each word a bias, so that the first scores are log relative frequencies.

    Objectives whose scores are log probabilities need it: without, all vectors would have to share
    a direction that tells how frequent a word is.

    Args:
      params: from `init`.
      counts: [V] occurrences of each word, above 0.

    Returns:
      The tables; "output" is [V, D + 1], the bias last.
    """
    share = np.asarray(counts, np.float64) / np.sum(counts)
    biases = jnp.asarray(np.log(share)[:, None], jnp.float32)
    return params | {"output": jnp.concatenate([params["output"], biases], axis=1)}


def with_inner_nodes(params: Params) -> Params:
    """Replaces the words of the output table by the inner nodes of a binary tree over them.

    Args:
      params: from `init`.

    Returns:
      The tables; "output" is [V - 1, D], zeros.
    """
    return params | {"output": params["output"][1:]}
