"""Tables as curves, with the spread of repeated runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from jaxemb.plots.style import INK, add_title, class_style, label_axes, new_figure, save


class Line(NamedTuple):
    """One curve.

    Attributes:
      name: in the legend.
      x: [X] where it was measured.
      runs: [R, X] each repeated run's values, such as one for each seed; drawn as their mean and
        the range from the least to the largest.
    """

    name: str
    x: np.ndarray
    runs: np.ndarray


def write_lines(
    path: Path,
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    title: str = "",
    log_x: bool = False,
) -> None:
    """Draws curves.

    Args:
      path: the picture.
      lines: the curves.
      x: what is along the horizontal axis, with its unit.
      y: what is along the vertical one.
      title: heading of the picture.
      log_x: whether the horizontal axis is logarithmic.

    Raises:
      OSError: if the file cannot be written.
    """
    figure = new_figure(8, 5)
    axes = figure.add_subplot()
    add_title(axes, title)
    draw_lines(axes, lines, x=x, y=y, log_x=log_x)
    save(figure, path)


def draw_lines(axes: Axes, lines: Sequence[Line], *, x: str, y: str, log_x: bool = False) -> None:
    """Draws curves into axes; the arguments are those of `write_lines`."""
    if log_x:
        axes.set_xscale("log")
    for number, line in enumerate(lines):
        color, marker = class_style(number)
        runs = np.atleast_2d(line.runs)
        axes.plot(line.x, runs.mean(axis=0), color=color, marker=marker, ms=4, label=line.name)
        if len(runs) > 1:
            low, high = runs.min(axis=0), runs.max(axis=0)
            axes.fill_between(line.x, low, high, color=color, alpha=0.15, linewidth=0)
    label_axes(axes, x=x, y=y, grid=True)
    if len(lines) > 1:
        axes.legend(frameon=False, labelcolor=INK)
