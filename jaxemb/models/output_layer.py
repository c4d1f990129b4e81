"""The output layer of a classifier: one column for each class, over vectors of length 1."""

import jax
import jax.numpy as jnp

# With vectors of length 1 it would take columns as long as this to let a softmax decide.
SCALE = 16.0

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


def logits(params: Params, vectors: jax.Array) -> jax.Array:
    """Scores classes.

    Args:
      params: as from `init`.
      vectors: [B, D] of length 1.

    Returns:
      [B, C] logits.
    """
    product = jnp.matmul(vectors, params["kernel"], precision=jax.lax.Precision.HIGHEST)
    return SCALE * product + params["bias"][None, :]
