"""What experiments with handwriting share: pictures as other hands might have drawn them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.sampling import augment

# Ways to see a character, each as good as another one: quarter turns, and these mirrored.
TURNS = 8


@dataclasses.dataclass(frozen=True)
class Changes:
    """How pictures are changed while a network is trained."""

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
        for name in ("shear", "elastic"):
            checks.check_field(self, name, at_least=0, at_most=10)
        checks.check_field(self, "knots", at_least=2, at_most=100)


@dataclasses.dataclass(frozen=True)
class Picked:
    """Pictures by their rows in a larger set, which are not copied until a batch takes them."""

    images: np.ndarray  # [N, H, W]
    rows: np.ndarray  # [M] int

    def __len__(self) -> int:
        """Returns how many there are."""
        return len(self.rows)

    def __getitem__(self, chosen: np.ndarray) -> np.ndarray:
        """Returns the pictures [..., H, W] of some of them."""
        return self.images[self.rows[chosen]]


def as_input(images: jax.Array) -> jax.Array:
    """Returns [B, H, W, 1] from 0 to 1 of bytes [B, H, W]."""
    return images.astype(jnp.float32)[..., None] / 255


def change(changes: Changes, key: jax.Array, images: jax.Array) -> jax.Array:
    """Changes pictures as other hands might have drawn them.

    Args:
      changes: how much.
      key: random key.
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
        rotation=changes.rotation,
        scale=changes.scale,
        shear=changes.shear,
        shift=changes.shift,
    )
    places += augment.elastic_offsets(
        bend_key, shape, amplitude=changes.elastic, knots=changes.knots
    )
    return augment.resample(images, places)
