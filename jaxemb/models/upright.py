"""Drawings set upright: centered by their ink and deslanted by its moments."""

import jax
import jax.numpy as jnp

from jaxemb.sampling.augment import resample


def set_upright(images: jax.Array) -> jax.Array:
    """Moves the ink of each drawing to the middle and slants it until it stands upright.

    Upright is ink whose columns, on average, are the same in all rows: how a hand slants, and where
    it wrote, then no longer matters.

    Args:
      images: [B, H, W] ink, at least 0, on black.

    Returns:
      [B, H, W], resampled bilinearly; a drawing without ink, or with ink in a single row, is not
      slanted.

    Reference:
      LeCun et al. 1998, "Gradient-based learning applied to document recognition", section III.A
      ("deslanted" by moments).
    """
    _, height, width = images.shape
    total = images.sum(axis=(1, 2), keepdims=True)
    # Without ink, as if it were everywhere.
    share = jnp.where(total > 0, images / jnp.where(total > 0, total, 1), 1 / (height * width))
    row, column = jnp.arange(height)[None, :, None], jnp.arange(width)[None, None, :]

    def mean(values: jax.Array) -> jax.Array:
        return jnp.sum(share * values, axis=(1, 2), keepdims=True)

    middle_row, middle_column = mean(row), mean(column)
    down, right = row - middle_row, column - middle_column
    variance = mean(jnp.square(down))
    slant = jnp.where(variance > 0, mean(down * right) / jnp.where(variance > 0, variance, 1), 0)
    from_middle = row - (height - 1) / 2
    old_row = middle_row + from_middle
    old_column = middle_column + column - (width - 1) / 2 + slant * from_middle
    places = jnp.stack(jnp.broadcast_arrays(old_row, old_column), axis=-1)
    return resample(images[..., None], places)[..., 0]
