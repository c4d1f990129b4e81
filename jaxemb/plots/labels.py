"""Names in a picture, none over another."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from jaxemb.plots import fonts
from jaxemb.plots.style import INK, halo


def write_apart(
    figure: Figure,
    axes: Axes,
    names: Sequence[str],
    points: np.ndarray,
    *,
    path: Path,
    most: int,
    above: bool = True,
) -> None:
    """Writes names at their points, where there is room.

    A name that would cover one written before is left out and the next has its turn; so is one in
    letters that no font here has, which is logged. The figure's layout is settled by this.

    Args:
      figure: with all else drawn.
      axes: of two dimensions.
      names: [N] what matters most first.
      points: [N, 2] in the map.
      path: the picture, for the log.
      most: names to write at most.
      above: whether names stand above their points, or over them.
    """
    families, missing = fonts.families_for("".join(names))
    drawn = [i for i, name in enumerate(names) if not missing.intersection(name)]
    if len(drawn) < len(names):
        consequence = (
            f"{len(names) - len(drawn):,} of {len(names):,} names are left out of the picture"
        )
        fonts.log_missing(path.name, missing, consequence)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # settles the layout, and so the pixels of the points
    figure.set_layout_engine("none")
    renderer = canvas.get_renderer()
    font = FontProperties(family=families, size=8)
    room = 0.15 * renderer.points_to_pixels(8.0)
    # Matplotlib makes room for a tall and a hanging letter in every name.
    line = renderer.get_text_width_height_descent("lp", font, ismath=False)[1]
    boxes = np.empty((0, 4))  # left, bottom, right, top of the names written, in pixels
    places = axes.transData.transform(points)
    for i in drawn:
        if len(boxes) == most:
            return
        name, (x, y) = names[i], places[i]
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
            points[i],
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
