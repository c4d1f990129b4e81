"""The looks that all pictures share."""

from pathlib import Path

import numpy as np
from matplotlib import color_sequences, colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from jaxemb.atomic import replacing

INK, QUIET, RULE = "#1f2933", "#6b7885", "#e3e8ee"
# For words, the most frequent first; the palest blues would vanish on white.
BLUES = [to_hex(colormaps["Blues_r"](share)) for share in np.linspace(0.05, 0.6, 130)]
# Petroff 2021, arXiv:2107.02270: ten colors that people of any color vision can tell apart.
COLORS = tuple(map(to_hex, color_sequences["petroff10"]))
# From the eleventh class on, the same colors in other shapes.
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")


def rarity(size: int) -> np.ndarray:
    """[V] from 0, the most frequent word, to 1, by the logarithm of the rank."""
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


def save(figure: Figure, path: Path) -> None:
    """Writes a picture so that it is there whole or not at all.

    Raises:
      OSError: if the file cannot be written.
    """
    with replacing(path) as part:
        figure.savefig(part, format="png")
