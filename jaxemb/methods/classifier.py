"""Training of ordinary classifiers: an encoder and an output layer with a column for each class."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb.checks import check_labels
from jaxemb.losses.softmax_classifier import softmax_classifier_loss
from jaxemb.losses.terms import mean_of_terms
from jaxemb.models import output_layer
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training import before_network as network

# The logit of a class that isn't there.
_BARRED = -1e9


def fit(
    key: jax.Array,
    module: nn.Module,
    params: Any,
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    classes: int,
    iterations: int,
    batch: int,
    learning_rate: float,
    prepare: Callable[[jax.Array, jax.Array], jax.Array],
) -> network.Trained:
    """Trains encoder and output layer.

    Args:
      key: the order of the examples is drawn from here, and what `prepare` draws.
      module: the encoder, [B, ...] to [B, D] of length 1.
      params: to start from, and kept: "encoder" and "output"; the latter may have room for more
        classes, so that one compiled program serves as classes come.
      inputs: [N, ...] examples.
      labels: [N] int in [0, classes).
      classes: there are; those of the room left are barred.
      iterations: steps.
      batch: examples of a step.
      learning_rate: at the start; it falls to 0 along a cosine.
      prepare: (key, [B, ...]) -> augmented examples.

    Returns:
      The parameters and how long it took.

    Raises:
      InputError: if a label is out of range, a number is none of the above or the loss explodes.
    """
    check_labels(labels, len(inputs), classes=classes)
    order_key, base_key = jax.random.split(key)
    # Fewer examples than a batch stand in it several times.
    times = -(-batch // len(inputs))
    choose = minibatches(order_key, rows=times * len(inputs), size=batch)
    there = np.arange(params["output"]["bias"].size) < classes

    def batches(start: int, stop: int) -> Any:
        rows = choose(start, stop) % len(inputs)
        return inputs[rows], labels[rows], np.broadcast_to(there, (stop - start, there.size))

    def objective(params: Any, example: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        given, own, open_ = example
        logits = scores(module, params, given, open_)
        return mean_of_terms(softmax_classifier_loss(logits, own)), {}

    return network.fit(
        base_key,
        params,
        objective,
        batches,
        prepare=lambda key, batch: (prepare(key, batch[0]), *batch[1:]),
        iterations=iterations,
        learning_rate=learning_rate,
        # A start that knows other classes may be surer of itself than one that knows nothing.
        first_loss=math.log(classes) + output_layer.SCALE,
    )


def classify(module: nn.Module, params: Any, inputs: np.ndarray, *, classes: int) -> np.ndarray:
    """Returns the class [N] of examples [N, ...], the likeliest of those there are."""
    there = jnp.arange(params["output"]["bias"].size) < classes
    return network.in_blocks(lambda given: scores(module, params, given, there), inputs).argmax(
        axis=1
    )


@functools.partial(jax.jit, static_argnames="module")
def scores(module: nn.Module, params: Any, inputs: jax.Array, there: jax.Array) -> jax.Array:
    """Returns the logits [B, C] of examples [B, ...], those of classes not there [C] barred."""
    vectors: Any = module.apply(params["encoder"], inputs)
    logits = output_layer.logits(params["output"], vectors)
    return jnp.where(there[None, :], logits, _BARRED)
