"""Noise-contrastive estimation: `losses.nce`, negative sampling of scores less the noise's log."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.kernels.grouped import GroupedGradients
from jaxemb.methods.word2vec.grouped import in_groups
from jaxemb.methods.word2vec.objectives import negative_sampling
from jaxemb.methods.word2vec.prediction import noise_gradients
from jaxemb.methods.word2vec.settings import (
    Defaults,
    Example,
    Gradients,
    Params,
    Scale,
    Scales,
    Settings,
)
from jaxemb.models.word2vec import with_biases
from jaxemb.sampling.noise import ExpectedNoise, expected_noise

DEFAULTS = {"skipgram": Defaults(0.075, noise=32), "cbow": Defaults(0.2, noise=8)}
FIELDS = ("negatives", "shared_noise", "noise_power")


def init(params: Params, counts: np.ndarray) -> Params:
    """Gives the words biases."""
    return with_biases(params, counts)


def source(settings: Settings, counts: np.ndarray, noise_power: float) -> ExpectedNoise:
    """Returns the distribution of noise words, and the log of how often a prediction has each.

    Raises:
      InputError: if a word has probability 0.
    """
    return expected_noise(counts, power=noise_power, draws=settings.negatives)


chance_loss = negative_sampling.chance_loss


def example(
    key: jax.Array,
    settings: Settings,
    source: ExpectedNoise,
    words: jax.Array,
    left: jax.Array,
    right: jax.Array,
) -> Example:
    """Draws the noise words of each group, and looks up how often each word is expected."""
    found = negative_sampling.example(key, settings, source.distribution, words, left, right)
    ids = jnp.concatenate([found.outputs, found.noise], axis=1)
    return found._replace(targets=source.log_expected[ids])


def gradients(settings: Settings, example: Example, tables: Params, scale: Scale) -> Gradients:
    """Computes the gradients of a step."""
    return in_groups(_of_groups, settings, example, tables, scale)


def _of_groups(
    settings: Settings, example: Example, tables: Params, scales: Scales
) -> tuple[jax.Array, GroupedGradients]:
    return noise_gradients(settings, example, tables, scales, -example.targets)
