"""The output layer of a classifier: one column for each class, over vectors of length 1."""

import jax
import jax.numpy as jnp

Params = dict[str, jax.Array]


def init(*, dim: int, classes: int) -> Params:
    """Returns the parameters to start from: no class is likelier than another.

    Args:
      dim: D, width of the vectors.
      classes: C.

    Returns:
      "kernel" [D, C] and "bias" [C], zeros; unlike those of layers before it, its weights may be
      equal at first, for their gradients are not.
    """
    return {"kernel": jnp.zeros((dim, classes)), "bias": jnp.zeros(classes)}


def logits(params: Params, vectors: jax.Array, *, scale: float | jax.Array) -> jax.Array:
    """Computes the scores of classes.

    Args:
      params: as from `init`.
      vectors: [B, D] of length 1.
      scale: factor of the products; unit vectors need one, such as 16, for a confident softmax.

    Returns:
      [B, C] logits.
    """
    product = jnp.matmul(vectors, params["kernel"], precision=jax.lax.Precision.HIGHEST)
    return scale * product + params["bias"][None, :]
