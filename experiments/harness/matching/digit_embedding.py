"""An embedding of digits: evened-out oriented gradients, or a network that is trained."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb import checks
from jaxemb.data.images import LabeledImages
from jaxemb.errors import InputError
from jaxemb.factorize import within_class
from jaxemb.losses.distances import unit
from jaxemb.methods import matching
from jaxemb.methods.matching import losses
from jaxemb.models.encoders import ConvEncoder, MlpEncoder
from jaxemb.models.oriented_gradients import oriented_gradients
from jaxemb.models.upright import set_upright
from jaxemb.sampling import augment
from jaxemb.training.network import in_blocks

from .. import command
from . import training as harness
from .handwriting import TURNS, Changes, Picked, as_input, change

# MNIST's own division: digits written by other people come after these.
TRAIN = 60_000
# Oriented gradients of a digit.
DESCRIBED = 7 * 7 * 12


@dataclasses.dataclass(frozen=True)
class Config:
    """What an embedding of digits is made from."""

    trained_on: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """Digits of the training images that are learned from."""
    judged_on: tuple[int, ...] = (7, 8, 9)
    """Digits of the test images to be matched."""
    encoder: Literal["gradients", "conv", "mlp"] = "gradients"
    """What embeds."""
    dim: int = 100
    """Width of the embedding."""
    shrinkage: float = 0.01
    """Added to the variance within digits, as a share of its mean: gradients."""
    turned: tuple[int, ...] = (2, 3, 4, 5, 6)
    """Digits whose quarter turns, also mirrored, a network learns as further classes; 0 and 1 look
    the same turned by half."""
    features: tuple[int, ...] = (32, 64)
    """Channels of each block of a network: conv; multiples of 8."""
    hidden: tuple[int, ...] = (512,)
    """Widths of the layers before the last: mlp."""
    false_accept_rate: float = 0.1
    """The most pairs of different digits that the threshold may accept, of those trained on."""
    objective: losses.Choice = losses.Choice(temperature=0.3)
    changes: Changes = Changes(rotation=25.0, shear=0.3, elastic=1.5)
    options: matching.Options = matching.Options(
        iterations=400, identities=16, samples=8, learning_rate=2e-3
    )
    common: command.Common = command.Common(out=Path("runs/mnist_matching"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("trained_on", "judged_on", "turned"):
            digits = getattr(self, name)
            if not set(digits) <= set(range(10)) or len(set(digits)) < len(digits):
                raise InputError(f"{name} must be different digits of 0 to 9, found {digits}")
        if both := set(self.trained_on) & set(self.judged_on):
            raise InputError(f"judged_on {both.pop()} is trained on; it must be a digit never seen")
        if strange := set(self.turned) - set(self.trained_on):
            raise InputError(f"turned {strange.pop()} is none of trained_on")
        for name in ("trained_on", "judged_on"):
            if len(getattr(self, name)) < 2:
                raise InputError(f"{name} must be at least 2 digits")
        checks.check_field(self, "false_accept_rate", at_least=0, at_most=1)
        checks.check_field(self, "shrinkage", above=0, at_most=1e6)
        checks.check_field(self, "dim", at_least=1)
        if self.encoder == "gradients":
            checks.check_field(self, "dim", at_least=1, at_most=DESCRIBED)
        harness.check_features(self.features)
        if any(width < 1 for width in self.hidden):
            raise InputError(f"hidden must be widths of at least 1, found {self.hidden}")
        classes = len(self.trained_on) + (TURNS - 1) * len(self.turned)
        if self.options.identities > classes:
            raise InputError(
                f"identities must be at most {classes}, the classes there are, found "
                f"{self.options.identities}"
            )


def learn(config: Config, data: LabeledImages) -> Callable[[jax.Array], jax.Array]:
    """Returns the embedding that the training images teach: [B, 28, 28] uint8 -> [B, dim]."""
    return even_out(config, data) if config.encoder == "gradients" else train(config, data)


def even_out(config: Config, data: LabeledImages) -> Callable[[jax.Array], jax.Array]:
    """Returns oriented gradients in which one digit's vary alike: [B, 28, 28] uint8 -> [B, dim]."""
    rows = np.flatnonzero(np.isin(data.labels[:TRAIN], config.trained_on))
    described = in_blocks(jax.jit(describe), data.images[rows])
    found = within_class.fit(
        described, data.labels[rows], components=config.dim, shrinkage=config.shrinkage
    )

    def embed(images: jax.Array) -> jax.Array:
        exact = jax.lax.Precision.HIGHEST
        return unit(jnp.matmul(describe(images) - found.mean[None], found.matrix, precision=exact))

    return jax.jit(embed)


def describe(images: jax.Array) -> jax.Array:
    """Returns oriented gradients of digits set upright, [B, 28, 28] uint8 to [B, DESCRIBED]."""
    upright = set_upright(images.astype(jnp.float32) / 255)
    found = oriented_gradients(upright, orientations=12, cell=4, blur=0.5, pool=3.0)
    return found.reshape(len(images), -1)


def train(config: Config, data: LabeledImages) -> Callable[[jax.Array], jax.Array]:
    """Returns the trained network: [B, 28, 28] uint8 -> [B, dim]."""
    rows, turns, labels = classes_of(config, data.labels[:TRAIN])
    encoder = make(config)

    def augmented(key: jax.Array, inputs: tuple[jax.Array, jax.Array]) -> jax.Array:
        images, turns = inputs
        return fold(change(config.changes, key, augment.turn(as_input(images), turns)))

    training = matching.start(
        config.common.seed,
        encoder,
        losses.choose(config.objective, samples=config.options.samples),
        (Picked(data.images, rows), turns),
        labels,
        config.options,
        augment=augmented,
    )
    model = harness.run(config.common, training).model
    return jax.jit(
        lambda images: jnp.asarray(model.module.apply(model.variables, fold(as_input(images))))
    )


def make(config: Config) -> nn.Module:
    """Returns the encoder of pictures."""
    if config.encoder == "conv":
        return ConvEncoder(config.dim, config.features)
    return nn.Sequential([lambda x: x.reshape(len(x), -1), MlpEncoder(config.dim, config.hidden)])


def classes_of(config: Config, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lists what is learned from: a digit as it is, and the chosen ones also in seven other ways.

    Args:
      config: the experiment's.
      labels: [N] digits.

    Returns:
      [M] int32 rows, how each is turned and its class, numbered from 0.
    """
    rows = np.flatnonzero(np.isin(labels, config.trained_on))
    more = np.flatnonzero(np.isin(labels, config.turned))
    turns = np.repeat(np.arange(TURNS), [len(rows), *[len(more)] * (TURNS - 1)])
    rows = np.concatenate([rows, *[more] * (TURNS - 1)])
    classes = np.unique(labels[rows] * TURNS + turns, return_inverse=True)[1]
    return rows.astype(np.int32), turns.astype(np.int32), classes.astype(np.int32)


def fold(images: jax.Array) -> jax.Array:
    """Returns [B, 14, 14, 4], each 2 x 2 pixels as one: a fifth of the arithmetic."""
    squares = images.reshape(len(images), 14, 2, 14, 2)
    return squares.transpose(0, 1, 3, 2, 4).reshape(-1, 14, 14, 4)
