"""Drawings made smaller, or moved and scaled so that their ink fills the middle."""

import numpy as np

from jaxemb.errors import InputError

# Drawings in a block.
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
      [N, side, side] uint8, means over areas. A drawing without ink is kept whole, and one with
      a single pixel of it is centered there; both stay at their own size.

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


def _squares(images: np.ndarray, middle: np.ndarray, extents: np.ndarray, side: int) -> np.ndarray:
    """Returns squares [N, side, side] around middles [N, 2], of sides [N] in pixels."""
    pixel = np.arange(images.shape[1])

    def weights(middle: np.ndarray, extents: np.ndarray) -> np.ndarray:
        """Returns [N, side, S], the share of each new pixel's length that each old one covers."""
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
