"""Pairs of images with their distances, and queries with what lies nearest; mistakes are marked."""

from collections.abc import Sequence
from pathlib import Path

import chex
import numpy as np
from matplotlib.axes import Axes

from jaxemb.plots.style import (
    COLORS,
    INK,
    add_heading,
    gray_scale,
    hide_ticks,
    is_drawing,
    new_figure,
    save,
)

_RIGHT, _WRONG = COLORS[0], COLORS[2]  # blue and red


def write_pairs(
    path: Path,
    first: np.ndarray,
    second: np.ndarray,
    distances: np.ndarray,
    same: np.ndarray,
    *,
    threshold: float,
    columns: int = 4,
    title: str = "",
) -> None:
    """Draws pairs side by side, with what the threshold says of each: framed blue if it's right.

    Args:
      path: the picture.
      first: [M, H, W] or [M, H, W, 3] uint8, M at least 1.
      second: of the same shape.
      distances: [M].
      same: [M] bool, True for two of the same individual.
      threshold: pairs at most as far apart are called the same.
      columns: pairs in a row.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      OSError: if the file cannot be written.
    """
    chex.assert_equal_shape([first, second])
    chex.assert_shape([distances, same], (len(first),))
    rows = -(-len(first) // columns)
    height, width = first.shape[1:3]
    # Two images wide, and room for a line of text above.
    figure = new_figure(2.1 * columns, 0.5 + rows * (0.3 + 0.95 * height / width))
    add_heading(figure, title)
    gap = np.full((height, max(1, width // 12), *first.shape[3:]), _paper(first), np.uint8)
    shown = zip(first, second, distances, same, strict=True)
    for axes, (one, other, distance, of_same) in zip(
        figure.subplots(rows, columns, squeeze=False).flat, shown, strict=False
    ):
        called = "same" if distance <= threshold else "different"
        right = (distance <= threshold) == of_same
        _draw(axes, np.concatenate([one, gap, other], axis=1), first, right=bool(right))
        verdict = f"{distance:.3f}: {called}" + (", wrong" if not right else "")
        axes.set_title(verdict, fontsize=8, color=_RIGHT if right else _WRONG, pad=3)
    for axes in figure.axes[len(first) :]:
        axes.set_visible(False)
    save(figure, path)


def write_neighbor_rows(
    path: Path,
    queries: np.ndarray,
    neighbors: np.ndarray,
    distances: np.ndarray,
    right: np.ndarray,
    *,
    names: Sequence[str] = (),
    title: str = "",
) -> None:
    """Draws each query, and to the right of it what lies nearest, framed blue if of its kind.

    Args:
      path: the picture.
      queries: [Q, H, W] or [Q, H, W, 3] uint8, Q at least 1.
      neighbors: [Q, k, H, W] or [Q, k, H, W, 3] uint8, nearest first.
      distances: [Q, k].
      right: [Q, k] bool, whether a neighbor is of the query's individual or class.
      names: [Q] of the rows; empty leaves them unnamed.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      OSError: if the file cannot be written.
    """
    count, k = neighbors.shape[:2]
    chex.assert_shape(queries, (count, *neighbors.shape[2:]))
    chex.assert_shape([distances, right], (count, k))
    height, width = queries.shape[1:3]
    named = 1.2 if names else 0
    figure = new_figure(named + 0.95 * (k + 1), 0.5 + count * (0.22 + 0.85 * height / width))
    add_heading(figure, title)
    grid = figure.subplots(count, k + 1, squeeze=False)
    for row, axes in enumerate(grid):
        _draw(axes[0], queries[row], queries, right=None)
        if names:
            style = {"rotation": 0, "ha": "right", "va": "center", "color": INK}
            axes[0].set_ylabel(names[row], parse_math=False, **style)
        for column in range(k):
            fits = bool(right[row, column])
            _draw(axes[column + 1], neighbors[row, column], queries, right=fits)
            axes[column + 1].set_title(
                f"{distances[row, column]:.3f}", fontsize=7, color=_RIGHT if fits else _WRONG, pad=2
            )
    save(figure, path)


def _draw(axes: Axes, image: np.ndarray, among: np.ndarray, *, right: bool | None) -> None:
    axes.imshow(image, cmap=gray_scale(among), vmin=0, vmax=255)
    hide_ticks(axes)
    axes.spines[:].set_visible(right is not None)
    if right is not None:
        axes.spines[:].set(color=_RIGHT if right else _WRONG, linewidth=1.5)


def _paper(images: np.ndarray) -> int:
    """Returns the pixel that is shown white."""
    return 0 if is_drawing(images) else 255
