"""Noise words, drawn in constant time each."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError


class NoiseDistribution(NamedTuple):
    """An alias table: each cell holds two words that share it.

    Attributes:
      share: [V] float32, the probability with which cell i stands for word i.
      alias: [V] int32, the word that cell i stands for otherwise.
      probability: [V] float32, of each word; what the table draws from.
    """

    share: jax.Array
    alias: jax.Array
    probability: jax.Array


def noise_distribution(counts: np.ndarray, *, power: float) -> NoiseDistribution:
    """Builds the alias table of words in proportion to a power of their counts.

    Args:
      counts: [V] occurrences of each word.
      power: 0.75 in the paper; 1 is the unigram distribution, 0 the uniform one.

    Returns:
      The distribution.

    Reference:
      Mikolov et al. 2013, arXiv:1310.4546, section 2.2; Vose 1991, IEEE TSE 17(9).
    """
    weight = np.asarray(counts, np.float64) ** power
    probability = weight / weight.sum()
    share = probability * len(probability)
    alias = np.arange(len(probability))
    poor, rich = list(np.flatnonzero(share < 1)), list(np.flatnonzero(share >= 1))
    while poor and rich:
        giver = rich[-1]
        taker = poor.pop()
        alias[taker] = giver
        share[giver] -= 1 - share[taker]
        if share[giver] < 1:
            poor.append(rich.pop())
    # The remaining shares differ from 1 by rounding alone.
    share[poor + rich] = 1
    return NoiseDistribution(
        jnp.asarray(share, jnp.float32),
        jnp.asarray(alias, jnp.int32),
        jnp.asarray(probability, jnp.float32),
    )


class ExpectedNoise(NamedTuple):
    """Noise words for objectives that divide by their probabilities.

    Attributes:
      distribution: what they are drawn from.
      log_expected: [V] float32, the log of how often each word is expected among the draws.
    """

    distribution: NoiseDistribution
    log_expected: jax.Array


def expected_noise(counts: np.ndarray, *, power: float, draws: float) -> ExpectedNoise:
    """Prepares draws of noise words, and tells how often each is expected.

    Args:
      counts: [V] occurrences of each word.
      power: as for `noise_distribution`.
      draws: noise words that are drawn together, those of a prediction for instance.

    Returns:
      Both.

    Raises:
      InputError: if a word has probability 0.
    """
    distribution = noise_distribution(counts, power=power)
    probability = np.asarray(distribution.probability)
    if (never := np.flatnonzero(probability < np.finfo(np.float32).tiny)).size:
        raise InputError(
            f"word {never[0]}, and {never.size - 1} others, have probability 0 among the noise "
            "words, by which this objective divides; is noise_power too large?"
        )
    expected = np.log(draws * probability.astype(np.float64))
    return ExpectedNoise(distribution, jnp.asarray(expected, jnp.float32))


def sample_noise(
    key: jax.Array, distribution: NoiseDistribution, shape: tuple[int, ...]
) -> jax.Array:
    """Draws noise words independently.

    Args:
      key: random key.
      distribution: from `noise_distribution`.
      shape: of the result.

    Returns:
      [*shape] int32 word ids.
    """
    cell_key, side_key = jax.random.split(key)
    # The remainder has a bias of at most V / 2**32; randint, which has none, takes twice the time.
    bits = jax.random.bits(cell_key, shape, jnp.uint32)
    cell = (bits % distribution.share.size).astype(jnp.int32)
    side = jax.random.uniform(side_key, shape)
    return jnp.where(side < distribution.share[cell], cell, distribution.alias[cell])
