"""Skip-gram and CBOW: two tables of word vectors and how a step reads and changes them."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.sampling.windows import in_window

Params = dict[str, jax.Array]


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


def context_vectors(
    inputs: jax.Array, left: jax.Array, right: jax.Array, *, margin: int, mean: bool
) -> jax.Array:
    """Gathers what surrounds each word: the hidden layer of CBOW.

    Args:
      inputs: [G, S + 2W, D] input vectors of groups of words with their margins.
      left: [G, S] contexts to the left of each centre, at most W.
      right: [G, S] contexts to the right.
      margin: W.
      mean: average the contexts rather than add them.

    Returns:
      [G, S, D]; zeros where there is no context.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Mikolov et al. 2013, arXiv:1301.3781, section 3.1.
    """
    groups, size = left.shape
    columns = size + 2 * margin
    chex.assert_shape(inputs, (groups, columns, None))
    chex.assert_shape(right, (groups, size))
    # [G, S, S + 2W]
    weight = in_window(left, right, margin=margin, columns=columns).astype(inputs.dtype)
    if mean:
        weight /= jnp.maximum(left + right, 1).astype(inputs.dtype)[..., None]
    return jnp.einsum("gsc,gcd->gsd", weight, inputs)
