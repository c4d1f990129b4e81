"""A space of pictures and words: a table of word vectors, and a tower that takes pictures there.

The tower tells from a picture how strongly it speaks for each word, by ridge regression with a
Gaussian kernel on descriptors of drawings. A text is the sum of its words' vectors, and a picture
the sum of all, each as often as the picture speaks for it.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.factorize import kernel_ridge, pca
from jaxemb.factorize.canonical import canonical, weighted
from jaxemb.factorize.kernel_ridge import KernelRidge
from jaxemb.losses.distances import unit
from jaxemb.models import drawings

# How much each descriptor counts: edges, lines, edges of the outline, outline, colors, palette.
WEIGHTS = (0.7, 0.7, 0.5, 0.5, 0.7, 0.7)
_AT_A_TIME = 256


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


Descriptors = Mapping[str, Sequence[np.ndarray]]
"""{style: [N, F] of each kind}."""
Tables = Mapping[str, jax.Array]
"""{style: [N, F] of length 1}."""


class Space(NamedTuple):
    """Where pictures and words lie.

    Attributes:
      words: V.
      vectors: [V, D]; a rarer word's is longer.
      tower: from descriptors to how strongly a picture speaks for each word.
    """

    words: list[str]
    vectors: np.ndarray
    tower: KernelRidge


def describe(images: np.ndarray) -> list[np.ndarray]:
    """Returns the descriptors of pictures [N, 32, 32, 3] uint8, [N, F] of each kind."""
    blocks = [
        drawings.describe(images[start : start + _AT_A_TIME].astype(np.float32) / 255)
        for start in range(0, len(images), _AT_A_TIME)
    ]
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def tables(descriptors: Descriptors, rows: np.ndarray) -> dict[str, jax.Array]:
    """Joins descriptors, each less its style's mean over some rows, to vectors of length 1."""
    return {
        style: join(parts, [part[rows].mean(axis=0) for part in parts])
        for style, parts in descriptors.items()
    }


def join(parts: Sequence[np.ndarray], means: Sequence[np.ndarray]) -> jax.Array:
    """Joins descriptors of one style, each less its mean, to vectors of length 1."""
    centered = (unit(jnp.asarray(a - b[None, :])) for a, b in zip(parts, means, strict=True))
    joined = [weight * part for weight, part in zip(WEIGHTS, centered, strict=True)]
    return unit(jnp.concatenate(joined, axis=1))


def bags(lists: Iterable[Sequence[str]], vocabulary: Sequence[str]) -> np.ndarray:
    """Returns [N, V] float32: 1 where a list has the word, however often."""
    lists = list(lists)
    places = {word: at for at, word in enumerate(vocabulary)}
    found = np.zeros((len(lists), len(places)), np.float32)
    for row, words in enumerate(lists):
        found[row, [places[word] for word in words if word in places]] = 1
    return found


def fit(
    known: Tables,
    words: Sequence[Sequence[str]],
    options: Options,
    *,
    penalty: float,
) -> Space:
    """Learns the space.

    Args:
      known: descriptors of N pictures in each style.
      words: N lists.
      options: of the space.
      penalty: of the tower.
    """
    vocabulary = sorted({word for own in words for word in own})
    counted = bags(words, vocabulary)
    rare = np.log(len(words) / counted.sum(axis=0) + 1) ** options.rarity
    texts = np.asarray(unit(jnp.asarray(counted * rare[None, :])))
    # Singular vectors by the small Gram matrix: there are more words than texts.
    squares, left = np.linalg.eigh(texts @ texts.T)
    some = np.flatnonzero(squares > 1e-6 * squares.max())[::-1][: options.dim]
    directions = (left[:, some] / np.sqrt(squares[some])).T @ texts
    vectors = directions.T * rare[:, None]
    tower = _fit_tower(known, counted, options.sharpness, penalty)
    return Space(vocabulary, vectors.astype(np.float32), tower)


def _fit_tower(known: Tables, values: np.ndarray, sharpness: float, penalty: float) -> KernelRidge:
    points = jnp.concatenate(list(known.values()))
    every = jnp.asarray(np.tile(values, (len(known), 1)))
    return kernel_ridge.fit(points, every, sharpness=sharpness, penalty=penalty)


def tell(
    known: Tables, values: np.ndarray, asked: jax.Array, options: Options, *, penalty: float
) -> np.ndarray:
    """Returns how strongly pictures speak for labels.

    Args:
      known: descriptors of N pictures in each style.
      values: [N, K] 1 where a picture has the label, otherwise 0.
      asked: [B, F] descriptors of others.
      options: of the space.
      penalty: of the tower.

    Returns:
      [B, K].
    """
    return np.asarray(
        kernel_ridge.predict(_fit_tower(known, values, options.sharpness, penalty), asked)
    )


def encode_pictures(space: Space, asked: jax.Array) -> np.ndarray:
    """Returns [B, D] of length 1, where pictures with these descriptors lie."""
    spoken = kernel_ridge.predict(space.tower, asked) - space.tower.mean[None, :]
    return np.asarray(unit(spoken @ jnp.asarray(space.vectors)))


def encode_texts(space: Space, texts: Iterable[Sequence[str]]) -> np.ndarray:
    """Returns [B, D] of length 1, where texts lie; NaN where no word is known."""
    counted = bags(texts, space.words)
    found = np.array(unit(jnp.asarray(counted @ space.vectors)))
    found[~counted.any(axis=1)] = np.nan
    return found


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
    found: Bridge, space: Space, asked: Sequence[jax.Array], options: Options
) -> list[jax.Array]:
    """Returns vectors by which pictures of two styles are compared, [B, E] each.

    Their cosine is the mean of three, weighted: along the bridge, of the descriptors, and in the
    space of words.
    """
    vectors = []
    for style, over in zip(asked, mapped(found, asked), strict=True):
        meant = jnp.asarray(encode_pictures(space, style))
        parts = (over, options.own**0.5 * style, options.meaning**0.5 * meant)
        vectors.append(unit(jnp.concatenate(parts, axis=1)))
    return vectors
