"""Images in rows, each column one image treated in several ways."""

from pathlib import Path

import chex
import numpy as np

from jaxemb.plots.style import INK, add_heading, gray_scale, hide_ticks, new_figure, save


def write_rows(path: Path, rows: dict[str, np.ndarray], *, title: str = "") -> None:
    """Draws rows of images below one another.

    Args:
      path: the picture.
      rows: [M, H, W] or [M, H, W, 3] in [0, 1], by the row's name; what is beyond is drawn as the
        nearest of these. If the first are drawings, light on black, all are shown as ink.
      title: heading of the picture.

    Raises:
      AssertionError: if the shapes differ.
      OSError: if the file cannot be written.
    """
    images = list(rows.values())
    chex.assert_equal_shape(images)
    columns = len(images[0])
    pixels = np.round(255 * np.clip(images[0], 0, 1)).astype(np.uint8)
    colors = gray_scale(pixels)
    figure = new_figure(1.6 + 0.9 * columns, 0.5 + 0.9 * len(rows))
    add_heading(figure, title)
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, (name, shown) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", color=INK, parse_math=False)
        for place, image in zip(row, shown, strict=True):
            hide_ticks(place)
            place.spines[:].set_visible(False)
            place.imshow(np.clip(image, 0, 1), cmap=colors, vmin=0, vmax=1)
    save(figure, path)
