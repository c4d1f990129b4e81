"""Which part of a map a picture shows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError

# Of so many points, one at each end of an axis doesn't decide where the frame is.
_POINTS_A_STRAY = 1000
# Points this much beyond it, as a share of its longest side, are framed, too.
_ROOM = 0.3


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
    """Frames a map by its 99.9th percentiles, and all points that are not far beyond.

    Args:
      points: [N, d] the map, finite.

    Returns:
      The frame.
    """
    points = np.asarray(points, np.float64)
    strays = len(points) // _POINTS_A_STRAY
    along = np.sort(points, axis=0)
    low, high = along[strays], along[-1 - strays]
    room = _ROOM * (high - low).max()
    low, high = np.maximum(along[0], low - room), np.minimum(along[-1], high + room)
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
