"""What all matching experiments share: keys, checks, their folder and their map."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.files import file_sha256
from jaxemb.errors import InputError
from jaxemb.losses.distances import unit
from jaxemb.methods import matching, tsne, two_views
from jaxemb.training import loop
from jaxemb.training.state import Training

from .. import run_folder
from ..command import Common
from ..maps import drawing

# Points of a map, at most.
MAP_MOST = 10_000


class Config(Protocol):
    """What the configuration of a matching experiment has."""

    @property
    def common(self) -> Common:
        """The flags of every experiment."""

    @property
    def options(self) -> matching.Options | two_views.Options:
        """Of the training."""


def keys(config: Config, count: int) -> jax.Array:
    """Returns keys [count] of the seed, the first three of them those of `matching.start`.

    Its steps draw from the seed's key folded with their numbers, of which these have one more;
    `split` alone would give keys of the first steps again.
    """
    key = jax.random.fold_in(jax.random.key(config.common.seed), config.options.iterations)
    return jax.random.split(key, count)


def check_features(features: Sequence[int]) -> None:
    """Refuses channels that the encoders' groups don't divide.

    Raises:
      InputError: naming them.
    """
    if not features or any(width < 8 or width % 8 for width in features):
        raise InputError(f"features must be multiples of 8, found {features}")


def flat(images: np.ndarray) -> np.ndarray:
    """Returns pixels as vectors of length 1, [N, ...] to [N, F], what an embedding is to beat."""
    return np.asarray(unit(jnp.asarray(images.reshape(len(images), -1), jnp.float32)))


def open_run(config: Config, files: Sequence[Path]) -> bool:
    """Opens the run's folder, once data and flags are known to be good.

    Args:
      config: the experiment's.
      files: those read.

    Returns:
      False if the folder holds this run, finished, which is then shown.

    Raises:
      InputError: if the folder holds something else.
    """
    sha256 = {str(file): file_sha256(file) for file in files}
    return run_folder.open_run(config.common.out, config, sha256)


def run(common: Common, training: Training, folder: Path | None = None) -> Any:
    """Runs a training to its end, with checkpoints and metrics.jsonl, or ends at a signal.

    Args:
      common: the experiment's.
      training: from `matching.start`, or like it.
      folder: of metrics.jsonl and checkpoints/. None takes the run's.

    Returns:
      The method's Fitted.

    Raises:
      InputError: if the loss explodes or the embedding collapses.
      SystemExit: if a signal stopped the training.
    """
    fitted = loop.fit(training, run_folder.engine_run(common, folder))
    run_folder.stop_if_asked(fitted.history)
    return fitted


def draw_map(
    config: Config,
    vectors: np.ndarray,
    labels: np.ndarray,
    images: np.ndarray,
    classes: Sequence[str],
    *,
    title: str,
) -> None:
    """Draws an embedding by t-SNE: map.html, and images.png with the images at their points.

    Args:
      config: the experiment's.
      vectors: [N, D] of length 1; of more than 10,000 an even choice is drawn.
      labels: [N] int positions in `classes`.
      images: [N, H, W] or [N, H, W, 3] uint8.
      classes: [C] names.
      title: heading of the pictures.
    """
    # Plotting libraries load slowly, and only now are they needed.
    from jaxemb.plots import image_map

    every = -(-len(vectors) // MAP_MOST)
    vectors, labels, images = vectors[::every], labels[::every], images[::every]
    key = jax.random.key(config.common.seed)
    embedding = tsne.fit(key, vectors).embedding
    image_map.write_image_map(
        config.common.out / "images.png", embedding, images, labels=labels, title=title
    )
    drawing.write_page(
        config.common.out,
        embedding,
        vectors,
        metric="euclidean",
        images=images,
        labels=labels,
        classes=classes,
        title=title,
    )
