"""Full softmax: `losses.full_softmax`, a score for each word of the vocabulary."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.kernels.full_softmax import full_softmax_gradients
from jaxemb.methods.word2vec.prediction import hidden_vectors, observed, roles, with_one
from jaxemb.methods.word2vec.settings import (
    Defaults,
    Example,
    Gradients,
    Params,
    Scale,
    Settings,
)
from jaxemb.models.word2vec import with_biases

DEFAULTS = {"skipgram": Defaults(0.03), "cbow": Defaults(0.06)}
FIELDS: tuple[str, ...] = ()


def init(params: Params, counts: np.ndarray) -> Params:
    """Gives the words biases."""
    return with_biases(params, counts)


def source(settings: Settings, counts: np.ndarray, noise_power: float) -> None:
    """Returns None: nothing is drawn."""


def chance_loss(settings: Settings, words: int) -> float:
    """Returns the loss of a guess among all words."""
    return math.log(words)


def example(
    key: jax.Array,
    settings: Settings,
    source: None,
    words: jax.Array,
    left: jax.Array,
    right: jax.Array,
) -> Example:
    """Returns the words."""
    inputs, seen, predicted = roles(settings, words)
    return Example(inputs, predicted, left, right, {"input": seen, "output": predicted})


def gradients(settings: Settings, example: Example, tables: Params, scale: Scale) -> Gradients:
    """Computes the gradients of a step, which changes every row of the output table."""
    hidden, to_inputs = hidden_vectors(
        settings, example, tables["input"][example.inputs], scale("input", example.inputs)
    )
    found = full_softmax_gradients(
        with_one(hidden),
        tables["output"],
        example.outputs,
        observed(settings, example.left, example.right),
    )
    every = jnp.arange(len(tables["output"]))
    changed = found.outputs * scale("output", every)[:, None]
    return Gradients(
        {
            "input": [(example.inputs, [to_inputs(found.hidden[..., :-1])])],
            "output": [(every, [changed])],
        },
        found.loss.sum(),
        found.predictions.sum(),
    )
