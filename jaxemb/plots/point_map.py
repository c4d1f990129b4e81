"""An interactive map of words, images or any points: one page, no network."""

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import chex
import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.plots import sprites
from jaxemb.plots.style import BLUES, COLORS, rarity

_SCRIPTS = ("map_view.js", "point_map.js", "point_map_controls.js")


def write_html(
    path: Path,
    points: np.ndarray,
    *,
    names: Sequence[str] | None = None,
    counts: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    classes: Sequence[str] = (),
    images: np.ndarray | None = None,
    neighbors: np.ndarray | None = None,
    cosines: np.ndarray | None = None,
    title: str = "Map",
) -> None:
    """Writes an interactive map: one page that needs nothing else, not even a network.

    It has pan and zoom, names and images under the pointer, a legend whose classes can be hidden,
    and for a point clicked its image and its nearest neighbors, in a list and in the map. Where
    points have names, those of the most frequent in view are shown, and a box finds the others.

    Drawing takes 1 ms for each 5,000 points: a map of 70,000 moves smoothly, one of a million does
    not. A page of 10,000 words with ten neighbors each has 1.5 MB, one of MNIST's 70,000 images
    18 MB.

    Args:
      path: the page, such as `map.html`.
      points: [N, 2] their places in the map, finite.
      names: [N] words, most frequent first; darker and larger points are more frequent.
      counts: [N] occurrences of the words. None leaves them out.
      labels: [N] int positions in `classes`, which then give the colors. None has none.
      classes: [C] names.
      images: [N, H, W] or [N, H, W, 3] uint8, thinned out where all together have more than 64
        million pixels. None has none.
      neighbors: [N, k] each point's nearest points in the full space, nearest first. None shows
        none.
      cosines: [N, k] those neighbors' cosines, in [-1, 1]; needed with them.
      title: heading of the page.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite or a neighbor is not in 0..N-1.
      OSError: if the file cannot be written.
    """
    size = len(points)
    chex.assert_shape(points, (size, 2))
    assert names is None or len(names) == size
    assert (neighbors is None) == (cosines is None)
    check_finite(points, names)
    arrays = {"x": points[:, 0].astype("<f4"), "y": points[:, 1].astype("<f4")}
    # A small map can afford large points.
    radius = np.full(size, np.clip(1400 / np.sqrt(size), 6, 18))  # quarters of a pixel
    shade, palette = np.zeros(size, int), ["#2c6fb3"]
    if labels is not None:
        chex.assert_shape(labels, (size,))
        arrays["labels"] = labels.astype("<i4")
        shade, palette = labels % len(COLORS), list(COLORS)
    if names is not None:
        radius = 22 - 14 * rarity(size)
        if labels is None:
            palette = BLUES
            shade = (rarity(size) * (len(palette) - 1)).astype(int)
    arrays |= {"shade": shade.astype("<u2"), "radius": radius.astype("u1")}
    if counts is not None:
        chex.assert_shape(counts, (size,))
        arrays["counts"] = counts.astype("<f8")
    if neighbors is not None and cosines is not None:
        chex.assert_shape([neighbors, cosines], (size, None))
        chex.assert_equal_shape([neighbors, cosines])
        if neighbors.min() < 0 or neighbors.max() >= size:
            raise InputError(
                f"{path}: neighbors {neighbors.min()}..{neighbors.max()} are outside "
                f"0..{size - 1}; were they looked up in a larger table than the map's?"
            )
        arrays |= {"neighbors": neighbors.astype("<i4"), "cosines": cosines.astype("<f4")}
    packed = None
    if images is not None:
        chex.assert_axis_dimension(images, 0, size)
        packed = sprites.pack(images)
    data = {
        "names": None if names is None else list(names),
        "classes": list(classes),
        "palette": palette,
        "sprites": packed and {k: v for k, v in packed._asdict().items() if k != "sheets"},
        **{name: base64.b64encode(array.tobytes()).decode() for name, array in arrays.items()},
    }
    with replacing(path) as part:
        part.write_text(_page(title, data, packed.sheets if packed else [], size), encoding="utf-8")


def check_finite(points: np.ndarray, names: Sequence[str] | None = None) -> None:
    """Refuses a map with points that are not finite.

    Raises:
      InputError: naming the first point that is not finite.
    """
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        first = f"number {bad[0]}" if names is None else f"that of {names[bad[0]]!r}"
        raise InputError(
            f"map: {bad.size:,} of {len(points):,} points are not finite, the first {first}; did "
            "the run diverge?"
        )


def _page(title: str, data: Mapping[str, object], sheets: list[str], size: int) -> str:
    assets = resources.files("jaxemb.plots")
    named = data["names"] is not None
    parts = {
        "title": html.escape(title),
        "about": f"{size:,} words. Darker and larger: more frequent."
        if named
        else f"{size:,} points.",
        "help": "Drag to move, scroll to zoom, click a point"
        + (" or find a word to see its neighbors." if named else " to see more of it.")
        + (" Click a class to hide or show it." if data["classes"] else ""),
        # Nothing in a name may end the script.
        "data": json.dumps(data).replace("<", "\\u003c"),
        "sheets": "\n".join(
            f'<script type="text/plain" class="sheet">{s}</script>' for s in sheets
        ),
        "script": "\n".join((assets / name).read_text(encoding="utf-8") for name in _SCRIPTS),
    }
    page = (assets / "point_map.html").read_text(encoding="utf-8")
    # All at once: a part may hold what looks like another's place.
    return re.sub(r"\{(title|about|help|data|sheets|script)\}", lambda m: parts[m[1]], page)
