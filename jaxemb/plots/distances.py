"""Distances as pictures: pairs of images, the spread of distances, what a map makes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import chex
import numpy as np

from jaxemb.plots.style import (
    INK,
    add_heading,
    add_title,
    class_style,
    gray_scale,
    label_axes,
    new_figure,
    save,
)


class Couple(NamedTuple):
    """Two images to be shown beside each other.

    Attributes:
      title: above them, such as their distance.
      images: [2, H, W] or [2, H, W, 3] uint8; drawings, light on black, are shown as ink.
    """

    title: str
    images: np.ndarray


def write_couples(path: Path, couples: Sequence[Couple], *, title: str = "") -> None:
    """Draws pairs of images.

    Args:
      path: the picture.
      couples: from left to right.
      title: heading of the picture.

    Raises:
      OSError: if the file cannot be written.
    """
    figure = new_figure(3.4 * len(couples), 2.4)
    add_heading(figure, title)
    parts = figure.subfigures(1, len(couples), squeeze=False)[0]
    for part, couple in zip(parts, couples, strict=True):
        part.suptitle(couple.title, color=INK, fontsize="medium", parse_math=False)
        colors = gray_scale(couple.images)
        for place, image in enumerate(couple.images, 1):
            axes = part.add_subplot(1, 2, place)
            axes.imshow(image, cmap=colors, vmin=0, vmax=255)
            axes.set_axis_off()
    save(figure, path)


def write_histogram(path: Path, distances: dict[str, np.ndarray], *, title: str = "") -> None:
    """Draws how kinds of distances are spread.

    Args:
      path: the picture.
      distances: [P] of each kind, by its name.
      title: heading of the picture.

    Raises:
      OSError: if the file cannot be written.
    """
    figure = new_figure(8, 4.5)
    axes = figure.add_subplot()
    add_title(axes, title)
    most = max(float(found.max()) for found in distances.values())
    edges = [float(edge) for edge in np.linspace(0, most, 100)]
    for number, (name, found) in enumerate(distances.items()):
        color = class_style(number)[0]
        axes.hist(found, edges, density=True, color=color, alpha=0.5, label=name)
        axes.axvline(float(found.mean()), color=color)
    label_axes(axes, x="distance of two points (line: mean)", y="density")
    axes.legend(frameon=False, labelcolor=INK)
    save(figure, path)


def write_shepard(path: Path, wanted: np.ndarray, found: np.ndarray, *, title: str = "") -> None:
    """Draws distances in a map over those wanted: Shepard's diagram.

    Args:
      path: the picture.
      wanted: [P] distances of pairs of points.
      found: [P] those in the map.
      title: heading of the picture.

    Raises:
      AssertionError: if the shapes differ.
      OSError: if the file cannot be written.
    """
    chex.assert_equal_shape([wanted, found])
    figure = new_figure(7, 6.5)
    axes = figure.add_subplot()
    add_title(axes, title)
    axes.hexbin(wanted, found, gridsize=80, bins="log", cmap="Blues", linewidths=0)
    end = float(max(wanted.max(), found.max()))
    axes.plot([0, end], [0, end], color=INK, linewidth=1, linestyle="--")
    axes.set_xlim(0, end)
    axes.set_ylim(0, end)
    label_axes(axes, x="distance wanted", y="distance in the map (dashed: as wanted)", boxed=True)
    save(figure, path)
