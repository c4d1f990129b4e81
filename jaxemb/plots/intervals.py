"""Figures with their intervals, by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import chex
import numpy as np

from jaxemb.plots.style import INK, QUIET, RULE, add_title, class_style, new_figure, save


class Series(NamedTuple):
    """One figure of each row.

    Attributes:
      name: in the legend.
      values: [N]; nan draws nothing.
      low: [N] ends of the intervals; nan draws none.
      high: [N].
    """

    name: str
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray


def write_intervals(
    path: Path, rows: Sequence[str], series: Sequence[Series], *, x: str, title: str = ""
) -> None:
    """Draws a dot with a bar for each row and series, the first row on top.

    Args:
      path: the picture.
      rows: [N] names.
      series: what is drawn of each, one above the other.
      x: what is along the axis, with its unit.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      OSError: if the file cannot be written.
    """
    figure = new_figure(8, 1.4 + 0.3 * len(rows))
    axes = figure.add_subplot()
    add_title(axes, title)
    for number, one in enumerate(series):
        chex.assert_shape([one.values, one.low, one.high], (len(rows),))
        places = np.arange(len(rows)) + 0.3 * ((number + 0.5) / len(series) - 0.5)
        colour, marker = class_style(number)
        axes.hlines(places, one.low, one.high, color=colour, linewidth=1.5, alpha=0.6)
        axes.scatter(one.values, places, s=22, color=colour, marker=marker, label=one.name)
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(x, color=INK)
    axes.tick_params(colors=QUIET)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=RULE)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, labelcolor=INK)
    save(figure, path)
