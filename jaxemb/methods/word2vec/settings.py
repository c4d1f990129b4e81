"""Hyperparameters of a step, and what passes through it."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import jax

Model = Literal["skipgram", "cbow"]
Dtype = Literal["float32", "bfloat16"]
Params = dict[str, jax.Array]
# (name of a table, ids) -> the factor on the gradient of each of these rows, as many as ids.
Scale = Callable[[str, jax.Array], jax.Array]


class Settings(NamedTuple):
    """Hyperparameters of a step: `Options`, with what is None there chosen.

    Attributes:
      model: which words predict which.
      window: W, the largest reach of a window, in words.
      negatives: noise words per prediction, in expectation.
      cbow_mean: CBOW averages its contexts rather than add them.
      groups: G, stretches of text per step; a multiple of `parts`.
      size: S, words in each.
      block: B, of which skip-gram's scores are one matrix product; it divides S.
      noise: K, noise words that a group shares.
      dtype: of the rows that are multiplied; of CBOW's, those of the contexts.
      damping: power of its count by which a row's summed gradient is divided.
      most_means: multiple of its mean gradient by which a row moves at most.
      parts: independent parts of a step.
    """

    model: str
    window: int
    negatives: float = 5.0
    cbow_mean: bool = True
    groups: int = 64
    size: int = 64
    block: int = 16
    noise: int = 32
    dtype: Dtype = "float32"
    damping: float = 0.5
    most_means: float = 2.0
    parts: int = 8


class Defaults(NamedTuple):
    """What suits an objective and a model, where the options leave it open."""

    learning_rate: float
    noise: int = 0
    size: int = 64
    dtype: Dtype = "float32"


class Example(NamedTuple):
    """A step's input, with all that is random drawn.

    Attributes:
      inputs: [G, M] rows of the input table.
      outputs: [G, C] rows of the output table.
      left: [G, S] contexts to the left of each center.
      right: [G, S] contexts to the right.
      seen: ids whose occurrences damp the rows of "input" and of "output", [G, ...] each: a word
        in two blocks is there once.
      noise: [G, K] more rows of the output table, or ().
      targets: what else the objective needs, arrays [G, ...].
    """

    inputs: jax.Array
    outputs: jax.Array
    left: jax.Array
    right: jax.Array
    seen: Mapping[str, jax.Array]
    noise: Any = ()
    targets: Any = ()


class Scales(NamedTuple):
    """Factors on the rows of gradients, shaped as the ids of that name in `Example`."""

    inputs: jax.Array
    outputs: jax.Array
    noise: Any = ()


# Rows of a table, [G, ...], and the gradients of them, [G / P, ..., D] in each of P parts, scaled.
Changes = tuple[jax.Array, list[jax.Array]]


class Gradients(NamedTuple):
    """Gradients of a step's summed loss.

    Attributes:
      changes: of each table.
      loss: [] the loss of the predictions that are measured, summed, in nats.
      predictions: [] how many those are.
      held: arrays for `kernels.parts.keep_alive`.
    """

    changes: Mapping[str, list[Changes]]
    loss: jax.Array
    predictions: jax.Array
    held: Any = ()
