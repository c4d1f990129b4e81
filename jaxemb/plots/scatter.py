"""Maps as pictures: points in the colors of their classes, one map or many side by side."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import chex
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d import proj3d

from jaxemb.plots.frame import check_finite, frame
from jaxemb.plots.labels import write_apart
from jaxemb.plots.style import (
    COLORS,
    INK,
    MARKERS,
    QUIET,
    RULE,
    add_heading,
    add_note,
    add_title,
    class_style,
    fit_width,
    new_figure,
    save,
)

# More classes than a legend has room for are named in the map.
_LEGEND = 20
# Names of points or classes in the map, at most.
_NAMES = 300
# Of a map in a picture of its own, in square inches.
_AREA = 81


class Panel(NamedTuple):
    """One map among others.

    Attributes:
      title: above it.
      points: [N, d] the map; d of 1, 2 or 3.
      labels: [N] int positions in the classes; None draws all points alike.
      note: a line below the title, such as a score.
    """

    title: str
    points: np.ndarray
    labels: np.ndarray | None = None
    note: str = ""


def write_map(
    path: Path,
    points: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    classes: Sequence[str] = (),
    names: Sequence[str] | None = None,
    links: np.ndarray | None = None,
    axes_names: Sequence[str] = (),
    title: str = "",
) -> None:
    """Draws one map, in a picture as wide and high as the map is.

    Points that lie far off are left out, with a word on how many.

    Args:
      path: the picture, such as `map.png`.
      points: [N, d] the map, finite; d of 1 (a row for each class), 2 or 3 (in perspective).
      labels: [N] int positions in `classes`. None draws all points alike.
      classes: [C] names; in a legend, or in the map if there are more than 20.
      names: [N] of the points, written where there is room if the map has two dimensions.
      links: [L, 2] rows of points with a line between them, in a map of two dimensions.
      axes_names: [d] what lies along each axis; none for a map whose axes mean nothing.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite.
      OSError: if the file cannot be written.
    """
    check_finite(points)
    seen = frame(points)
    slope = seen.slope if points.shape[1] == 2 else 1.0
    figure = new_figure(math.sqrt(_AREA / slope), math.sqrt(_AREA * slope))
    axes = add_axes(figure, 111, points)
    add_title(axes, title)
    draw_map(axes, points, labels=labels, classes=classes)
    if links is not None and len(links):
        lines = LineCollection(list(points[links]), colors=RULE, linewidths=0.7, zorder=0.5)
        axes.add_collection(lines, autolim=False)
    name_axes(axes, axes_names)
    add_note(axes, seen.note)
    if points.shape[1] > 1:  # else its rows are named
        _add_legend(figure, labels, classes)
    if points.shape[1] == 2:
        fit_width(figure, axes, slope, path)
    if names is not None and points.shape[1] == 2:
        inside = np.flatnonzero(~seen.outside).tolist()
        write_apart(
            figure, axes, [names[i] for i in inside], points[inside], path=path, most=_NAMES
        )
    elif points.shape[1] > 1 and labels is not None and len(classes) > _LEGEND:
        _name_classes(figure, axes, points, labels, classes, path)
    save(figure, path)


def write_grid(
    path: Path,
    panels: Sequence[Panel],
    *,
    columns: int,
    classes: Sequence[str] = (),
    title: str = "",
    side: float = 2.8,
) -> None:
    """Draws maps side by side, as small multiples.

    Args:
      path: the picture.
      panels: row by row.
      columns: panels in a row.
      classes: [C] names of the labels of all panels; in one legend if there are up to 20.
      title: heading of the picture.
      side: of a panel, in inches.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite.
      OSError: if the file cannot be written.
    """
    rows = math.ceil(len(panels) / columns)
    columns = min(columns, len(panels))
    figure = new_figure(side * columns + (1 if classes else 0), (side + 0.3) * rows + 0.4)
    add_heading(figure, title)
    for place, panel in enumerate(panels, 1):
        axes = add_axes(figure, (rows, columns, place), panel.points)
        heading = f"{panel.title}\n{panel.note}" if panel.note else panel.title
        axes.set_title(heading, fontsize=9, color=INK, parse_math=False)
        draw_map(axes, panel.points, labels=panel.labels, scale=0.25 * side / 2.8)
    _add_legend(figure, next((p.labels for p in panels if p.labels is not None), None), classes)
    save(figure, path)


def draw_map(
    axes: Any,
    points: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    classes: Sequence[str] = (),
    scale: float = 1.0,
) -> None:
    """Draws a map into axes, which are three-dimensional if the map is.

    Args:
      axes: Matplotlib's.
      points: [N, d] the map, finite; d of 1, 2 or 3.
      labels: [N] int positions in `classes`. None draws all points alike.
      classes: [C] names, beside the rows of a map of one dimension.
      scale: area of the points relative to that which suits a picture of nine inches.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite.
    """
    size, dim = points.shape
    assert 1 <= dim <= 3, f"a map of {dim} dimensions"
    check_finite(points)
    shown = ~frame(points).outside
    rng = np.random.default_rng(0)
    if labels is not None:
        chex.assert_shape(labels, (size,))
    style: dict[str, Any] = {
        "s": scale * float(np.clip(60_000 / size, 3, 36)),
        "alpha": float(np.clip(70 / math.sqrt(size), 0.35, 0.85)),
        "linewidths": 0,
    }
    if dim == 3:
        style["depthshade"] = False  # paler towards the back, where alpha says density
    if dim == 1:
        # On a bare line points would hide one another.
        rows = np.zeros(size) if labels is None else labels
        points = np.column_stack([points[:, 0], rows + rng.uniform(-0.35, 0.35, size)])
        axes.spines[["left", "top", "right"]].set_visible(False)
        axes.set_yticks(range(len(classes)), list(classes))
        axes.tick_params(length=0, colors=QUIET)
        axes.invert_yaxis()
    else:
        _strip(axes)
    # Shuffled, so that the last class hides no other.
    order = rng.permutation(size)
    order = order[shown[order]]  # Matplotlib frames what is drawn
    axes.margins(0.03)
    numbers = np.zeros(size, int) if labels is None else labels
    colors = np.array(COLORS)[numbers % len(COLORS)]
    shapes = numbers // len(COLORS) % len(MARKERS)
    for shape in np.unique(shapes):
        ids = order[shapes[order] == shape]
        axes.scatter(*points[ids].T, c=colors[ids], marker=MARKERS[shape], **style)


def add_axes(figure: Figure, place: Any, points: np.ndarray) -> Any:
    """Makes the axes that suit a map [N, d]: `place` is as in `Figure.add_subplot`."""
    places = place if isinstance(place, tuple) else (place,)
    if points.shape[1] == 3:
        return figure.add_subplot(*places, projection="3d")
    if points.shape[1] == 2:
        return figure.add_subplot(*places, aspect="equal", adjustable="datalim")
    return figure.add_subplot(*places)


def name_axes(axes: Any, names: Sequence[str]) -> None:
    """Writes what lies along each axis; no names leave them bare."""
    for axis, name in zip("xyz", names, strict=False):
        getattr(axes, f"set_{axis}label")(name, color=QUIET)


def _strip(axes: Any) -> None:
    """Removes the ticks, for a map has no units."""
    names = [name for name in "xyz" if hasattr(axes, f"{name}axis")]
    for name in names:
        getattr(axes, f"set_{name}ticks")([])
    if len(names) == 2:
        axes.spines[:].set_color(RULE)


def _name_classes(
    figure: Figure,
    axes: Any,
    points: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    path: Path,
) -> None:
    """Writes the classes' names where they are, the largest first, none over another."""
    numbers, sizes = np.unique(labels, return_counts=True)
    numbers = numbers[np.argsort(-sizes, kind="stable")]
    middles = np.array([np.median(points[labels == number], axis=0) for number in numbers])
    if points.shape[1] == 3:  # where they are seen
        middles = np.column_stack(proj3d.proj_transform(*middles.T, axes.get_proj()))[:, :2]
    names = [classes[number] for number in numbers]
    write_apart(figure, axes, names, middles, path=path, most=_NAMES, above=False)


def _add_legend(figure: Figure, labels: np.ndarray | None, classes: Sequence[str]) -> None:
    if labels is None or not 0 < len(classes) <= _LEGEND:
        return
    handles = []
    for number, name in enumerate(classes):
        color, marker = class_style(number)
        handles.append(
            Line2D([], [], color=color, marker=marker, linestyle="", markersize=7, label=name)
        )
    legend = figure.legend(handles=handles, loc="outside right upper", frameon=False)
    for text in legend.get_texts():
        text.set(color=INK, parse_math=False)
