"""Omniglot's characters, parted into those that an encoder learns and new ones of other hands."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxemb import checks
from jaxemb.data.sets import omniglot
from jaxemb.errors import InputError
from jaxemb.sampling.augment import affine_places, resample

# A picture of 105 x 105 pixels is reduced to squares of five.
_SQUARE = 5


@dataclasses.dataclass(frozen=True)
class Changes:
    """Affine changes to pictures while a network is trained."""

    rotation: float = 12.0
    """Largest angle that a picture is turned by, in degrees."""
    scale: float = 0.15
    """Largest change of a side, as a share of it."""
    shear: float = 0.2
    """Largest tangent of the angle by which an axis leans."""
    shift: float = 0.08
    """Largest move, as a share of a side."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "rotation", at_least=0, at_most=180)
        for name in ("scale", "shift"):
            checks.check_field(self, name, at_least=0, at_most=0.9)
        checks.check_field(self, "shear", at_least=0, at_most=10)


class Characters(NamedTuple):
    """Characters to learn an encoder from, and new ones of other alphabets."""

    images: np.ndarray  # [N, 21, 21, 1] float32 ink in [0, 1]
    labels: np.ndarray  # [N] int32
    samples: np.ndarray  # [C, K, 21, 21, 1] of new characters, to learn or enroll
    asked: np.ndarray  # [C, Q, 21, 21, 1] of the same, by other drawers, to be recognized


def read(data_dir: Path, *, seed: int, classes: int, samples: int) -> Characters:
    """Reads the characters: those of the first small set are learned, the others are new.

    A character turned by quarters and mirrored is as good as another: eight are learned from each.

    Args:
      data_dir: folder of the data sets.
      seed: the order of new characters and of drawers is drawn by it; the first half of the
        drawers gives samples, the second half is asked about.
      classes: at least so many new characters are needed.
      samples: and of each so many samples.

    Returns:
      The characters.

    Raises:
      InputError: if the file is missing, damaged, of another layout or has too few.
    """
    found = omniglot.read(data_dir)
    rows, side = len(found.images), found.images.shape[1] // _SQUARE
    squares = found.images.reshape(rows, side, _SQUARE, side, _SQUARE, 1)
    images = squares.mean(axis=(2, 4), dtype=np.float32) / 255
    known = found.small_sets[0]
    rng = np.random.default_rng(seed)
    drawers = rng.permutation(np.unique(found.drawers))
    new = rng.permutation(np.unique(found.characters[~known]))
    half = len(drawers) // 2
    for what, wanted, there in (("characters", classes, len(new)), ("samples", samples, half)):
        if wanted > there:
            raise InputError(
                f"{data_dir / omniglot.FILE}: has {there} {what} to be new, {wanted} are asked for"
            )
    row = {pair: i for i, pair in enumerate(zip(found.characters, found.drawers, strict=True))}
    table = np.array([[row[character, drawer] for drawer in drawers] for character in new])
    labels = np.unique(found.characters[known], return_inverse=True)[1].astype(np.int32)
    turned = [np.rot90(images[known], quarters, (1, 2)) for quarters in range(4)]
    turned += [pictures[:, :, ::-1] for pictures in turned]
    labels = np.concatenate([labels + turn * (labels.max() + 1) for turn in range(len(turned))])
    return Characters(
        np.concatenate(turned), labels, images[table[:, :half]], images[table[:, half:]]
    )


def rewritten(changes: Changes, key: jax.Array, images: jax.Array) -> jax.Array:
    """Returns pictures [B, H, W, 1] as other hands might have written the same."""
    batch, height, width, _ = images.shape
    return resample(
        images, affine_places(key, (batch, height, width), **dataclasses.asdict(changes))
    )
