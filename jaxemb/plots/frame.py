"""Which part of a map a picture shows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError

# Share of the points that decides where the frame is, along each axis.
_MOST = 0.999
# Points this much beyond it, as a share of its longest side, are framed, too.
_ROOM = 0.25


class Frame(NamedTuple):
    """A box around a map, which a few points that lie far off are left out of.

    Attributes:
      low: [d] its lower corner.
      high: [d] its upper corner.
      outside: [N] bool, the points left out.
    """

    low: np.ndarray
    high: np.ndarray
    outside: np.ndarray

    @property
    def note(self) -> str:
        """A word on what lies outside; empty if nothing does."""
        count = int(self.outside.sum())
        lies = "lies" if count == 1 else "lie"
        return f"{count:,} of {len(self.outside):,} points {lies} outside" if count else ""

    @property
    def slope(self) -> float:
        """Height as a multiple of the width, of a map of two dimensions; at most 2, at least ½."""
        width, height = self.high - self.low
        return float(np.clip(height / width, 0.5, 2)) if width > 0 else 1.0


def frame(points: np.ndarray) -> Frame:
    """Frames a map by 99.9% of its points, and all that are not far from these.

    Args:
      points: [N, d] the map, finite.

    Returns:
      The frame.
    """
    points = np.asarray(points, np.float64)
    low, high = np.quantile(points, [(1 - _MOST) / 2, (1 + _MOST) / 2], axis=0)
    room = _ROOM * (high - low).max()
    low = np.maximum(points.min(axis=0), low - room)
    high = np.minimum(points.max(axis=0), high + room)
    return Frame(low, high, ((points < low) | (points > high)).any(axis=1))


def check_finite(points: np.ndarray, names: Sequence[str] | None = None) -> None:
    """Refuses a map with points that are not finite.

    Raises:
      InputError: naming the first point that is not finite.
    """
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        first = f"number {bad[0]}" if names is None else f"that of {names[bad[0]]!r}"
        raise InputError(
            f"map: {bad.size:,} of {len(points):,} points are not finite, the first {first}; did "
            "the run diverge?"
        )
