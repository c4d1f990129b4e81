"""The looks that all pictures share."""

from pathlib import Path

import numpy as np
from matplotlib import color_sequences, colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from jaxemb.atomic import replacing
from jaxemb.plots.fonts import fit_fonts

INK, QUIET, RULE = "#1f2933", "#6b7885", "#e3e8ee"
# For words, the most frequent first; the palest blues would vanish on white.
BLUES = [to_hex(colormaps["Blues_r"](share)) for share in np.linspace(0.05, 0.6, 130)]
# Petroff 2021, arXiv:2107.02270: ten colors, color-blind-safe.
COLORS = tuple(map(to_hex, color_sequences["petroff10"]))
# From the eleventh class on, the same colors in other shapes.
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def rarity(size: int) -> np.ndarray:
    """Returns [V] from 0, the most frequent word, to 1, by the logarithm of the rank."""
    return np.log(np.arange(1, size + 1)) / np.log(max(size, 2))


def class_style(number: int) -> tuple[str, str]:
    """Returns the color and marker of a class; unique for the first 80."""
    return COLORS[number % len(COLORS)], MARKERS[number // len(COLORS) % len(MARKERS)]


def new_figure(width: float, height: float) -> Figure:
    """Makes a figure, in inches, that belongs to no window and is collected as any object."""
    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def add_title(axes: Axes, title: str) -> None:
    """Writes a heading as it stands, dollar signs and all."""
    axes.set_title(title, fontweight="bold", color=INK, parse_math=False)


def add_heading(figure: Figure, title: str) -> None:
    """Writes a heading above several axes, likewise."""
    figure.suptitle(title, fontweight="bold", color=INK, parse_math=False)


def label_axes(axes: Axes, *, x: str, y: str = "", boxed: bool = False, grid: bool = False) -> None:
    """Names what is along the axes of a diagram, and draws them quietly.

    Args:
      axes: of the diagram.
      x: what is along the horizontal axis, with its unit.
      y: what is along the vertical one; empty for rows that have names of their own.
      boxed: whether lines at the top and the right are drawn, too.
      grid: whether lines are drawn behind the figures.
    """
    axes.set_xlabel(x, color=INK)
    if y:
        axes.set_ylabel(y, color=INK)
    axes.tick_params(colors=QUIET)
    if not boxed:
        axes.spines[["top", "right"]].set_visible(False)
    if grid:
        axes.grid(color=RULE)
        axes.set_axisbelow(True)


def hide_ticks(axes: Axes) -> None:
    """Removes ticks and their numbers. A name beside the axes stays, unlike with `axis("off")`."""
    axes.set_xticks([])
    axes.set_yticks([])


def halo() -> list[withStroke]:
    """Returns the effect that keeps text readable over points."""
    return [withStroke(linewidth=2, foreground="white", alpha=0.8)]


def is_drawing(images: np.ndarray) -> bool:
    """Tells whether images [N, H, W] are light on black: their edges are almost empty.

    Drawings are shown as ink, dark on white. Images in color, [N, H, W, 3], are none.
    """
    if images.ndim != 3:
        return False
    edges = np.concatenate([images[:, [0, -1]].ravel(), images[:, :, [0, -1]].ravel()])
    return bool(edges.mean() < 26)  # a tenth of white


def gray_scale(images: np.ndarray) -> str:
    """Returns the color map that shows drawings as ink, and photographs as they are."""
    return "gray_r" if is_drawing(images) else "gray"


def add_note(axes: Axes, note: str) -> None:
    """Writes a quiet line below a map, such as what lies outside."""
    if note:
        # Three-dimensional axes have a method of their own for text.
        Axes.text(
            axes,
            1,
            -0.01,
            note,
            transform=axes.transAxes,
            ha="right",
            va="top",
            fontsize=8,
            color=QUIET,
        )


def fit_width(figure: Figure, axes: Axes, slope: float, path: Path) -> None:
    """Makes a figure as wide as its map needs, so that the map fills its frame.

    Args:
      figure: with all that stands around the map.
      axes: of the map.
      slope: the map's height as a multiple of its width.
      path: what the figure becomes.
    """
    fit_fonts(figure, path.name)
    figure.draw_without_rendering()  # settles what stands around
    box = axes.get_window_extent()
    figure.set_figwidth(figure.get_figwidth() + (box.height / slope - box.width) / figure.dpi)


def save(figure: Figure, path: Path) -> None:
    """Writes a picture so that it is there whole or not at all.

    Text in scripts that the usual font lacks is drawn in fonts that have them (`fonts`).

    Raises:
      OSError: if the file cannot be written.
    """
    fit_fonts(figure, path.name)
    with replacing(path) as part:
        figure.savefig(part, format="png")
