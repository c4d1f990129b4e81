"""An embedding of faces: oriented gradients, and a linear map of them that is learnt."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError
from jaxemb.factorize import within_class
from jaxemb.losses.distances import unit
from jaxemb.methods.matching import objective
from jaxemb.models.oriented_gradients import oriented_gradients
from jaxemb.sampling import augment
from jaxemb.sampling.balanced import BalancedBatches

from .. import command
from . import loss as matching_loss
from . import training as matching

# People of the data set, and oriented gradients of a photograph of 112 x 92 pixels.
PEOPLE = 40
DESCRIBED = 9 * 8 * 8


@dataclasses.dataclass(frozen=True)
class Config(matching_loss.Config):
    """Trains on some people and judges on others, of the 40 with ten photographs each.

    Photographs become oriented gradients, and a linear map evens out how those of one person vary:
    a closed form, from which --tuned goes on by --loss. Twenty people are too few for that: they
    are told apart already, and those left out, a part at a time, are matched worse afterwards.
    These also give the thresholds. Writes pairs.png (the hardest pairs), neighbors.png,
    images.png and map.html (by t-SNE), gallery.npz and summary.json to --out, and where it is
    tuned metrics.jsonl and checkpoints/; the same command again then goes on where it was stopped.
    """

    trained_on: int = 20
    """People 1 to this are trained on, the others are judged."""
    folds: int = 4
    """Parts of the people trained on, each left out once to choose thresholds and judge fields."""
    copies: int = 12
    """Changed copies of each photograph, which are learnt from."""
    shrinkage: float = 0.1
    """Added to the variance within people, as a share of its mean."""
    rotation: float = 8.0
    """Largest angle that a photograph is turned by, in degrees."""
    scale: float = 0.05
    """Largest change of a side, as a share of it."""
    shift: float = 0.05
    """Largest move, as a share of a side."""
    elastic: float = 2.0
    """Standard deviation of a bend, in pixels of a photograph 112 high."""
    false_accept_rate: float = 0.01
    """The most pairs of different people, and of unknown people, that thresholds may accept."""
    gallery_shots: int = 3
    """Photographs of each person that are enrolled, where there may be unknown people."""
    tuned: bool = False
    """Go on from the closed form by --loss, for --iterations."""
    loss: Literal["triplet", "contrastive", "supervised_contrastive", "proxy_nca", "cosface"] = (
        "triplet"
    )
    """What brings photographs of a person together."""
    mining: Literal["all", "random", "hardest", "semi_hard", "distance_weighted"] = "all"
    """Which triplets of a batch to learn from: triplet."""
    margin: float = 0.3
    """Of squared distances: triplet; of distances: contrastive; of cosines: cosface."""
    dim: int = 300
    """Width of the embedding."""
    identities: int = 15
    """People in a batch."""
    samples: int = 6
    """Photographs of each in a batch."""
    iterations: int = 200
    """Steps of the training."""
    learning_rate: float = 1e-5
    """Of Adam, at the start; it falls to 0 along a cosine."""
    out: Path = Path("runs/faces")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "trained_on", at_least=4, at_most=36)
        command.check_field(self, "folds", at_least=2, at_most=self.trained_on // 2)
        command.check_field(self, "copies", at_least=1, at_most=1000)
        command.check_field(self, "shrinkage", above=0, at_most=1e6)
        command.check_field(self, "rotation", at_least=0, at_most=180)
        for name in ("scale", "shift"):
            command.check_field(self, name, at_least=0, at_most=0.9)
        command.check_field(self, "elastic", at_least=0, at_most=20)
        command.check_field(self, "false_accept_rate", at_least=0, at_most=1)
        command.check_field(self, "gallery_shots", at_least=1, at_most=9)
        least = self.trained_on - -(-self.trained_on // self.folds)
        if self.identities > least:
            raise InputError(
                f"--identities must be at most {least}, the people left of {self.trained_on} when "
                f"one of {self.folds} folds is left out, found {self.identities}"
            )


def check(config: Config, labels: np.ndarray) -> None:
    """Refuses an embedding wider than what the closed form can be made of.

    Raises:
      InputError: naming the flags.
    """
    people = labels[labels < config.trained_on]
    fewest = min((people % config.folds != fold).sum() for fold in range(config.folds))
    most = min(DESCRIBED, int(fewest) * config.copies)
    if config.dim > most:
        raise InputError(
            f"--dim must be at most {most}, found {config.dim}: there are {DESCRIBED} gradients, "
            f"and {fewest} photographs, --copies {config.copies} of each, when a fold is left out"
        )


def train(
    config: Config, images: np.ndarray, labels: np.ndarray, *, folder: Path
) -> Callable[[jax.Array], jax.Array]:
    """Returns the trained embedding: [B, H, W] -> [B, dim]."""
    copy_key, loss_key, batch_key = matching.keys(config, 3)
    people = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    copy = jax.jit(lambda key, images: describe(change(config, key, images)))
    keys = jax.random.split(copy_key, config.copies)
    described = np.concatenate([copy(key, images) for key in keys])
    labels = np.tile(people, config.copies)
    start = within_class.fit(described, labels, components=config.dim, shrinkage=config.shrinkage)
    # The learning rate is a share of a matrix that makes vectors of length about 1.
    matrix = start.matrix / np.sqrt(config.dim)
    # The mean as a bias: each fold's program is then the same, and compiled once.
    params = {"matrix": matrix, "bias": -jnp.matmul(start.mean, matrix)}
    if not config.tuned:
        return functools.partial(embed, params)
    params |= matching_loss.init(loss_key, config, len(np.unique(people)))

    drawn = BalancedBatches(batch_key, labels, identities=config.identities, samples=config.samples)

    def batches(start: int, stop: int) -> Any:
        rows = drawn.batches(start, stop)
        return described[rows], labels[rows]

    def prepare(key: jax.Array, batch: Any) -> Any:
        described, labels = batch
        return described, (key, labels)

    trained = matching.train(
        config,
        params,
        objective(place, matching_loss.make(config)),
        batches,
        prepare=prepare,
        first_loss=matching_loss.first_loss(config, len(np.unique(people))),
        folder=folder,
    )
    return functools.partial(embed, trained.params)


@jax.jit
def embed(params: Any, images: jax.Array) -> jax.Array:
    """Places photographs, [B, H, W] uint8 to [B, dim]: the mean of each and its mirror image."""
    straight, mirrored = (place(params, describe(way)) for way in (images, images[:, :, ::-1]))
    return unit(straight + mirrored)


def place(params: Any, described: jax.Array) -> jax.Array:
    """Maps oriented gradients [B, F] to [B, dim] of length 1."""
    exact = jax.lax.Precision.HIGHEST
    return unit(jnp.matmul(described, params["matrix"], precision=exact) + params["bias"][None])


def change(config: Config, key: jax.Array, images: jax.Array) -> jax.Array:
    """Returns photographs [B, H, W] of bytes as they might have been taken, some mirrored."""
    place_key, bend_key, flip_key = jax.random.split(key, 3)
    batch, height, width = images.shape
    places = augment.affine_places(
        place_key,
        (batch, height, width),
        rotation=config.rotation,
        scale=config.scale,
        shift=config.shift,
    )
    places += augment.elastic_offsets(bend_key, (batch, height, width), amplitude=config.elastic)
    # Beyond the edge it goes on as there: black would be an edge of its own.
    places = jnp.clip(places, 0, jnp.array([height - 1, width - 1])[None, None, None])
    photographs = images.astype(jnp.float32)[..., None]
    return augment.flip(flip_key, augment.resample(photographs, places))[..., 0]


def describe(images: jax.Array) -> jax.Array:
    """Returns oriented gradients of photographs, [B, H, W] from 0 to 255, as vectors, [B, F]."""
    found = oriented_gradients(images / 255, cell=12, blur=1.0, pool=12.0)
    return found.reshape(len(images), -1)
