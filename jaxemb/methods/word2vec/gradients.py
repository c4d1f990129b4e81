"""Gradients of word2vec's objectives, whichever they are, with respect to the rows of a step."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

from jaxemb.losses.full_softmax import FullSoftmaxGradients, full_softmax_gradients
from jaxemb.losses.hierarchical_softmax import hierarchical_softmax_gradients
from jaxemb.losses.negative_sampling import (
    GroupedGradients,
    cbow_gradients,
    multiply,
    skipgram_gradients,
    turned,
)
from jaxemb.losses.sampled_softmax import sampled_softmax_gradients
from jaxemb.models.word2vec import context_weights
from jaxemb.sampling.windows import in_window

Objective = Literal[
    "negative_sampling", "full_softmax", "nce", "hierarchical_softmax", "sampled_softmax"
]


class Step(NamedTuple):
    """What fixes a step.

    Attributes:
      model: which words predict which.
      window: W, the largest reach of a window, in words.
      negatives: noise words a prediction, in expectation, for negative sampling and NCE.
      mean: CBOW averages its contexts rather than add them.
      groups: G, stretches of text a step; a multiple of 8.
      size: S, words in each.
      block: B, of which skip-gram's scores are one matrix product; it divides S.
      noise: K, noise words that a group shares.
      objective: what is minimized.
      dtype: of the rows that are multiplied, of CBOW's those of the contexts: float32, or for
        negative sampling bfloat16, which is as good and moves half as much. Tables, sums and
        changes are float32.
    """

    model: Literal["skipgram", "cbow"]
    window: int
    negatives: float = 5.0
    mean: bool = True
    groups: int = 64
    size: int = 64
    block: int = 16
    noise: int = 32
    objective: Objective = "negative_sampling"
    dtype: DTypeLike = jnp.float32


class Example(NamedTuple):
    """A step's input, with all that is random drawn.

    Attributes:
      inputs: [G, M] rows of the input table: the centers for skip-gram, all words in blocks
        (`losses.negative_sampling.cut_blocks`) for CBOW.
      outputs: [G, C] rows of the output table, the other way round; in blocks for skip-gram by
        negative sampling or NCE. With a tree inputs are all words for skip-gram, too, and outputs
        the nodes on the ways to the centers, [G, S * L].
      noise: [G, K] rows of the output table, or [G, 0] where there are none, or sampled softmax has
        them at the end of `outputs`.
      left: [G, S] contexts to the left of each center.
      right: [G, S] contexts to the right.
      targets: what else the objective needs. NCE and sampled softmax: [G, C + K] the log of how
        often each word is expected among the noise words of a prediction. Hierarchical softmax:
        [G, S, L] int8 codes of the ways.
    """

    inputs: jax.Array
    outputs: jax.Array
    noise: jax.Array
    left: jax.Array
    right: jax.Array
    targets: Any = ()


class Scales(NamedTuple):
    """Factors on the rows of gradients, [G, M], [G, C] and [G, K] as in `Example`."""

    inputs: jax.Array
    outputs: jax.Array
    noise: jax.Array


def gradients(
    step: Step, example: Example, tables: dict[str, jax.Array], scales: Scales
) -> tuple[jax.Array, GroupedGradients]:
    """Takes the gradients of all objectives but full softmax.

    Args:
      step: what fixes it.
      example: its input, or that of some of its groups.
      tables: "input" and "output".
      scales: of the gradients.

    Returns:
      [G, M, D] the scaled gradient with respect to the inputs, and the rest.
    """
    inputs = tables["input"][example.inputs].astype(step.dtype)
    outputs, noise = tables["output"][example.outputs], tables["output"][example.noise]
    if step.model == "skipgram":  # too few of CBOW's products read them to repay the conversion
        outputs, noise = outputs.astype(step.dtype), noise.astype(step.dtype)
    left, right = example.left, example.right
    scaled = False
    hidden, to_inputs = _hidden(step, example, inputs, scales.inputs)
    if step.objective in ("nce", "sampled_softmax"):
        # NCE is negative sampling of scores less the log of the noise.
        hidden = _with_one(hidden)
        columns = outputs.shape[1]
        outputs = outputs.at[..., -1].add(-example.targets[:, :columns])
        noise = noise.at[..., -1].add(-example.targets[:, columns:])
    if step.objective == "hierarchical_softmax":
        observed = _observed(step, left, right)
        found = hierarchical_softmax_gradients(
            hidden, outputs, example.targets, observed, scales.outputs
        )
    elif step.objective == "sampled_softmax":
        observed = _observed(step, left, right)
        found = sampled_softmax_gradients(hidden, outputs, observed, scales.outputs)
    elif step.model == "cbow":
        found = cbow_gradients(
            hidden,
            outputs,
            noise,
            left + right > 0,
            scales.outputs,
            scales.noise,
            negatives=step.negatives,
        )
    else:
        found = skipgram_gradients(
            hidden,
            outputs,
            noise,
            left,
            right,
            *scales,
            margin=step.window,
            negatives=step.negatives,
        )
        scaled = True
    changes = found.hidden[..., : inputs.shape[-1]]
    if not scaled:
        changes = to_inputs(changes)
    return changes, found._replace(held=(inputs, outputs, noise, hidden, *found.held))


def _hidden(
    step: Step, example: Example, inputs: jax.Array, input_scale: jax.Array
) -> tuple[jax.Array, Callable[[jax.Array], jax.Array]]:
    """Returns the vectors that predict, and how their gradient becomes the scaled one of inputs."""
    if step.model == "skipgram":
        return inputs, lambda to_hidden: to_hidden * input_scale[..., None]

    def by_block(of_group: jax.Array) -> jax.Array:
        blocks = step.size // step.block
        return of_group.reshape(blocks * len(of_group), -1, *of_group.shape[2:])

    weights = jax.lax.optimization_barrier(
        context_weights(
            by_block(example.left), by_block(example.right), margin=step.window, mean=step.mean
        )
    )

    def to_inputs(to_hidden: jax.Array) -> jax.Array:
        by_context = turned(weights, by_block(input_scale)[..., None], step.dtype)
        to_hidden = by_block(to_hidden).astype(step.dtype)
        return multiply("gcs,gsd->gcd", by_context, to_hidden).reshape(inputs.shape)

    hidden = multiply("gsc,gcd->gsd", weights.astype(step.dtype), by_block(inputs))
    return hidden.reshape(*example.left.shape, -1), to_inputs


def gradients_over_all_words(
    step: Step, example: Example, tables: dict[str, jax.Array], input_scale: jax.Array
) -> tuple[jax.Array, FullSoftmaxGradients]:
    """Takes the gradients of full softmax.

    Args:
      step: what fixes it.
      example: its input.
      tables: "input" and "output".
      input_scale: as for `gradients`.

    Returns:
      As `gradients` does; only the first is scaled.
    """
    hidden, to_inputs = _hidden(step, example, tables["input"][example.inputs], input_scale)
    observed = _observed(step, example.left, example.right)
    found = full_softmax_gradients(_with_one(hidden), tables["output"], example.outputs, observed)
    return to_inputs(found.hidden[..., :-1]), found


def _observed(step: Step, left: jax.Array, right: jax.Array) -> jax.Array:
    """Returns how often each of a group's vectors, last axis, predicts each of its words."""
    if step.model == "cbow":
        present = (left + right > 0).astype(jnp.float32)
        return present[:, None, :] * jnp.eye(step.size)[None]
    columns = step.size + 2 * step.window
    inside = in_window(left, right, margin=step.window, columns=columns).astype(jnp.float32)
    # In hierarchical softmax the contexts predict the centers.
    return inside if step.objective == "hierarchical_softmax" else jnp.swapaxes(inside, 1, 2)


def _with_one(hidden: jax.Array) -> jax.Array:
    """Appends what the biases are multiplied with."""
    return jnp.concatenate([hidden, jnp.ones((*hidden.shape[:-1], 1))], axis=-1)
