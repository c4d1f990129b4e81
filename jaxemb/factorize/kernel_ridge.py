"""Ridge regression in the space of a Gaussian kernel: a smooth function through known points."""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import pairwise_squared_euclidean

# GPUs would otherwise multiply in TF32, which a nearly singular kernel does not survive.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


class KernelRidge(NamedTuple):
    """A function of points.

    Attributes:
      points: [P, D] where it is known.
      weights: [P, E] of the kernel around each.
      mean: [E] of the function there; far from all of them it is this.
      sharpness: [] of the kernel.
    """

    points: jax.Array
    weights: jax.Array
    mean: jax.Array
    sharpness: jax.Array | float


@jax.jit
def fit(
    points: jax.Array,
    values: jax.Array,
    *,
    sharpness: jax.Array | float,
    penalty: jax.Array | float,
) -> KernelRidge:
    """Finds the function; time grows with the third power of P, memory with the second.

    Args:
      points: [P, D] finite.
      values: [P, E] finite, of the function at the points.
      sharpness: [] of the kernel exp(-sharpness * squared distance); more than 0.
      penalty: [] added to the kernel's diagonal, which is 1; more than 0. The larger, the flatter
        the function.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Saunders, Gammerman & Vovk 1998, "Ridge regression learning algorithm in dual variables".
    """
    chex.assert_rank([points, values], 2)
    chex.assert_equal_shape_prefix([points, values], 1)
    kernel = _kernel(points, points, sharpness)
    mean = values.mean(axis=0)
    lower = jax.scipy.linalg.cho_factor(kernel + penalty * jnp.eye(len(points)), lower=True)
    weights = jax.scipy.linalg.cho_solve(lower, values - mean[None, :])
    return KernelRidge(points, weights, mean, sharpness)


@jax.jit
def predict(fitted: KernelRidge, points: jax.Array) -> jax.Array:
    """Returns the function's values at points [N, D], [N, E]."""
    kernel = _kernel(points, fitted.points, fitted.sharpness)
    return _matmul(kernel, fitted.weights) + fitted.mean[None, :]


def _kernel(points: jax.Array, others: jax.Array, sharpness: jax.Array | float) -> jax.Array:
    return jnp.exp(-sharpness * pairwise_squared_euclidean(points, others))
