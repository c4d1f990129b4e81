"""The words of an embedding as a map: an interactive page and a still picture."""

from collections.abc import Sequence
from pathlib import Path

import chex
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.font_manager import FontProperties

from jaxemb.plots import point_map
from jaxemb.plots.scatter import add_axes
from jaxemb.plots.style import BLUES, INK, add_title, halo, new_figure, rarity, save


def write_html(
    path: Path,
    words: Sequence[str],
    points: np.ndarray,
    neighbors: np.ndarray,
    cosines: np.ndarray,
    *,
    counts: np.ndarray | None = None,
    title: str = "Map of words",
) -> None:
    """Writes an interactive map: one page that needs nothing else, not even a network.

    It has pan and zoom, names under the pointer and of the most frequent words in view, a search
    box, and for a word found or clicked its nearest neighbors, in a list and in the map.

    Args:
      path: the page, such as `map.html`.
      words: [V] names, most frequent first. 10,000 of them make a page of 1.5 MB.
      points: [V, 2] their places in the map, finite.
      neighbors: [V, k] each word's nearest words in the full space, nearest first, as positions
        in `words`.
      cosines: [V, k] those neighbors' cosines, in [-1, 1].
      counts: [V] occurrences in the corpus, shown with the word. None leaves them out.
      title: heading of the page.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite or a neighbor is not in 0..V-1.
    """
    point_map.write_html(
        path,
        points,
        names=words,
        counts=counts,
        neighbors=neighbors,
        cosines=cosines,
        title=title,
    )


def write_png(
    path: Path,
    words: Sequence[str],
    points: np.ndarray,
    *,
    labeled: int = 300,
    title: str | None = None,
) -> None:
    """Draws the map as a picture, naming frequent words where there is room for their names.

    Args:
      path: the picture, such as `map.png`.
      words: [V] names, most frequent first.
      points: [V, 2] their places in the map, finite.
      labeled: names to write at most. A name that would cover one of a more frequent word is
        left out and the next word has its turn.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite.
    """
    chex.assert_shape(points, (len(words), 2))
    point_map.check_finite(points, words)
    picture = new_figure(12, 9)
    axes = add_axes(picture, 111, points)
    add_title(axes, title or "")
    axes.spines[:].set_visible(False)
    axes.grid(color="#eef1f5")
    axes.tick_params(length=0, labelleft=False, labelbottom=False)
    axes.set_axisbelow(True)
    rare = rarity(len(words))
    axes.scatter(
        points[::-1, 0],  # the frequent words last, on top
        points[::-1, 1],
        s=40 - 32 * rare[::-1],
        c=rare[::-1],
        cmap=ListedColormap(BLUES),
        alpha=0.6,
        linewidths=0,
    )
    canvas = FigureCanvasAgg(picture)
    canvas.draw()  # settles the layout, and so the pixels of the points
    picture.set_layout_engine("none")
    _label(axes, canvas, words, points, labeled)
    save(picture, path)


def _label(
    axes: Axes, canvas: FigureCanvasAgg, words: Sequence[str], points: np.ndarray, most: int
) -> None:
    renderer = canvas.get_renderer()
    font = FontProperties(size=8)
    room = 0.15 * renderer.points_to_pixels(8.0)
    # Matplotlib makes room for a tall and a hanging letter in every name.
    line = renderer.get_text_width_height_descent("lp", font, ismath=False)[1]
    boxes = np.empty((0, 4))  # left, bottom, right, top of the names written, in pixels
    for word, point, (x, y) in zip(words, points, axes.transData.transform(points), strict=True):
        if len(boxes) == most:
            return
        width, height, _ = renderer.get_text_width_height_descent(word, font, ismath=False)
        height = max(height, line)
        left, bottom, right, top = x - width / 2, y + room, x + width / 2, y + room + height
        overlaps = (
            (boxes[:, 0] < right + room)
            & (boxes[:, 2] > left - room)
            & (boxes[:, 1] < top + room)
            & (boxes[:, 3] > bottom - room)
        )
        if overlaps.any():
            continue
        boxes = np.vstack([boxes, (left, bottom, right, top)])
        axes.annotate(
            word,
            point,
            xytext=(0, room),
            textcoords="offset pixels",
            ha="center",
            va="bottom",
            fontproperties=font,
            color=INK,
            parse_math=False,  # a word may hold dollar signs
            path_effects=halo(),
        )
