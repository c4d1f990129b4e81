"""Convolutions and maxima of pictures, written so that training is fast on CPU too.

XLA's own convolution takes forty times as long on CPU inside a loop, where training is, as outside.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np

# What makes four neighboring values of a convolution with three weights of six of its input by six
# products in place of twelve: OUT @ ((IN @ input) * (KERNEL @ weights)). Lavin & Gray 2016,
# arXiv:1509.09308, section 4.3.
IN = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float32,
)
KERNEL = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    np.float32,
)
OUT = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    np.float32,
)
TILE, POINTS = OUT.shape
# With fewer channels, what is transformed is larger than the products that it saves.
FEW_CHANNELS = 8


def patches(images: jax.Array, *, stride: int = 1) -> jax.Array:
    """Gathers the 3 x 3 surroundings of pixels; outside a picture is 0.

    A dense layer makes of them a convolution.

    Args:
      images: [B, H, W, C].
      stride: step between output pixels along each axis.

    Returns:
      [B, H / stride, W / stride, 9 C], sides rounded up.
    """
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = images.shape[1:3]
    shifted = [
        padded[:, i : i + height : stride, j : j + width : stride]
        for i in range(3)
        for j in range(3)
    ]
    return jnp.concatenate(shifted, axis=3)


def convolve(images: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolves pictures with 3 x 3 weights; outside a picture is 0.

    With the batch behind the pixels, where what is done along a side is a product with one matrix
    and nothing has to be moved. Lavin & Gray 2016, arXiv:1509.09308: a third of the products of
    the sum over the nine surrounding pixels, equal to it but for rounding.

    Args:
      images: [H, W, B, C].
      kernel: [9 C, F], rows as in `patches`.

    Returns:
      [H, W, B, F].
    """
    height, width, batch, channels = images.shape
    chex.assert_shape(kernel, (9 * channels, None))
    if channels < FEW_CHANNELS:
        padded = jnp.pad(images, ((1, 1), (1, 1), (0, 0), (0, 0))).transpose(3, 0, 1, 2)
        shifted = [padded[:, i : i + height, j : j + width] for i in range(3) for j in range(3)]
        gathered = jnp.stack(shifted).reshape(9 * channels, -1)
        return _product(gathered.T, kernel).reshape(height, width, batch, -1)
    rows_in, rows_out, row_tiles = _along_a_side(height)
    columns_in, columns_out, column_tiles = _along_a_side(width)
    weights = _product(np.kron(KERNEL, KERNEL), kernel.reshape(9, -1))
    # The same for each row of tiles.
    weights = weights.reshape(POINTS, 1, POINTS, channels, -1)
    weights = jnp.broadcast_to(weights, (POINTS, row_tiles, *weights.shape[2:]))
    weights = weights.reshape(-1, channels, weights.shape[-1])

    values = _transform(rows_in, images.reshape(height, -1)).reshape(len(rows_in), width, -1)
    values = _transform(columns_in, values)
    values = _products(values.reshape(-1, column_tiles * batch, channels), weights)
    values = _transform(columns_out, values.reshape(len(rows_in), len(columns_in), -1))
    values = _transform(rows_out, values.reshape(len(rows_in), -1))
    return values.reshape(height, width, batch, -1)


def _along_a_side(size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns IN and OUT for a whole side, [6 T, size] and [size, 6 T], and T, its tiles.

    Of the 6 T rows, those of the same point are neighbors.
    """
    tiles = -(-size // TILE)
    # One more before the side and as many as needed after it, which are 0.
    rows_in = np.zeros((POINTS, tiles, TILE * tiles + 2), np.float32)
    rows_out = np.zeros((TILE * tiles, POINTS, tiles), np.float32)
    for tile in range(tiles):
        start = TILE * tile
        rows_in[:, tile, start : start + POINTS] = IN
        rows_out[start : start + TILE, :, tile] = OUT
    rows_in = rows_in[:, :, 1 : size + 1].reshape(-1, size)
    return rows_in, rows_out[:size].reshape(size, -1), tiles


def _transform(matrix: np.ndarray, values: jax.Array) -> jax.Array:
    """Returns matrix [M, N] times each of values [..., N, X], [..., M, X]."""

    def product(matrix: np.ndarray, values: jax.Array) -> jax.Array:
        # Without this XLA would make one product of it, and move the values before and after.
        each = jnp.broadcast_to(matrix, (*values.shape[:-2], *matrix.shape))
        return _product(each, values)

    # The gradient's matrix written out, because XLA is slow on CPU with a transposed one.
    transposed = np.ascontiguousarray(matrix.T)
    apply = jax.custom_vjp(lambda values: product(matrix, values))
    apply.defvjp(
        lambda values: (product(matrix, values), None),
        lambda _, gradient: (product(transposed, gradient),),
    )
    return apply(values)


@jax.custom_vjp
def _products(values: jax.Array, weights: jax.Array) -> jax.Array:
    """Returns [P, M, F] of [P, M, C] and [P, C, F]."""
    return _product(values, weights)


def _products_forward(
    values: jax.Array, weights: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _product(values, weights), (values, weights)


def _products_backward(
    saved: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    # Written out because XLA's products of what is not yet transposed take one thread on CPU.
    values, weights = (jax.lax.optimization_barrier(part.transpose(0, 2, 1)) for part in saved)
    return _product(gradient, weights), _product(values, gradient)


_products.defvjp(_products_forward, _products_backward)


def _product(left: jax.Array | np.ndarray, right: jax.Array) -> jax.Array:
    return jnp.matmul(left, right, precision=jax.lax.Precision.HIGHEST)


@jax.custom_vjp
def max_pool(images: jax.Array) -> jax.Array:
    """Computes the largest of each 2 x 2 pixels; an odd last row or column is dropped.

    Equal pixels share the gradient.

    Args:
      images: [H, W, B, C].

    Returns:
      [H // 2, W // 2, B, C].
    """
    one, two, three, four = _corners(images)
    return jnp.maximum(jnp.maximum(one, two), jnp.maximum(three, four))


def _corners(images: jax.Array) -> list[jax.Array]:
    """Returns the four pixels of each square, [H // 2, W // 2, B, C] of [H, W, B, C]."""
    height, width = (2 * (side // 2) for side in images.shape[:2])
    return [images[i:height:2, j:width:2] for i in range(2) for j in range(2)]


def _max_pool_forward(images: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    largest = max_pool(images)
    return largest, (images, largest)


def _max_pool_backward(saved: tuple[jax.Array, jax.Array], gradient: jax.Array) -> tuple[jax.Array]:
    # Written out because what JAX derives takes half as long again on CPU.
    images, largest = saved
    count = sum((pixel == largest).astype(gradient.dtype) for pixel in _corners(images))
    # Without the barrier it would be computed for each of the four.
    share = jax.lax.optimization_barrier(gradient / count)
    height, width = (2 * side for side in largest.shape[:2])
    is_largest = images[:height, :width] == _double(largest)
    even = jnp.where(is_largest, _double(share), 0)
    rest = [(0, images.shape[0] - height), (0, images.shape[1] - width), (0, 0), (0, 0)]
    return (jnp.pad(even, rest),)


def _double(images: jax.Array) -> jax.Array:
    """Returns each pixel as 2 x 2, [2 H, 2 W, B, C] of [H, W, B, C]."""
    return jnp.repeat(jnp.repeat(images, 2, axis=0), 2, axis=1)


max_pool.defvjp(_max_pool_forward, _max_pool_backward)
