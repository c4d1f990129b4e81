"""The words of an embedding as a map: an interactive page and a still picture."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import bokeh.embed
import bokeh.resources
import chex
import numpy as np
from bokeh.core.properties import value
from bokeh.document import Document
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, Range1d, TapTool
from bokeh.palettes import Blues256
from bokeh.plotting import figure
from bokeh.transform import linear_cmap
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke

from jaxemb.errors import InputError

# Dark first; the palest blues would vanish on white.
_BLUES = Blues256[10:140]
_INK = "#1f2933"
_WORD, _NEIGHBOUR = "#d9480f", "#f08c5a"


def write_html(
    path: Path,
    words: Sequence[str],
    points: np.ndarray,
    neighbours: np.ndarray,
    cosines: np.ndarray,
    *,
    counts: np.ndarray | None = None,
    title: str = "Map of words",
) -> None:
    """Writes an interactive map: one page that needs nothing else, not even a network.

    It has pan and zoom, names under the pointer and of the most frequent words in view, a search
    box, and for a word found or clicked its nearest neighbours, in a list and in the map.

    Args:
      path: the page, such as `map.html`.
      words: [V] names, most frequent first. 10,000 of them make a page of 2.5 MB.
      points: [V, 2] their places in the map, finite.
      neighbours: [V, k] each word's nearest words in the full space, nearest first, as positions
        in `words`.
      cosines: [V, k] those neighbours' cosines, in [-1, 1].
      counts: [V] occurrences in the corpus, shown with the word. None leaves them out.
      title: heading of the page.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite or a neighbour is not in 0..V-1.
    """
    _check(words, points)
    chex.assert_shape([neighbours, cosines], (len(words), None))
    chex.assert_equal_shape([neighbours, cosines])
    if neighbours.min() < 0 or neighbours.max() >= len(words):
        raise InputError(
            f"{path}: neighbours {neighbours.min()}..{neighbours.max()} are outside "
            f"0..{len(words) - 1}; were they looked up in a larger table than the map's?"
        )
    rarity = _rarity(len(words))
    # Drawn in this order: the rarest first, so that the frequent ones lie on top.
    columns: dict[str, object] = {
        "x": points[::-1, 0].astype(np.float64),
        "y": points[::-1, 1].astype(np.float64),
        "word": list(words)[::-1],
        "rarity": rarity[::-1],
        "size": 11 - 7 * rarity[::-1],
    }
    if counts is not None:
        chex.assert_shape(counts, (len(words),))
        columns["count"] = counts[::-1].astype(np.float64)
    source = ColumnDataSource(columns)
    nobody: dict[str, list[Any]] = {"id": [], "x": [], "y": [], "word": []}
    chosen, near = ColumnDataSource(nobody), ColumnDataSource(nobody)
    labels = ColumnDataSource({"x": [], "y": [], "word": []})

    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.04 * max(float((high - low).max()), 1e-6)
    extent = [float(v) for pair in zip(low - margin, high + margin, strict=True) for v in pair]
    plot = figure(
        x_range=Range1d(start=extent[0], end=extent[1]),
        y_range=Range1d(start=extent[2], end=extent[3]),
        tools="pan,wheel_zoom",
        active_scroll="wheel_zoom",
        toolbar_location=None,
        sizing_mode="stretch_both",
        # Bokeh would leave most points out while the map moves. Plain canvas draws 10,000 in time;
        # WebGL only where there is a GPU, and without one takes three times as long.
        lod_threshold=None,
        outline_line_color=None,
        min_border=0,
    )
    plot.axis.visible = False
    plot.grid.grid_line_color = "#eef1f5"
    dots = plot.scatter(
        "x",
        "y",
        source=source,
        size="size",
        line_color=None,
        fill_alpha=0.75,
        fill_color=linear_cmap("rarity", _BLUES, 0, 1),
        nonselection_fill_alpha=0.2,
    )
    _add_names(plot, labels, 12, _INK)
    for marked, colour, size in ((near, _NEIGHBOUR, 10), (chosen, _WORD, 14)):
        plot.scatter("x", "y", source=marked, size=size, fill_color=colour, line_color="white")
    _add_names(plot, near, 13, "#b83a08")
    _add_names(plot, chosen, 15, _WORD, text_font_style="bold")
    shown = "<b>@word</b>" if counts is None else "<b>@word</b> @count{0,0}"
    plot.add_tools(HoverTool(renderers=[dots], tooltips=shown), TapTool(renderers=[dots]))

    assets = resources.files("jaxemb.plots")
    behaviour = CustomJS(
        args={
            "plot": plot,
            "extent": extent,
            "words": source,
            "chosen": chosen,
            "near": near,
            "labels": labels,
            "ids": neighbours.astype(np.int32).ravel(),
            "cosines": cosines.astype(np.float32).ravel(),
        },
        code=(assets / "word_map.js").read_text(encoding="utf-8"),
    )
    page = Document(title=title)
    page.add_root(plot)
    page.js_on_event("document_ready", behaviour)
    html = bokeh.embed.file_html(
        page,
        bokeh.resources.INLINE,
        title,
        template=(assets / "word_map.html").read_text(encoding="utf-8"),
        template_variables={"size": len(words)},
    )
    Path(path).write_text(html, encoding="utf-8")


def write_png(
    path: Path,
    words: Sequence[str],
    points: np.ndarray,
    *,
    labelled: int = 300,
    title: str | None = None,
) -> None:
    """Draws the map as a picture, naming frequent words where there is room for their names.

    Args:
      path: the picture, such as `map.png`.
      words: [V] names, most frequent first.
      points: [V, 2] their places in the map, finite.
      labelled: names to write at most. A name that would cover one of a more frequent word is
        left out and the next word has its turn.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite.
    """
    _check(words, points)
    picture = Figure(figsize=(12, 9), dpi=150, layout="constrained")
    canvas = FigureCanvasAgg(picture)
    axes = picture.add_subplot(aspect="equal", adjustable="datalim")
    axes.set_title(title or "", fontweight="bold", color=_INK)
    axes.spines[:].set_visible(False)
    axes.grid(color="#eef1f5")
    axes.tick_params(length=0, labelleft=False, labelbottom=False)
    axes.set_axisbelow(True)
    rarity = _rarity(len(words))
    axes.scatter(
        points[::-1, 0],  # the frequent words last, on top
        points[::-1, 1],
        s=40 - 32 * rarity[::-1],
        c=rarity[::-1],
        cmap=ListedColormap(_BLUES),
        alpha=0.6,
        linewidths=0,
    )
    canvas.draw()  # settles the layout, and so the pixels of the points
    picture.set_layout_engine("none")
    _label(axes, canvas, words, points, labelled)
    picture.savefig(path)


def _add_names(
    plot: figure, source: ColumnDataSource, size: int, colour: str, **style: Any
) -> None:
    glyph: dict[str, Any] = {
        "text_font": value("system-ui, sans-serif"),
        "text_font_size": f"{size}px",
        "text_color": colour,
        "text_align": "center",
        "text_baseline": "bottom",
        "y_offset": -5,
        "background_fill_color": "white",
        "background_fill_alpha": 0.75,
        "border_radius": 4,
        "padding": 2,
    }
    plot.text("x", "y", text="word", source=source, **glyph, **style)


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
            color=_INK,
            parse_math=False,  # a word may hold dollar signs
            path_effects=[withStroke(linewidth=2, foreground="white", alpha=0.8)],
        )


def _rarity(size: int) -> np.ndarray:
    """[V] from 0, the most frequent word, to 1, by the logarithm of the rank."""
    return np.log(np.arange(1, size + 1)) / np.log(max(size, 2))


def _check(words: Sequence[str], points: np.ndarray) -> None:
    chex.assert_shape(points, (len(words), 2))
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        raise InputError(
            f"map: {bad.size} of {len(words)} points are not finite, the first that of "
            f"{words[bad[0]]!r}; did the run diverge?"
        )
