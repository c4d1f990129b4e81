"""The spectral contrastive loss of linear encoders, solved in closed form."""

import functools

import chex
import jax
import jax.numpy as jnp

# GPUs would otherwise multiply in TF32, and whitened directions would not be uncorrelated.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


@functools.partial(jax.jit, static_argnames="components")
def spectral_contrastive(
    total: jax.Array, shared: jax.Array, *, components: int, ridge: jax.Array | float
) -> jax.Array:
    """Finds the directions in which two views of one object agree most.

    The loss of an encoder f is E[(f(x) . f(y))^2] - 2 E[f(x) . f(x')] over any two views x and y,
    and two views x and x' of one object. Among linear encoders these directions, each times the
    root of its agreement, have the least.

    Args:
      total: [K, K] second moments of views, E[x x'] with x' = x.
      shared: [K, K] second moments of two views of one object, symmetric.
      components: C in 1..K.
      ridge: [] added to the diagonal of `total`, as a share of its mean; more than 0.

    Returns:
      [K, C] directions whose values are uncorrelated and of second moment 1, less with the ridge;
      those that agree most come first.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      HaoChen et al. 2021, arXiv:2106.04156, section 3.2; Chen et al. 2022, arXiv:2209.15261,
      section 2 (the same directions as the embedding that varies least between neighbors).
    """
    size = len(total)
    chex.assert_shape([total, shared], (size, size))
    assert 1 <= components <= size, f"{components} components of {size}"
    values, vectors = jnp.linalg.eigh(total + ridge * jnp.trace(total) / size * jnp.eye(size))
    white = vectors * jax.lax.rsqrt(values)[None, :]
    _, turned = jnp.linalg.eigh(_matmul(white.T, _matmul(shared, white)))
    return _matmul(white, turned[:, ::-1][:, :components])
