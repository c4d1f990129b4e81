"""The words of an embedding as a map: a still picture."""

import math
from collections.abc import Sequence
from pathlib import Path

import chex
import numpy as np
from matplotlib.colors import ListedColormap

from jaxemb.plots.frame import check_finite, frame
from jaxemb.plots.labels import write_apart
from jaxemb.plots.scatter import add_axes, name_axes
from jaxemb.plots.style import (
    BLUES,
    add_note,
    add_title,
    fit_width,
    new_figure,
    rarity,
    save,
)

# Of the picture, in square inches.
_AREA = 108


def write_png(
    path: Path,
    words: Sequence[str],
    points: np.ndarray,
    *,
    labeled: int = 300,
    total: int = 0,
    axes_names: Sequence[str] = (),
    title: str = "",
) -> None:
    """Draws the map as a picture, naming frequent words where there is room for their names.

    Args:
      path: the picture, such as `map.png`.
      words: [V] names, most frequent first.
      points: [V, 2] their places in the map, finite.
      labeled: names to write at most. A name that would cover one of a more frequent word is
        left out and the next word has its turn; so is one in letters that no font here has.
      total: words that there are, if the map has only the most frequent.
      axes_names: what lies along each axis; none for a map whose axes mean nothing.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite.
    """
    chex.assert_shape(points, (len(words), 2))
    check_finite(points, words)
    shown = frame(points)
    picture = new_figure(math.sqrt(_AREA / shown.slope), math.sqrt(_AREA * shown.slope))
    axes = add_axes(picture, 111, points)
    add_title(axes, title)
    axes.spines[:].set_visible(False)
    axes.grid(color="#eef1f5")
    axes.tick_params(length=0, labelleft=False, labelbottom=False)
    axes.set_axisbelow(True)
    axes.margins(0.03)
    name_axes(axes, axes_names)
    part = f"{len(words):,} of {total:,} words, the most frequent" if total > len(words) else ""
    add_note(axes, "; ".join(filter(None, (part, shown.note))))
    rare = rarity(len(words))
    inside = np.flatnonzero(~shown.outside)[::-1]  # the frequent words last, on top
    axes.scatter(
        *points[inside].T,
        s=40 - 32 * rare[inside],
        c=rare[inside],
        cmap=ListedColormap(BLUES),
        alpha=0.6,
        linewidths=0,
    )
    fit_width(picture, axes, shown.slope, path)
    named = np.flatnonzero(~shown.outside).tolist()
    write_apart(picture, axes, [words[i] for i in named], points[named], path=path, most=labeled)
    save(picture, path)
