"""Negative sampling: `losses.negative_sampling`, with noise words that a group shares."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.methods.word2vec.grouped import in_groups
from jaxemb.methods.word2vec.prediction import noise_gradients, predicted_blocks, roles
from jaxemb.methods.word2vec.settings import (
    Defaults,
    Example,
    Gradients,
    Params,
    Scale,
    Settings,
)
from jaxemb.sampling.noise import NoiseDistribution, noise_distribution, sample_noise

DEFAULTS = {
    "skipgram": Defaults(0.075, noise=32, dtype="bfloat16"),
    "cbow": Defaults(0.2, noise=8, dtype="bfloat16"),
}
FIELDS = ("negatives", "shared_noise", "noise_power", "dtype")


def init(params: Params, counts: np.ndarray) -> Params:
    """Returns the tables as they are."""
    return params


def source(settings: Settings, counts: np.ndarray, noise_power: float) -> NoiseDistribution:
    """Returns the distribution of noise words."""
    return noise_distribution(counts, power=noise_power)


def chance_loss(settings: Settings, words: int) -> float:
    """Returns the loss of as many coin tosses as a prediction has words."""
    return (1 + settings.negatives) * math.log(2)


def example(
    key: jax.Array,
    settings: Settings,
    source: NoiseDistribution,
    words: jax.Array,
    left: jax.Array,
    right: jax.Array,
) -> Example:
    """Draws the noise words of each group."""
    inputs, seen, predicted = roles(settings, words)
    noise = sample_noise(key, source, (settings.groups, settings.noise))
    return Example(
        inputs,
        predicted_blocks(settings, predicted),
        left,
        right,
        {"input": seen, "output": jnp.concatenate([predicted, noise], axis=1)},
        noise,
    )


def gradients(settings: Settings, example: Example, tables: Params, scale: Scale) -> Gradients:
    """Computes the gradients of a step."""
    return in_groups(noise_gradients, settings, example, tables, scale)
