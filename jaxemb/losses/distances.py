"""Distances between vectors, row by row and of all pairs, with finite gradients.

A square root has an infinite gradient at 0, so that equal points would give NaN. Here a distance of
0 has gradient 0, and so has the cosine of a zero vector.
"""

import chex
import jax
import jax.numpy as jnp

# Up to this width, pairs are subtracted rather than multiplied: no digits cancel, and maps, whose
# close points matter, are not wider.
_NARROW = 8


def safe_norm(vectors: jax.Array, *, keepdims: bool = False) -> jax.Array:
    """Returns Euclidean norms, whose gradient at the zero vector is 0.

    Args:
      vectors: [..., D] float of any size; squares neither overflow nor vanish.
      keepdims: whether the result has a last axis of 1.

    Returns:
      [...] norms.
    """
    # The result doesn't depend on the divisor, so neither does its gradient.
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(vectors), axis=-1, keepdims=True))
    nonzero = largest > 0
    scaled = vectors / jnp.where(nonzero, largest, 1)
    norm = largest * _safe_sqrt(jnp.sum(jnp.square(scaled), axis=-1, keepdims=True))
    return norm if keepdims else norm[..., 0]


def unit(vectors: jax.Array) -> jax.Array:
    """Divides vectors by their norms; a zero vector stays zero, with zero gradient.

    Args:
      vectors: [..., D] float of any size.

    Returns:
      [..., D] vectors of norm 1 or 0.
    """
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(vectors), axis=-1, keepdims=True))
    nonzero = largest > 0
    scaled = vectors / jnp.where(nonzero, largest, 1)
    squares = jnp.sum(jnp.square(scaled), axis=-1, keepdims=True)
    return jnp.where(nonzero, scaled / jnp.sqrt(jnp.where(nonzero, squares, 1)), 0)


def squared_euclidean(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns the squared Euclidean distance of each row of x to that of y.

    Args:
      x: [B, D] of sizes up to 1e17, whose squares are float32 numbers.
      y: [B, D].

    Returns:
      [B].

    Raises:
      AssertionError: while tracing, if the shapes differ.
    """
    _check_rows(x, y)
    return jnp.sum(jnp.square(x - y), axis=1)


def euclidean(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns the Euclidean distance [B] of each row of x [B, D] to that of y [B, D]."""
    _check_rows(x, y)
    return safe_norm(x - y)


def cosine(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns 1 - cosine of each row of x to that of y.

    Args:
      x: [B, D].
      y: [B, D].

    Returns:
      [B] in [0, 2] up to rounding; 1 where a vector is zero.

    Raises:
      AssertionError: while tracing, if the shapes differ.
    """
    _check_rows(x, y)
    return 1 - jnp.sum(unit(x) * unit(y), axis=1)


def l1(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns the sum [B] of absolute differences of each row of x [B, D] to that of y [B, D]."""
    _check_rows(x, y)
    return jnp.sum(_abs(x - y), axis=1)


def pairwise_squared_euclidean(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns the squared Euclidean distance of every row of x to every row of y.

    Wide vectors are multiplied, which is fast and leaves an error of about 1e-6 of the squared
    distance to the common mean; so a point's distance to itself is not exactly 0.

    Args:
      x: [N, D] of sizes up to 1e17.
      y: [M, D].

    Returns:
      [N, M], at least 0.

    Raises:
      AssertionError: while tracing, if the widths differ.
    """
    _check_widths(x, y)
    if x.shape[1] <= _NARROW:
        # A column at a time: a sum over an axis this short would not be vectorized.
        columns = zip(x.T, y.T, strict=True)
        return sum(
            (jnp.square(a[:, None] - b[None, :]) for a, b in columns), jnp.zeros((), x.dtype)
        )
    # Distances don't change when all points are shifted, but fewer digits cancel. The gradient
    # stays correct: what it lacks through the mean sums to zero.
    mean = jax.lax.stop_gradient((x.mean(axis=0) + y.mean(axis=0)) / 2)[None, :]
    x, y = x - mean, y - mean
    product = jnp.matmul(x, y.T, precision=jax.lax.Precision.HIGHEST)
    squares = jnp.sum(jnp.square(x), axis=1)[:, None] + jnp.sum(jnp.square(y), axis=1)[None, :]
    # Where squares overflow, so may the product: their difference would be NaN.
    return jnp.where(jnp.isinf(squares), squares, jnp.maximum(squares - 2 * product, 0))


def pairwise_euclidean(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns the Euclidean distance of every row of x to every row of y.

    Args:
      x: [N, D] of any size. For wide vectors, distances below a thousandth of that to the mean are
        rounding error (see `pairwise_squared_euclidean`).
      y: [M, D].

    Returns:
      [N, M].

    Raises:
      AssertionError: while tracing, if the widths differ.
    """
    _check_widths(x, y)
    largest = jnp.maximum(jnp.max(jnp.abs(x)), jnp.max(jnp.abs(y)))
    scale = jax.lax.stop_gradient(jnp.where(largest > 0, largest, 1))
    return scale * _safe_sqrt(pairwise_squared_euclidean(x / scale, y / scale))


def pairwise_cosine(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns 1 - cosine of every row of x to every row of y.

    Args:
      x: [N, D].
      y: [M, D].

    Returns:
      [N, M] in [0, 2] up to rounding; 1 where a vector is zero.

    Raises:
      AssertionError: while tracing, if the widths differ.
    """
    _check_widths(x, y)
    return 1 - jnp.matmul(unit(x), unit(y).T, precision=jax.lax.Precision.HIGHEST)


def pairwise_l1(x: jax.Array, y: jax.Array) -> jax.Array:
    """Returns the sum of absolute differences of every row of x to every row of y.

    Args:
      x: [N, D].
      y: [M, D].

    Returns:
      [N, M]; its gradient needs memory for N * M * D numbers.

    Raises:
      AssertionError: while tracing, if the widths differ.
    """
    _check_widths(x, y)
    return jnp.sum(_abs(x[:, None, :] - y[None, :, :]), axis=2)


def _safe_sqrt(squares: jax.Array) -> jax.Array:
    positive = squares > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, squares, 1)), 0)


def _abs(values: jax.Array) -> jax.Array:
    # jnp.abs has gradient 1 at 0, which would move equal points.
    return values * jax.lax.stop_gradient(jnp.sign(values))


def _check_rows(x: jax.Array, y: jax.Array) -> None:
    chex.assert_rank([x, y], 2)
    chex.assert_equal_shape([x, y])


def _check_widths(x: jax.Array, y: jax.Array) -> None:
    chex.assert_rank([x, y], 2)
    chex.assert_shape(y, (None, x.shape[1]))
