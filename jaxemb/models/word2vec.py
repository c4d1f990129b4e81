"""Skip-gram and CBOW: two tables of word vectors and how a step reads and changes them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.sampling.windows import in_window

Params = dict[str, jax.Array]


@functools.partial(jax.jit, static_argnames=("vocabulary", "dim"))
def init(key: jax.Array, *, vocabulary: int, dim: int) -> Params:
    """Starts both tables as the word2vec code does.

    Args:
      key: drawn from here.
      vocabulary: V.
      dim: D.

    Returns:
      {"input": [V, D] uniform in ±1/(2D), "output": [V, D] zeros}. The input vectors are the
      result of training.
    """
    uniform = jax.random.uniform(key, (vocabulary, dim), minval=-0.5, maxval=0.5)
    return {"input": uniform / dim, "output": jnp.zeros((vocabulary, dim))}


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


def context_weights(left: jax.Array, right: jax.Array, *, margin: int, mean: bool) -> jax.Array:
    """Returns what each word of a group contributes to the hidden layer of CBOW.

    The hidden vectors [G, S, D] are these weights times the words' input vectors, the context's
    mean or sum; the gradient goes back through the transposed weights.

    Args:
      left: [G, S] contexts to the left of each center, at most W.
      right: [G, S] contexts to the right.
      margin: W.
      mean: average the contexts rather than add them.

    Returns:
      [G, S, S + 2W]; a row of zeros where there is no context.

    Reference:
      Mikolov et al. 2013, arXiv:1301.3781, section 3.1.
    """
    columns = left.shape[1] + 2 * margin
    weight = in_window(left, right, margin=margin, columns=columns).astype(jnp.float32)
    if mean:
        weight /= jnp.maximum(left + right, 1).astype(jnp.float32)[..., None]
    return weight
