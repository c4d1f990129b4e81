"""What all matching experiments share: their fields, their training, their files."""

import dataclasses
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.files import default_data_dir, file_sha256
from jaxemb.errors import InputError
from jaxemb.losses.distances import unit
from jaxemb.methods import tsne
from jaxemb.methods.matching import refuse_collapse
from jaxemb.training import before_network as network

from .. import command, run_folder
from ..maps import projection

# Points of a map, at most.
MAP_MOST = 10_000


@dataclasses.dataclass(frozen=True)
class Config:
    """The fields of every matching experiment, which adds its own."""

    dim: int = 64
    """Width of the embedding."""
    iterations: int = 2000
    """Steps of the training."""
    identities: int = 32
    """Individuals or classes in a batch."""
    samples: int = 4
    """Examples of each in a batch."""
    learning_rate: float = 1e-3
    """Of Adam, at the start; it falls to 0 along a cosine."""
    weight_decay: float = 0.0
    """Share of a weight, times the learning rate, taken off it each step."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0: at the end only."""
    seed: int = 0
    """Same seed, same bits."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where data sets lie (or JAXEMB_DATA)."""
    out: Path = Path("runs/matching")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        for name in ("dim", "iterations"):
            command.check_field(self, name, at_least=1)
        for name in ("identities", "samples"):
            command.check_field(self, name, at_least=2)
        command.check_field(self, "learning_rate", above=0, at_most=10)
        command.check_field(self, "weight_decay", at_least=0, at_most=10)
        command.check_field(self, "checkpoint_every", at_least=0)
        command.check_seed(self)


def keys(config: Config, count: int) -> jax.Array:
    """Returns keys [count] of the seed for what is drawn before the training.

    Its steps draw from the seed's key folded with their numbers, of which these have one more;
    `split` alone would give keys of the first steps again.
    """
    key = jax.random.fold_in(jax.random.key(config.seed), config.iterations)
    return jax.random.split(key, count)


def check_features(features: Sequence[int]) -> None:
    """Refuses channels of --features that the encoders' groups don't divide.

    Raises:
      InputError: naming them.
    """
    if not features or any(width < 8 or width % 8 for width in features):
        raise InputError(f"--features must be multiples of 8, found {features}")


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
    return run_folder.open_run(config.out, config, sha256)


def train(
    config: Config,
    params: Any,
    objective: network.Objective,
    batches: Callable[[int, int], Any],
    *,
    prepare: Callable[[jax.Array, Any], Any] = lambda key, batch: batch,
    first_loss: float,
    call_steps: int = network.CALL_STEPS,
    folder: Path | None = None,
) -> network.Trained:
    """Trains, with a progress bar and a line of metrics for each call; ends at a signal.

    Args:
      config: the experiment's.
      params: to start from.
      objective: from `jaxemb.training.matching.objective`, or one with its metrics.
      batches: as for `jaxemb.training.network.fit`.
      prepare: likewise; its random numbers come from the seed.
      first_loss: likewise.
      call_steps: likewise.
      folder: of metrics.jsonl and checkpoints/. None takes the run's; an experiment that trains
        several networks needs one for each.

    Returns:
      The network.

    Raises:
      InputError: if the loss explodes or the embedding collapses.
      SystemExit: if a signal stopped the training.
    """
    folder = config.out if folder is None else folder
    with run_folder.recorded(folder, steps=config.iterations) as report:
        trained = network.fit(
            jax.random.key(config.seed),
            params,
            objective,
            batches,
            prepare=prepare,
            iterations=config.iterations,
            learning_rate=config.learning_rate,
            weight_decay=config.weight_decay,
            first_loss=first_loss,
            call_steps=call_steps,
            checkpoints=folder / "checkpoints",
            checkpoint_every=config.checkpoint_every,
            report=refuse_collapse(report),
        )
    for complaint in trained.rejected:
        print(complaint, file=sys.stderr)
    projection.stop_if_asked(trained.stopped_because)
    return trained


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
    from jaxemb.plots import image_map, point_map

    every = -(-len(vectors) // MAP_MOST)
    vectors, labels, images = vectors[::every], labels[::every], images[::every]
    perplexity = min(30.0, (len(vectors) - 1) / 3.5)
    key = jax.random.key(config.seed)
    embedding = tsne.fit(key, vectors, tsne.Options(perplexity)).embedding
    image_map.write_image_map(
        config.out / "images.png", embedding, images, labels=labels, title=title
    )
    ids, cosines = projection.find_neighbors(vectors)
    point_map.write_html(
        config.out / "map.html",
        embedding,
        images=images,
        labels=labels,
        classes=classes,
        neighbors=ids,
        cosines=cosines,
        title=title,
    )
