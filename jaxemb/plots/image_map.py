"""Images drawn at their points of a map, as many as there is room for."""

from collections.abc import Sequence
from pathlib import Path

import chex
import numpy as np
from matplotlib.colors import to_rgb
from PIL import Image

from jaxemb.plots.frame import check_finite, frame
from jaxemb.plots.labels import write_apart
from jaxemb.plots.style import add_note, add_title, class_style, is_drawing, new_figure, save

# The picture's longer side, in pixels.
_SIDE = 2000
# Words in it, at most.
_WORDS = 250


def write_image_map(
    path: Path,
    points: np.ndarray,
    images: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    words: Sequence[str] = (),
    title: str = "",
) -> None:
    """Draws images at their points, none over another, and words at theirs.

    Drawings, light on black, become ink in the color of their class; photographs stay as they are.

    Args:
      path: the picture, such as `images.png`.
      points: [N + V, 2] the map, finite: of images, then of words.
      images: [N, H, W] or [N, H, W, 3] uint8.
      labels: [N] int, the classes of drawings. None draws all in one color.
      words: V, what matters most first; those that would cover another are left out.
      title: heading of the picture.

    Raises:
      AssertionError: if a shape disagrees with the above.
      InputError: if a point is not finite.
      OSError: if the file cannot be written.
    """
    chex.assert_shape(points, (len(images) + len(words), 2))
    check_finite(points)
    shown = frame(points)
    low, span = shown.low, shown.high - shown.low
    inside = np.flatnonzero(~shown.outside[: len(images)])
    # Few images can be larger.
    cell = _SIDE // int(np.clip(1.2 * np.sqrt(len(images)), 12, 45))
    # A little room in between, and one scale along both axes.
    shrink = (cell - 4) / max(images.shape[1:3])
    height, width = (max(1, round(shrink * side)) for side in images.shape[1:3])
    scale = (_SIDE - cell) / max(float(span.max()), 1e-30)
    corners = np.round((points[inside] - low) * scale).astype(int)  # from the lower left
    canvas = np.full((*(np.round(span * scale).astype(int) + cell)[::-1], 3), 255, np.uint8)
    inked = is_drawing(images)
    for place in choose_apart(corners, (width + 2, height + 2)):
        i = inside[place]
        small = np.asarray(Image.fromarray(images[i]).resize((width, height), Image.Resampling.BOX))
        if small.ndim == 2:
            small = small[:, :, None]
        if inked:
            color = to_rgb(class_style(0 if labels is None else int(labels[i]))[0])
            small = 255 - small * (1 - np.array(color))
        left, bottom = corners[place]
        top = len(canvas) - bottom - height
        canvas[top : top + height, left : left + width] = small
    # No narrower than its heading.
    figure = new_figure(
        max(12 * canvas.shape[1] / max(canvas.shape), 5), 12 * len(canvas) / max(canvas.shape) + 0.5
    )
    axes = figure.add_subplot()
    axes.imshow(canvas, interpolation="antialiased")
    axes.axis("off")
    add_title(axes, title)
    add_note(axes, shown.note)
    if words:
        # Room for those at the edge.
        axes.set_xlim(-2 * cell, canvas.shape[1] + 2 * cell)
        places = (points[len(images) :] - low) * scale + cell / 2
        places[:, 1] = len(canvas) - places[:, 1]
        there = np.flatnonzero(~shown.outside[len(images) :]).tolist()
        named = [words[i] for i in there]
        write_apart(figure, axes, named, places[there], path=path, most=_WORDS, above=False)
    save(figure, path)


def choose_apart(corners: np.ndarray, size: tuple[int, int]) -> list[int]:
    """Chooses boxes of one size of which none covers another.

    Args:
      corners: [N, 2] int, lower left of each.
      size: width and height.

    Returns:
      Ids of the chosen, in a fixed random order; no further box has room.
    """
    held: dict[tuple[int, int], int] = {}
    chosen = []
    for i in np.random.default_rng(0).permutation(len(corners)):
        # Cells as large as a box hold one each, so that only neighboring cells matter.
        column, row = corners[i] // size
        around = (held.get((column + a, row + b)) for a in (-1, 0, 1) for b in (-1, 0, 1))
        if any(j is not None and (abs(corners[i] - corners[j]) < size).all() for j in around):
            continue
        held[column, row] = i
        chosen.append(int(i))
    return chosen
