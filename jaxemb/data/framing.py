"""Drawings made smaller, moved and scaled so that their ink fills the middle, and set upright."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError
from jaxemb.sampling.augment import resample

# Drawings computed at a time.
_AT_A_TIME = 256


def shrink(images: np.ndarray, *, side: int) -> np.ndarray:
    """Makes pictures smaller: each new pixel is the mean over its area.

    Args:
      images: [N, S, S] uint8.
      side: of the result, in pixels.

    Returns:
      [N, side, side] uint8.

    Raises:
      InputError: if the side is less than 1 or the pictures are not square.
    """
    size = _check(images, side)
    middle = np.full((len(images), 2), size / 2)
    return _squares(images, middle, np.full(len(images), float(size)), side)


def frame_ink(images: np.ndarray, *, side: int, extent: float) -> np.ndarray:
    """Cuts a square out of each drawing, around its ink and as large as the ink is spread.

    Where and how large something was drawn then no longer matters.

    Args:
      images: [N, S, S] uint8, ink light on black.
      side: of the result, in pixels.
      extent: side of the square in units of the ink's standard deviation along an axis (the root of
        the mean variance of both). Ink beyond is cut off; about 4 keeps nearly all.

    Returns:
      [N, side, side] uint8, means over areas. Of a drawing without ink or with a single pixel of
      it, that place at its own size.

    Raises:
      InputError: if the side is less than 1, the extent is not finite and more than 0, or the
        pictures are not square.
    """
    size = _check(images, side)
    if not 0 < extent < float("inf"):
        raise InputError(f"extent must be finite and more than 0, found {extent}")
    at = np.arange(size) + 0.5
    middle, extents = [], []
    for start in range(0, len(images), _AT_A_TIME):
        ink = images[start : start + _AT_A_TIME].astype(np.float64)
        total = ink.sum(axis=(1, 2))
        variances = []
        for axis in (2, 1):
            share = ink.sum(axis=axis) / np.where(total > 0, total, 1)[:, None]
            mean = share @ at
            middle.append(np.where(total > 0, mean, size / 2))
            variances.append(np.sum(share * np.square(at[None] - mean[:, None]), axis=1))
        spread = np.sqrt(np.mean(variances, axis=0))
        extents.append(np.where(spread > 0, extent * spread, size))
    rows, columns = np.concatenate(middle[::2]), np.concatenate(middle[1::2])
    return _squares(images, np.stack([rows, columns], axis=1), np.concatenate(extents), side)


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


def _squares(images: np.ndarray, middle: np.ndarray, extents: np.ndarray, side: int) -> np.ndarray:
    """Returns squares [N, side, side] around middles [N, 2], of sides [N] in pixels."""
    pixel = np.arange(images.shape[1])

    def weights(middle: np.ndarray, extents: np.ndarray) -> np.ndarray:
        """Returns [N, side, S], the share that each old pixel has in a new one's stretch."""
        steps = np.arange(side + 1) / side - 0.5
        edges = middle[:, None] + extents[:, None] * steps[None]
        low, high = edges[:, :-1, None], edges[:, 1:, None]
        overlap = np.minimum(high, pixel + 1) - np.maximum(low, pixel)
        return (np.clip(overlap, 0, None) / (high - low)).astype(np.float32)

    squares = np.empty((len(images), side, side), np.uint8)
    for start in range(0, len(images), _AT_A_TIME):
        part = slice(start, start + _AT_A_TIME)
        rows, columns = (weights(middle[part, axis], extents[part]) for axis in (0, 1))
        means = rows @ images[part].astype(np.float32) @ columns.transpose(0, 2, 1)
        squares[part] = np.round(means)
    return squares


def _check(images: np.ndarray, side: int) -> int:
    if side < 1:
        raise InputError(f"the side must be at least 1 pixel, found {side}")
    if images.ndim != 3 or images.shape[1] != images.shape[2]:
        raise InputError(f"expected square pictures [N, S, S], found {list(images.shape)}")
    return images.shape[1]
