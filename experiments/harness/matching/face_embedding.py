"""An embedding of faces: oriented gradients, and a linear map of them that is learned."""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb import checks
from jaxemb.factorize import within_class
from jaxemb.losses.distances import unit
from jaxemb.methods import matching
from jaxemb.methods.matching import losses
from jaxemb.models.oriented_gradients import oriented_gradients
from jaxemb.sampling import augment

from .. import command
from . import training as harness

# Oriented gradients of a photograph of 112 x 92 pixels.
DESCRIBED = 9 * 8 * 8


@dataclasses.dataclass(frozen=True)
class Changes:
    """How photographs are changed, so that there are more of each person."""

    rotation: float = 8.0
    """Largest angle that a photograph is turned by, in degrees."""
    scale: float = 0.05
    """Largest change of a side, as a share of it."""
    shift: float = 0.05
    """Largest move, as a share of a side."""
    elastic: float = 2.0
    """Standard deviation of a bend, in pixels of a photograph 112 high."""
    knots: int = 5
    """Places along each side that are bent; between them bends are interpolated."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "rotation", at_least=0, at_most=180)
        for name in ("scale", "shift"):
            checks.check_field(self, name, at_least=0, at_most=0.9)
        checks.check_field(self, "elastic", at_least=0, at_most=20)
        checks.check_field(self, "knots", at_least=2, at_most=100)


@dataclasses.dataclass(frozen=True)
class Options:
    """Every number of the embedding of faces."""

    dim: int = 300
    """Width of the embedding."""
    copies: int = 12
    """Changed copies of each photograph, which are learned from."""
    shrinkage: float = 0.1
    """Added to the variance within people, as a share of its mean."""
    tuned: bool = False
    """Go on from the closed form by --loss, for --iterations."""
    objective: losses.Choice = losses.Choice(loss="triplet", mining="all", margin=0.3)
    changes: Changes = Changes()
    options: matching.Options = matching.Options(
        iterations=200, identities=15, samples=6, learning_rate=1e-5
    )

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=1)
        checks.check_field(self, "copies", at_least=1, at_most=1000)
        checks.check_field(self, "shrinkage", above=0, at_most=1e6)


class LinearEncoder(nn.Module):
    """A linear map to vectors of length 1.

    Attributes:
      dim: D, width of the embedding.
    """

    dim: int

    @nn.compact
    def __call__(self, described: jax.Array) -> jax.Array:
        """Maps oriented gradients [B, F] to [B, D]."""
        shape = (described.shape[1], self.dim)
        matrix = self.param("matrix", nn.initializers.lecun_normal(), shape)
        bias = self.param("bias", nn.initializers.zeros, (self.dim,))
        exact = jax.lax.Precision.HIGHEST
        return unit(jnp.matmul(described, matrix, precision=exact) + bias[None])


def train(
    options: Options,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    common: command.Common,
    folder: Path,
) -> Callable[[jax.Array], jax.Array]:
    """Returns the trained embedding: [B, H, W] -> [B, dim]."""
    copy_key = jax.random.fold_in(jax.random.key(common.seed), options.options.iterations)
    copy_key = jax.random.split(copy_key, 3)[0]
    people = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    copy = jax.jit(lambda key, images: describe(change(options.changes, key, images)))
    keys = jax.random.split(copy_key, options.copies)
    described = np.concatenate([copy(key, images) for key in keys])
    labels = np.tile(people, options.copies)
    start = within_class.fit(described, labels, components=options.dim, shrinkage=options.shrinkage)
    # The learning rate is a share of a matrix that makes vectors of length about 1.
    matrix = start.matrix / np.sqrt(options.dim)
    # The mean as a bias: each fold's program is then the same, and compiled once.
    variables = {"params": {"matrix": matrix, "bias": -jnp.matmul(start.mean, matrix)}}
    encoder = LinearEncoder(options.dim)
    if options.tuned:
        training = matching.start(
            common.seed,
            encoder,
            losses.choose(options.objective, samples=options.options.samples),
            described,
            labels,
            options.options,
            params={"encoder": variables},
        )
        variables = harness.run(common, training, folder).model.variables
    return functools.partial(embed, encoder, variables)


@functools.partial(jax.jit, static_argnames="encoder")
def embed(encoder: LinearEncoder, variables: Any, images: jax.Array) -> jax.Array:
    """Places photographs, [B, H, W] uint8 to [B, dim]: the mean of each and its mirror image."""
    ways = (images, images[:, :, ::-1])
    straight, mirrored = (jnp.asarray(encoder.apply(variables, describe(way))) for way in ways)
    return unit(straight + mirrored)


def change(changes: Changes, key: jax.Array, images: jax.Array) -> jax.Array:
    """Returns photographs [B, H, W] of bytes as they might have been taken, some mirrored."""
    place_key, bend_key, flip_key = jax.random.split(key, 3)
    batch, height, width = images.shape
    places = augment.affine_places(
        place_key,
        (batch, height, width),
        rotation=changes.rotation,
        scale=changes.scale,
        shift=changes.shift,
    )
    places += augment.elastic_offsets(
        bend_key, (batch, height, width), amplitude=changes.elastic, knots=changes.knots
    )
    photographs = images.astype(jnp.float32)[..., None]
    # Black beyond the edge would be an edge of its own.
    return augment.flip(flip_key, augment.resample(photographs, places, edge=True))[..., 0]


def describe(images: jax.Array) -> jax.Array:
    """Returns oriented gradients of photographs, [B, H, W] from 0 to 255, as vectors, [B, F]."""
    found = oriented_gradients(images / 255, cell=12, blur=1.0, pool=12.0)
    return found.reshape(len(images), -1)
