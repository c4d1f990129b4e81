"""Principal components."""

import functools

import chex
import jax
import jax.numpy as jnp


@functools.partial(jax.jit, static_argnames="components")
def pca(points: jax.Array, *, components: int) -> tuple[jax.Array, jax.Array]:
    """Projects points onto the directions of greatest variance, exactly.

    Args:
      points: [N, D] float.
      components: directions to keep, C in 1..D.

    Returns:
      scores: [N, C] coordinates along each direction, widest first, in the units of `points` and
        centred at 0. A direction's sign is fixed: its entry of largest magnitude is positive.
      explained_variance_ratio: [C] share of the total variance in [0, 1]; 0 if all points are
        equal.

    Raises:
      AssertionError: while tracing, if `points` is no matrix or C is not in 1..D.
    """
    chex.assert_rank(points, 2)
    assert 1 <= components <= points.shape[1], f"{components} components of {points.shape}"
    centred = points - points.mean(axis=0, keepdims=True)
    # GPUs would otherwise multiply in TF32, whose three digits blur the small eigenvalues.
    precision = jax.lax.Precision.HIGHEST
    scatter = jnp.matmul(centred.T, centred, precision=precision)  # [D, D]
    ascending, vectors = jnp.linalg.eigh(scatter)
    # Rounding makes the eigenvalues of a singular matrix slightly negative.
    eigenvalues = jnp.maximum(ascending[::-1], 0)
    directions = vectors[:, ::-1][:, :components]  # [D, C]
    largest = jnp.argmax(jnp.abs(directions), axis=0)
    directions *= jnp.sign(directions[largest, jnp.arange(components)])[None, :]
    total = eigenvalues.sum()
    ratio = eigenvalues[:components] / jnp.where(total > 0, total, 1)
    return jnp.matmul(centred, directions, precision=precision), ratio
