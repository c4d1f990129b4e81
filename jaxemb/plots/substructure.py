"""Linear substructures: lines from word to related word, which run parallel if the offsets do."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import chex
import numpy as np
from matplotlib.axes import Axes

from jaxemb.plots.style import (
    COLORS,
    INK,
    QUIET,
    RULE,
    add_heading,
    halo,
    hide_ticks,
    new_figure,
    save,
)


class Relation(NamedTuple):
    """Pairs of words in a plane.

    Attributes:
      title: of the panel.
      pairs: [P] first and second words.
      points: [P, 2, 2] the places of both.
      order: [P] whose second word each first word is joined to; arange(P) as it is, another order
        as a control.
      note: a line below the title, such as how parallel they are.
    """

    title: str
    pairs: Sequence[tuple[str, str]]
    points: np.ndarray
    order: np.ndarray
    note: str = ""


def write_substructures(
    path: Path, relations: Sequence[Relation], *, columns: int = 2, title: str = ""
) -> None:
    """Draws relations side by side.

    Args:
      path: the picture.
      relations: row by row.
      columns: panels in a row.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      OSError: if the file cannot be written.
    """
    columns = min(columns, len(relations))
    rows = -(-len(relations) // columns)
    figure = new_figure(5.6 * columns, 5.2 * rows + 0.4)
    add_heading(figure, title)
    for place, relation in enumerate(relations, 1):
        draw_substructure(figure.add_subplot(rows, columns, place), relation)
    save(figure, path)


def draw_substructure(axes: Axes, relation: Relation) -> None:
    """Draws a relation into axes: a dashed line for each pair, a color for each side."""
    size = len(relation.pairs)
    chex.assert_shape(relation.points, (size, 2, 2))
    chex.assert_shape(relation.order, (size,))
    heading = f"{relation.title}\n{relation.note}" if relation.note else relation.title
    axes.set_title(heading, fontsize=9, color=INK, parse_math=False)
    first, second = relation.points[:, 0], relation.points[:, 1]
    for start, end in zip(first, second[relation.order], strict=True):
        axes.plot(*np.stack([start, end], axis=1), color=QUIET, linewidth=0.9, linestyle="--")
    for side, points in enumerate((first, second)):
        axes.scatter(points[:, 0], points[:, 1], s=18, color=COLORS[side], zorder=3, linewidths=0)
        # Away from the other side, where the lines are.
        others = relation.points[:, 1 - side]
        for pair, point, other in zip(relation.pairs, points, others, strict=True):
            left = point[0] < other[0]
            axes.annotate(
                pair[side],
                point,
                xytext=(-4 if left else 4, 0),
                textcoords="offset points",
                ha="right" if left else "left",
                va="center",
                fontsize=8,
                color=INK,
                parse_math=False,
                path_effects=halo(),
            )
    axes.margins(0.22, 0.08)  # room for the names
    hide_ticks(axes)
    axes.spines[:].set_color(RULE)
