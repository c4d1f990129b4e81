"""Descriptors of pictures without learning: the places of colors and edges."""

import chex
import jax
import jax.numpy as jnp

# Cells along each side, and directions of edges.
CELLS, DIRECTIONS = 4, 8


def color_cells(images: jax.Array) -> jax.Array:
    """Computes the mean color of each of 4 x 4 cells.

    Args:
      images: [B, H, W, 3] in [0, 1]; sides are multiples of 4.

    Returns:
      [B, 48] brightness, red against green, and blue against yellow.

    Raises:
      AssertionError: while tracing, if the shape disagrees with the above.
    """
    chex.assert_shape(images, (None, None, None, 3))
    red, green, blue = jnp.moveaxis(images, 3, 0)
    opponent = [(red + green + blue) / 3, (red - green) / 2, (2 * blue - red - green) / 4]
    return _cell_means(jnp.stack(opponent, axis=3))


def edge_cells(images: jax.Array) -> jax.Array:
    """Computes the histogram of edge directions in each of 4 x 4 cells.

    Args:
      images: [B, H, W, 3] float, sides multiples of 4.

    Returns:
      [B, 128] of norm 1: the square root of the amount of edges of each of 8 directions in each
      cell; 0 for a picture without edges.

    Raises:
      AssertionError: while tracing, if the shape disagrees with the above.

    Reference:
      Dalal & Triggs 2005, "Histograms of oriented gradients for human detection", normalized over
      the picture rather than over blocks of cells; Arandjelović & Zisserman 2012 (the root).
    """
    chex.assert_shape(images, (None, None, None, 3))
    gray = jnp.pad(images.mean(axis=3), ((0, 0), (1, 1), (1, 1)), mode="edge")
    down = gray[:, 2:, 1:-1] - gray[:, :-2, 1:-1]
    right = gray[:, 1:-1, 2:] - gray[:, 1:-1, :-2]
    # Light on dark is the same edge as dark on light; an angle between two directions counts for
    # both, by linear interpolation.
    place = jnp.arctan2(down, right) / jnp.pi * DIRECTIONS % DIRECTIONS  # [B, H, W]
    gap = jnp.abs(place[..., None] - jnp.arange(DIRECTIONS)[None, None, None])
    share = jnp.maximum(0, 1 - jnp.minimum(gap, DIRECTIONS - gap))
    histogram = _cell_means(share * jnp.sqrt(down**2 + right**2)[..., None])
    total = histogram.sum(axis=1, keepdims=True)
    return jnp.sqrt(histogram / jnp.where(total > 0, total, 1))


def _cell_means(maps: jax.Array) -> jax.Array:
    """Averages [B, H, W, C] over each of 4 x 4 cells, [B, 16 C]."""
    batch, height, width, channels = maps.shape
    cells = maps.reshape(batch, CELLS, height // CELLS, CELLS, width // CELLS, channels)
    return cells.mean(axis=(2, 4)).reshape(batch, -1)
