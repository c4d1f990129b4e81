"""A space of pictures and words: a table of word vectors, and a tower that takes pictures there.

The tower tells from descriptors of a drawing how strongly it speaks for each word, by ridge
regression with a Gaussian kernel.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.factorize import kernel_ridge
from jaxemb.factorize.kernel_ridge import KernelRidge
from jaxemb.losses.distances import unit
from jaxemb.models import drawings

# How much each descriptor counts: edges, lines, edges of the outline, outline, colors, palette.
WEIGHTS = (0.7, 0.7, 0.5, 0.5, 0.7, 0.7)
_AT_A_TIME = 256


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
    """Returns the descriptors of pictures [N, H, H, 3] uint8, [N, F] of each kind."""
    blocks = [
        drawings.describe(images[start : start + _AT_A_TIME].astype(np.float32) / 255)
        for start in range(0, len(images), _AT_A_TIME)
    ]
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def join(parts: Sequence[np.ndarray], means: Sequence[np.ndarray]) -> jax.Array:
    """Joins descriptors of one drawing, each less its mean, to vectors of length 1."""
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


def learn(
    known: Sequence[jax.Array],
    words: Sequence[Sequence[str]],
    *,
    dim: int,
    rarity: float,
    sharpness: float,
    penalty: float,
) -> Space:
    """Learns the space.

    Args:
      known: [N, F] descriptors of N pictures, in each drawing of them.
      words: N lists.
      dim: D, at most.
      rarity: power of the logarithm of a word's rarity, by which its vector is longer.
      sharpness: of the tower's kernel.
      penalty: of its ridge.
    """
    vocabulary = sorted({word for own in words for word in own})
    counted = bags(words, vocabulary)
    rare = np.log(len(words) / counted.sum(axis=0) + 1) ** rarity
    texts = np.asarray(unit(jnp.asarray(counted * rare[None, :])))
    # Singular vectors by the small Gram matrix: there are more words than texts.
    squares, left = np.linalg.eigh(texts @ texts.T)
    some = np.flatnonzero(squares > 1e-6 * squares.max())[::-1][:dim]
    directions = (left[:, some] / np.sqrt(squares[some])).T @ texts
    vectors = directions.T * rare[:, None]
    tower = _fit_tower(known, counted, sharpness, penalty)
    return Space(vocabulary, vectors.astype(np.float32), tower)


def _fit_tower(
    known: Sequence[jax.Array], values: np.ndarray, sharpness: float, penalty: float
) -> KernelRidge:
    every = jnp.asarray(np.tile(values, (len(known), 1)))
    return kernel_ridge.fit(jnp.concatenate(known), every, sharpness=sharpness, penalty=penalty)


def tell(
    known: Sequence[jax.Array],
    values: np.ndarray,
    asked: jax.Array,
    *,
    sharpness: float,
    penalty: float,
) -> np.ndarray:
    """Returns how strongly pictures speak for labels.

    Args:
      known: [N, F] descriptors of N pictures, in each drawing of them.
      values: [N, K] 1 where a picture has the label, otherwise 0.
      asked: [B, F] descriptors of others.
      sharpness: of the kernel.
      penalty: of the ridge.

    Returns:
      [B, K].
    """
    return np.asarray(kernel_ridge.predict(_fit_tower(known, values, sharpness, penalty), asked))


def encode_described(space: Space, asked: jax.Array) -> np.ndarray:
    """Returns [B, D] of length 1, where pictures with these descriptors lie."""
    spoken = kernel_ridge.predict(space.tower, asked) - space.tower.mean[None, :]
    return np.asarray(unit(spoken @ jnp.asarray(space.vectors)))


def encode_texts(space: Space, texts: Iterable[Sequence[str]]) -> np.ndarray:
    """Returns [B, D] of length 1, where texts lie; NaN where no word is known."""
    counted = bags(texts, space.words)
    found = np.array(unit(jnp.asarray(counted @ space.vectors)))
    found[~counted.any(axis=1)] = np.nan
    return found
