"""GloVe: two tables of vectors and biases, of words and of contexts."""

import functools

import jax
import jax.numpy as jnp

Params = dict[str, jax.Array]


@functools.partial(jax.jit, static_argnames=("vocabulary", "dim", "scale"))
def init(key: jax.Array, *, vocabulary: int, dim: int, scale: float = 0.5) -> Params:
    """Starts both tables; the defaults do as the authors' program does.

    Args:
      key: random key.
      vocabulary: V.
      dim: D.
      scale: S.

    Returns:
      {"vectors": [2V, D + 1]}, uniform in ±S/D: rows of words, then rows of contexts; the bias is
      last. One table, because XLA copies tables that read each other.
    """
    rows = jax.random.uniform(
        key, (2 * vocabulary, dim + 1), jnp.float32, minval=-scale, maxval=scale
    )
    return {"vectors": rows / dim}


def vectors(params: Params) -> jax.Array:
    """Returns the result of training, [V, D]: the sum of both tables without the biases.

    Reference:
      Pennington et al. 2014, section 4.2.
    """
    words, contexts = jnp.split(params["vectors"], 2)
    return (words + contexts)[:, :-1]
