"""Ridge regression of one matrix on another."""

import functools

import chex
import jax
import jax.numpy as jnp

# GPUs would otherwise multiply in TF32, which blurs small singular values.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


@jax.jit
def ridge(source: jax.Array, target: jax.Array, *, penalty: jax.Array | float) -> jax.Array:
    """Finds the linear map of least squares with a penalty on its size.

    Args:
      source: [P, D] finite float.
      target: [P, E] finite float.
      penalty: [] share of the mean squared singular value of `source`, at least 0. At 0 it is the
        least-squares map, of several the shortest.

    Returns:
      [D, E] matrix W of least sum of squares of `source @ W - target`, plus the penalty times that
      of W.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    chex.assert_rank([source, target], 2)
    chex.assert_equal_shape_prefix([source, target], 1)
    left, values, right = jnp.linalg.svd(source, full_matrices=False)
    squares = jnp.square(values)
    floor = squares[0] * jnp.finfo(source.dtype).eps * max(source.shape)
    amount = penalty * jnp.mean(squares)
    factors = jnp.where(squares > floor, values / (squares + amount), 0)
    return _matmul(right.T * factors[None, :], _matmul(left.T, target))
