"""An interactive map of words, images or any points: one page, no network."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import chex
import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from jaxemb.errors import InputError
from jaxemb.plots import sprites
from jaxemb.plots.frame import check_finite, frame
from jaxemb.plots.page import encoded, write_page
from jaxemb.plots.style import BLUES, COLORS, rarity

_SCRIPTS = ("map_view.js", "sheets.js", "point_map.js", "point_map_controls.js")


def _ramp(name: str, first: float, last: float) -> list[str]:
    return [to_hex(colormaps[name](share)) for share in np.linspace(first, last, 130)]


# From frequent to rare, and from low to high: the end that matters stands out from the paper.
_RAMPS = {
    "words": {"light": BLUES, "dark": _ramp("Blues", 0.1, 0.7)},
    "numbers": {"light": _ramp("viridis_r", 0.08, 1), "dark": _ramp("viridis", 0.15, 1)},
}


class Near(NamedTuple):
    """Each point's nearest points in the full space.

    Attributes:
      ids: [N, k] nearest first.
      distances: [N, k] to these, at least 0; 1 - cosine if the metric is "cosine".
      metric: what the page calls the distance; by "cosine", it shows the cosine.
    """

    ids: np.ndarray
    distances: np.ndarray
    metric: str


def write_html(
    path: Path,
    points: np.ndarray,
    *,
    names: Sequence[str] | None = None,
    ranked: bool = True,
    total: int = 0,
    counts: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    classes: Sequence[str] = (),
    columns: Mapping[str, Any] | None = None,
    images: np.ndarray | None = None,
    near: Near | None = None,
    axes_names: Sequence[str] = (),
    title: str = "Map",
) -> None:
    """Writes an interactive map: one page that needs nothing else, not even a network.

    It has pan and zoom, names, images and columns under the pointer, colors by class or any column,
    a legend whose classes can be hidden, and for a point clicked its image, its columns and its
    nearest neighbors, in a list and in the map. Where points have names, those of the most frequent
    in view are shown, and a box finds the others; so it does in columns of text. It looks light or
    dark as the reader's system does.

    A page of 100,000 words with ten neighbors each has 9 MB, opens in a second and moves
    smoothly; a million points do not. One of MNIST's 70,000 images has 24 MB.

    Args:
      path: the page, such as `map.html`.
      points: [N, 2] their places in the map, finite; the few that lie far off are outside of the
        first view, which the page says.
      names: [N] of the points.
      ranked: whether names are words, most frequent first: larger points are more frequent then.
      total: words that there are, if the map has only the most frequent.
      counts: [N] occurrences of the words. None leaves them out.
      labels: [N] int positions in `classes`, which then give the colors. None has none.
      classes: [C] names.
      columns: what else is known of the points, by name: [N] numbers, which may be NaN, or text or
        anything else, which is shown as text.
      images: [M, H, W] or [M, H, W, 3] uint8 of the first M points, thinned out where all together
        have more than 64 million pixels. None has none.
      near: neighbors in the full space. None shows none.
      axes_names: what lies along the two axes; none for a map whose axes mean nothing.
      title: heading of the page.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite or a neighbor is not in 0..N-1.
      OSError: if the file cannot be written.
    """
    size = len(points)
    chex.assert_shape(points, (size, 2))
    assert names is None or len(names) == size
    check_finite(points, names)
    shown = frame(points)
    if images is not None:
        chex.assert_axis_dimension_lteq(images, 0, size)
    known = []
    if labels is not None:
        chex.assert_shape(labels, (size,))
        kind = "u2" if len(classes) < 2**16 else "u4"
        known.append(_column("class", kind, labels, role="class", categories=list(classes)))
    if counts is not None:
        known.append(_column("count", "f8", counts, role="count"))
    known += [pack_column(name, values, size) for name, values in (columns or {}).items()]
    # A small map can afford large points. In quarters of a pixel.
    radius = np.full(size, np.clip(1400 / np.sqrt(size), 5, 18))
    ranked = ranked and names is not None
    if ranked:
        radius = 22 - (22 - np.minimum(radius, 8)) * rarity(size)
    data = {
        "x": encoded(points[:, 0], "f4"),
        "y": encoded(points[:, 1], "f4"),
        "radius": encoded(radius, "u1"),
        "frame": [shown.low[0], shown.high[0], shown.low[1], shown.high[1]],
        "names": None if names is None else list(names),
        "ranked": ranked,
        "columns": known,
        "colors": COLORS,
        "ramps": _RAMPS,
        "axes": list(axes_names),
        "neighbors": None if near is None else _pack_near(path, near, size),
        "pictured": 0 if images is None else len(images),
    }
    parts = {
        "title": html.escape(title),
        "about": _about(size, total, shown.note, ranked=ranked),
        "metric": html.escape(near.metric if near else ""),
        "help": "Drag to move, scroll or pinch to zoom, click a point"
        + (" or find a word to see its neighbors." if ranked else " to see more of it.")
        + (" Click a class to hide or show it." if classes else ""),
    }
    packed = None if images is None else sprites.pack(images)
    write_page(path, "point_map.html", _SCRIPTS, parts, data, packed)


def pack_column(name: str, values: Any, size: int) -> dict[str, Any]:
    """Packs a column of the user's for the page.

    Args:
      name: of the column.
      values: [N] numbers, which the page colors by a scale, or anything else, as text. Whole
        numbers of few different values are categories.
      size: N.

    Returns:
      Name, kind, packed values and, if they are positions in them, categories.
    """
    column = np.asarray(values)
    chex.assert_shape(column, (size,))
    kind = column.dtype.kind
    if kind == "f" or (kind in "iu" and len(np.unique(column)) > len(COLORS)):
        numbers = column.astype(np.float64)
        # Half the size, where that loses nothing that can be seen.
        finite = numbers[np.isfinite(numbers)]
        with np.errstate(over="ignore"):  # to infinity, and so kept
            lost = np.abs(finite - finite.astype(np.float32)).max(initial=0)
        allowed = 1e-5 * np.ptp(finite) if kind == "f" and finite.size else 0
        return _column(name, "f4" if lost <= allowed else "f8", numbers)
    # As whole numbers, times would be counted in parts of a second.
    texts = [_as_text(value) for value in (column.astype(str) if kind == "M" else column).tolist()]
    order = sorted(set(column.tolist())) if kind in "iub" else texts
    places: dict[str, int] = {}
    for value in order:
        places.setdefault(str(value), len(places))
    codes = np.array([places[text] for text in texts])
    width = "u2" if len(places) < 2**16 else "u4"
    return _column(name, width, codes, categories=list(places))


def _as_text(value: Any) -> str:
    """Returns a value as the page shows it; what is missing (None, NaN) as a dash."""
    return "–" if value is None or value != value else str(value)


def _column(name: str, kind: str, values: np.ndarray, **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "values": encoded(values, kind), **more}


def _pack_near(path: Path, near: Near, size: int) -> dict[str, Any]:
    """Packs ids in three bytes, and distances in two, as shares of each point's farthest."""
    chex.assert_shape([near.ids, near.distances], (size, None))
    chex.assert_equal_shape([near.ids, near.distances])
    if near.ids.min() < 0 or near.ids.max() >= size:
        raise InputError(
            f"{path}: neighbors {near.ids.min()}..{near.ids.max()} are outside 0..{size - 1}; were "
            "they looked up in a larger table than the map's?"
        )
    farthest = np.maximum(near.distances.max(axis=1), 1e-30)
    shares = np.clip(near.distances / farthest[:, None], 0, 1)
    bytes_of_ids = near.ids.astype("<u4").view(np.uint8).reshape(*near.ids.shape, 4)[..., :3]
    return {
        "k": near.ids.shape[1],
        "ids": encoded(bytes_of_ids, "u1"),
        "shares": encoded(np.round(65535 * shares), "u2"),
        "farthest": encoded(farthest, "f4"),
        "metric": near.metric,
    }


def _about(size: int, total: int, note: str, *, ranked: bool) -> str:
    if not ranked:
        told = f"{size:,} points."
    elif total > size:
        told = f"{size:,} of {total:,} words, the most frequent. Larger points are more frequent."
    else:
        told = f"{size:,} words. Larger points are more frequent."
    return f"{told} {note} of this view: zoom out to see them." if note else told
