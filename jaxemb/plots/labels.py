"""Names in a picture, none over another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from jaxemb.plots.style import INK, halo


def write_apart(
    figure: Figure,
    axes: Axes,
    names: Sequence[str],
    points: np.ndarray,
    *,
    most: int,
    families: Sequence[str],
    above: bool = True,
) -> None:
    """Writes names at their points, where there is room.

    A name that would cover one written before is left out and the next has its turn. The figure's
    layout is settled by this.

    Args:
      figure: with all else drawn.
      axes: of two dimensions.
      names: [N] what matters most first.
      points: [N, 2] in the map.
      most: names to write at most.
      families: of fonts that have their letters.
      above: whether names stand above their points, or over them.
    """
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # settles the layout, and so the pixels of the points
    figure.set_layout_engine("none")
    renderer = canvas.get_renderer()
    font = FontProperties(family=list(families), size=8)
    room = 0.15 * renderer.points_to_pixels(8.0)
    # Matplotlib makes room for a tall and a hanging letter in every name.
    line = renderer.get_text_width_height_descent("lp", font, ismath=False)[1]
    boxes = np.empty((0, 4))  # left, bottom, right, top of the names written, in pixels
    for name, point, (x, y) in zip(names, points, axes.transData.transform(points), strict=True):
        if len(boxes) == most:
            return
        width, height, _ = renderer.get_text_width_height_descent(name, font, ismath=False)
        height = max(height, line)
        bottom = y + room if above else y - height / 2
        left, right, top = x - width / 2, x + width / 2, bottom + height
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
            name,
            point,
            xytext=(0, bottom - y),
            textcoords="offset pixels",
            ha="center",
            va="bottom",
            fontproperties=font,
            color=INK,
            parse_math=False,  # a name may hold dollar signs
            path_effects=halo(),
            zorder=1e6,  # points in three dimensions count their distance
        )
