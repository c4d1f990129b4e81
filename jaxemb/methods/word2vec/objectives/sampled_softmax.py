"""Sampled softmax: `losses.sampled_softmax`, with noise words that a group shares."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.kernels.grouped import GroupedGradients
from jaxemb.kernels.sampled_softmax import sampled_softmax_gradients
from jaxemb.methods.word2vec.grouped import in_groups
from jaxemb.methods.word2vec.prediction import hidden_vectors, observed, roles, with_one
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
from jaxemb.sampling.noise import ExpectedNoise, expected_noise, sample_noise

# Of a group's scores only those within windows count, so that groups are small.
DEFAULTS = {
    "skipgram": Defaults(0.07, noise=64, size=32),
    "cbow": Defaults(0.15, noise=32, size=32),
}
FIELDS = ("shared_noise", "noise_power")


def init(params: Params, counts: np.ndarray) -> Params:
    """Gives the words biases."""
    return with_biases(params, counts)


def source(settings: Settings, counts: np.ndarray, noise_power: float) -> ExpectedNoise:
    """Returns the distribution of noise words, and the log of how often a group has each.

    Raises:
      InputError: if a word has probability 0.
    """
    return expected_noise(counts, power=noise_power, draws=settings.noise)


def chance_loss(settings: Settings, words: int) -> float:
    """Returns the loss of a guess among the observed word and the noise words."""
    return math.log(1 + settings.noise)


def example(
    key: jax.Array,
    settings: Settings,
    source: ExpectedNoise,
    words: jax.Array,
    left: jax.Array,
    right: jax.Array,
) -> Example:
    """Draws the noise words of each group, and looks up how often each word is expected."""
    inputs, seen, predicted = roles(settings, words)
    noise = sample_noise(key, source.distribution, (settings.groups, settings.noise))
    outputs = jnp.concatenate([predicted, noise], axis=1)
    counted = {"input": seen, "output": outputs}
    return Example(inputs, outputs, left, right, counted, targets=source.log_expected[outputs])


def gradients(settings: Settings, example: Example, tables: Params, scale: Scale) -> Gradients:
    """Computes the gradients of a step."""
    return in_groups(_of_groups, settings, example, tables, scale)


def _of_groups(
    settings: Settings, example: Example, tables: Params, scales: Scales
) -> tuple[jax.Array, GroupedGradients]:
    inputs, outputs = tables["input"][example.inputs], tables["output"][example.outputs]
    hidden, to_inputs = hidden_vectors(settings, example, inputs, scales.inputs)
    hidden = with_one(hidden)
    outputs = outputs.at[..., -1].add(-example.targets)
    found = sampled_softmax_gradients(
        hidden, outputs, observed(settings, example.left, example.right), scales.outputs
    )
    changes = to_inputs(found.hidden[..., : inputs.shape[-1]])
    return changes, found._replace(held=(inputs, outputs, hidden))
