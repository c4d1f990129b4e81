"""Oriented gradients: the directions of edges in each part of a picture, whatever the light.

Nothing here is learned. They precede learned layers where examples are too few to learn filters.
"""

import jax
import jax.numpy as jnp
import numpy as np


def oriented_gradients(
    images: jax.Array,
    *,
    orientations: int = 8,
    cell: int = 6,
    blur: float = 0.7,
    pool: float = 4.0,
    contrast: float = 0.01,
) -> jax.Array:
    """Averages gradients of each direction around the center of each cell of a picture.

    A gradient counts for a direction with the fourth power of the cosine of the angle between them.
    Averages are divided by those around them, over all directions, which removes the lighting;
    square roots then keep a few strong edges from outweighing all others.

    Args:
      images: [B, H, W] float from 0 to 1, H and W at least 2.
      orientations: O, directions, evenly spaced over 360 degrees: dark to light and light to dark
        differ.
      cell: pixels from one center to the next.
      blur: standard deviation of the Gaussian before the gradient, in pixels.
      pool: standard deviation of the average's Gaussian, in pixels.
      contrast: gradients fainter than this, in the unit of the images a pixel, fade out.

    Returns:
      [B, H / cell, W / cell, O] in [0, 1], sides rounded up.

    Reference:
      Dalal & Triggs 2005, "Histograms of oriented gradients for human detection", with Gaussian
      instead of square windows and Hellinger's root (Arandjelovic & Zisserman 2012).
    """
    _, height, width = images.shape
    angles = 2 * np.pi * np.arange(orientations) / orientations
    cosines, sines = (
        wave(angles).astype(np.float32)[None, None, None] for wave in (np.cos, np.sin)
    )
    rows, columns = _middles(height, cell), _middles(width, cell)

    def along(from_rows: np.ndarray, values: jax.Array, from_columns: np.ndarray) -> jax.Array:
        product = "ih,bhw...,jw->bij..."
        exact = jax.lax.Precision.HIGHEST
        return jnp.einsum(product, from_rows, values, from_columns, precision=exact)

    blurs = [_gaussian(np.arange(side), np.arange(side), blur) for side in (height, width)]
    down = along(np.gradient(blurs[0], axis=0), images, blurs[1])
    right = along(blurs[0], images, np.gradient(blurs[1], axis=0))
    length = jnp.sqrt(jnp.square(down) + jnp.square(right))[..., None]
    part = right[..., None] * cosines + down[..., None] * sines
    # No direction where there is no gradient.
    share = jax.nn.relu(part) / jnp.where(length > 0, length, 1)
    pooled = along(
        _gaussian(rows, np.arange(height), pool),
        length * share**4,
        _gaussian(columns, np.arange(width), pool),
    )
    around = along(
        _gaussian(rows, rows, 1.5 * cell),
        jnp.sum(jnp.square(pooled), axis=-1),
        _gaussian(columns, columns, 1.5 * cell),
    )
    return jnp.sqrt(pooled / jnp.sqrt(around + contrast**2)[..., None])


def _middles(side: int, cell: int) -> np.ndarray:
    """Returns the middle of each cell along a side, in pixels."""
    return np.arange(cell // 2, side, cell) if side > cell // 2 else np.array([side // 2])


def _gaussian(places: np.ndarray, pixels: np.ndarray, width: float) -> np.ndarray:
    """Returns [places, pixels] weights, which sum to 1 for each place."""
    weights = np.exp(-np.square((places[:, None] - pixels[None, :]) / width) / 2)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
