"""Batched matrix products that XLA's CPU compiler gives to its fast kernels."""

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike


def multiply(subscripts: str, left: jax.Array, right: jax.Array) -> jax.Array:
    """Computes `jnp.einsum(subscripts, left, right)`, summed in float32 whatever the dtype.

    Args:
      subscripts: of `jnp.einsum`.
      left: first factor.
      right: second factor.

    Returns:
      float32 product.
    """
    return jnp.einsum(subscripts, left, right, preferred_element_type=jnp.float32)


def scaled_transpose(values: jax.Array, scale: jax.Array, dtype: DTypeLike) -> jax.Array:
    """Computes `scale * values.T` of each matrix, ready to be the first factor of `multiply`.

    Args:
      values: [..., M, N].
      scale: [..., N, M], or what broadcasts to it.
      dtype: of the result.

    Returns:
      [..., N, M].
    """
    # Without the barrier XLA gives transposed products to a slower kernel. It multiplies bfloat16
    # as float32 if the first factor lies transposed in memory: the product lies as the scale does
    # if the scale comes first.
    return jax.lax.optimization_barrier((scale * jnp.swapaxes(values, -1, -2)).astype(dtype))
