"""What experiments with handwriting share: pictures as other hands might have drawn them."""

import dataclasses

import jax
import jax.numpy as jnp

from jaxemb.sampling import augment

from .. import command
from . import loss as matching_loss

# Ways to see a character, each as good as another one: quarter turns, and these mirrored.
TURNS = 8


@dataclasses.dataclass(frozen=True)
class Config(matching_loss.Config):
    """The fields of the changes to pictures; an experiment adds its own."""

    rotation: float = 15.0
    """Largest angle that a picture is turned by, in degrees."""
    scale: float = 0.2
    """Largest change of a side, as a share of it."""
    shear: float = 0.2
    """Largest tangent of the angle by which an axis leans."""
    shift: float = 0.08
    """Largest move, as a share of a side."""
    elastic: float = 1.0
    """Standard deviation of a bend, in pixels."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "rotation", at_least=0, at_most=180)
        for name in ("scale", "shift"):
            command.check_field(self, name, at_least=0, at_most=0.9)
        for name in ("shear", "elastic"):
            command.check_field(self, name, at_least=0, at_most=10)


def as_input(images: jax.Array) -> jax.Array:
    """Returns [B, H, W, 1] from 0 to 1 of bytes [B, H, W]."""
    return images.astype(jnp.float32)[..., None] / 255


def change(config: Config, key: jax.Array, images: jax.Array) -> jax.Array:
    """Changes pictures as other hands might have drawn them.

    Args:
      config: the experiment's.
      key: drawn from.
      images: [B, H, W, 1].

    Returns:
      [B, H, W, 1].
    """
    place_key, bend_key = jax.random.split(key)
    batch, height, width, _ = images.shape
    shape = batch, height, width
    places = augment.affine_places(
        place_key,
        shape,
        rotation=config.rotation,
        scale=config.scale,
        shear=config.shear,
        shift=config.shift,
    )
    places += augment.elastic_offsets(bend_key, shape, amplitude=config.elastic)
    return augment.resample(images, places)
