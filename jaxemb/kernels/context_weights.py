"""CBOW's hidden layer as a matrix product."""

import jax
import jax.numpy as jnp

from jaxemb.sampling.windows import in_window


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
