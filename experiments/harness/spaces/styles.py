"""Pictures of two drawing styles, compared; and the numbers of the experiment."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.factorize.canonical import canonical, weighted
from jaxemb.losses.distances import unit
from jaxemb.methods import image_words
from jaxemb.models import picture_words


@dataclasses.dataclass(frozen=True)
class Options:
    """Numbers of the space; an experiment has them as its field `options`."""

    dim: int = 256
    """Width of the space, at most."""
    rarity: float = 0.5
    """Power of the logarithm of a word's rarity, by which its vector is longer."""
    sharpness: float = 3.0
    """Of the kernel exp(-sharpness * squared distance) between descriptors of length 1."""
    penalties: tuple[float, ...] = (0.1, 0.3, 1.0)
    """Penalties of the tower, of which held-out pictures choose."""
    ridges: tuple[float, ...] = (0.1, 0.3, 1.0)
    """Of the map from style to style, likewise."""
    directions: int = 320
    """Principal components of the descriptors that this map sees, at most."""
    own: float = 0.5
    """How much the descriptors themselves count where styles are compared; the map counts 1."""
    meaning: float = 0.25
    """How much the words count that pictures speak for, there."""
    temperature: float = 0.06
    """Of the inverted softmax, there."""

    def __post_init__(self):
        """Refuses values that no space can have.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("dim", "directions"):
            checks.check_field(self, name, at_least=2)
        for name in ("rarity", "own", "meaning"):
            checks.check_field(self, name, at_least=0)
        for name in ("sharpness", "temperature"):
            checks.check_field(self, name, above=0)
        for name in ("penalties", "ridges"):
            if not getattr(self, name) or min(getattr(self, name)) <= 0:
                raise InputError(f"{name} must be some numbers of more than 0")

    def space(self, penalty: float) -> image_words.Options:
        """Returns the numbers of the space."""
        return image_words.Options(self.dim, self.rarity, self.sharpness, penalty)


Descriptors = Mapping[str, Sequence[np.ndarray]]
"""{style: [N, F] of each kind}."""
Tables = Mapping[str, jax.Array]
"""{style: [N, F] of length 1}."""


def tables(descriptors: Descriptors, rows: np.ndarray) -> dict[str, jax.Array]:
    """Joins descriptors, each less its style's mean over some rows, to vectors of length 1."""
    return {
        style: picture_words.join(parts, [part[rows].mean(axis=0) for part in parts])
        for style, parts in descriptors.items()
    }


class Bridge(NamedTuple):
    """A map from one style to the other.

    Attributes:
      components: of the descriptors.
      means: [C] of each style's, along these.
      maps: [C, C] of each style.
    """

    components: pca.PCA
    means: tuple[jax.Array, jax.Array]
    maps: tuple[jax.Array, jax.Array]


def bridge(known: Tables, options: Options, *, ridge: float) -> Bridge:
    """Finds the directions in which two styles of the same things agree, by their correlation."""
    first, second = known.values()
    both = jnp.concatenate([first, second])
    components = pca.fit(both, components=min(options.directions, *both.shape))
    views = [pca.transform(components, style) for style in (first, second)]
    means = (views[0].mean(axis=0), views[1].mean(axis=0))
    centered = [view - mean[None, :] for view, mean in zip(views, means, strict=True)]
    return Bridge(components, means, weighted(canonical(*centered, ridge=ridge), 1.0))


def mapped(found: Bridge, asked: Sequence[jax.Array]) -> list[jax.Array]:
    """Returns pictures of two styles on the bridge, [B, C] each, of length 1."""
    return [
        unit((pca.transform(found.components, style) - mean[None, :]) @ map_)
        for style, mean, map_ in zip(asked, found.means, found.maps, strict=True)
    ]


def cross(
    found: Bridge, space: picture_words.Space, asked: Sequence[jax.Array], options: Options
) -> list[jax.Array]:
    """Returns vectors by which pictures of two styles are compared, [B, E] each.

    Their cosine is the mean of three, weighted: along the bridge, of the descriptors, and in the
    space of words.
    """
    vectors = []
    for style, over in zip(asked, mapped(found, asked), strict=True):
        meant = jnp.asarray(picture_words.encode_described(space, style))
        parts = (over, options.own**0.5 * style, options.meaning**0.5 * meant)
        vectors.append(unit(jnp.concatenate(parts, axis=1)))
    return vectors
