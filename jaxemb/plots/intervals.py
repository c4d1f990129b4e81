"""Figures with their intervals, by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import chex
import numpy as np
from matplotlib.axes import Axes

from jaxemb.plots.style import (
    INK,
    add_heading,
    add_title,
    class_style,
    label_axes,
    new_figure,
    save,
)


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


class Panel(NamedTuple):
    """Figures of one unit.

    Attributes:
      x: what is along the axis, with its unit.
      series: what is drawn of each row, one above the other.
    """

    x: str
    series: Sequence[Series]


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
    _draw(axes, rows, Panel(x, series))
    axes.legend(frameon=False, labelcolor=INK)
    save(figure, path)


def write_interval_panels(
    path: Path, rows: Sequence[str], panels: Sequence[Panel], *, title: str = ""
) -> None:
    """Draws figures of several units side by side, each row at the same height in all panels.

    Args:
      path: the picture.
      rows: [N] names.
      panels: from left to right. One of a single series needs no legend.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      OSError: if the file cannot be written.
    """
    most = max(len(panel.series) for panel in panels)
    figure = new_figure(2 + 3.4 * len(panels), 1.8 + (0.1 + 0.1 * most) * len(rows))
    add_heading(figure, title)
    for axes, panel in zip(
        figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True
    ):
        _draw(axes, rows, panel)
        if len(panel.series) > 1:
            # Above the dots, whatever their places.
            axes.legend(
                frameon=False, labelcolor=INK, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2
            )
    save(figure, path)


def _draw(axes: Axes, rows: Sequence[str], panel: Panel) -> None:
    for number, one in enumerate(panel.series):
        chex.assert_shape([one.values, one.low, one.high], (len(rows),))
        places = np.arange(len(rows)) + 0.15 * (number - (len(panel.series) - 1) / 2)
        color, marker = class_style(number)
        axes.hlines(places, one.low, one.high, color=color, linewidth=1.5, alpha=0.6)
        axes.scatter(one.values, places, s=22, color=color, marker=marker, label=one.name)
    axes.set_yticks(range(len(rows)), rows, parse_math=False)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    label_axes(axes, x=panel.x, grid=True)
