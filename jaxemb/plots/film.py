"""How a map came about, as a film."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.animation import AbstractMovieWriter, FFMpegWriter, PillowWriter

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.plots import scatter
from jaxemb.plots.style import add_title, new_figure

_PER_SECOND = 12
# The last map stays for a second before the film starts again.
_LAST = 12


def write_film(
    path: Path,
    steps: Sequence[int],
    maps: Sequence[np.ndarray],
    *,
    labels: np.ndarray | None = None,
    title: str = "",
) -> None:
    """Draws a map at several moments, twelve to a second.

    Each picture is drawn to its own scale: a map by t-SNE begins a million times smaller than it
    ends.

    Args:
      path: the film: `.gif`, or `.mp4` where the program ffmpeg is installed.
      steps: [F] the moments.
      maps: [F] arrays [N, d], finite; d of 1, 2 or 3.
      labels: [N] int classes, one color each. None draws all points alike.
      title: heading, before the step.

    Raises:
      InputError: if there is no picture, a point is not finite, the name ends otherwise or ffmpeg
        is missing.
      OSError: if the file cannot be written.
    """
    check_film(path)
    if not maps:
        raise InputError(f"{path}: a film needs a picture")
    for step, points in zip(steps, maps, strict=True):
        if not np.isfinite(points).all():
            raise InputError(f"{path}: the map after {step:,} steps is not finite")
    figure = new_figure(6, 6)
    make = PillowWriter if path.suffix == ".gif" else FFMpegWriter
    writer: AbstractMovieWriter = make(fps=_PER_SECOND)
    with replacing(path) as part:
        # The writers tell the format by the name's end.
        named = part.with_name(part.name + path.suffix)
        with writer.saving(figure, str(named), dpi=80):
            for step, points in zip(steps, maps, strict=True):
                figure.clear()
                axes = scatter.add_axes(figure, 111, points)
                add_title(axes, f"{title} after {step:,} steps".strip())
                scatter.draw_map(axes, points, labels=labels, scale=0.4)
                writer.grab_frame()
            for _ in range(_LAST):
                writer.grab_frame()
        named.rename(part)


def check_film(path: Path) -> None:
    """Refuses what cannot be made, before anything is computed for it.

    Raises:
      InputError: if the name ends with neither .gif nor .mp4, or ffmpeg is missing.
    """
    if path.suffix not in (".gif", ".mp4"):
        raise InputError(f"{path}: a film must be named *.gif or *.mp4")
    if path.suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise InputError(f"{path}: the program ffmpeg, which makes mp4, is not installed; take gif")
