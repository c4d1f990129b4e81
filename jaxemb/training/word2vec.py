"""One step of word2vec: from a batch of text to changed rows of the two tables."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from jaxemb.losses.negative_sampling import GroupedGradients, cbow_gradients, skipgram_gradients
from jaxemb.models.word2vec import context_weights
from jaxemb.optim.rowwise import RowOptimizer
from jaxemb.sampling.noise import NoiseDistribution, sample_noise
from jaxemb.sampling.text import TextBatch
from jaxemb.sampling.windows import window_reach
from jaxemb.training.state import TrainState

# XLA's CPU runtime runs a batch of small matrix products on one thread, but independent operations
# on several once more than eight of them are ready. CBOW's are too small to be worth the splitting.
PARTS = {"skipgram": 16, "cbow": 1}


class Step(NamedTuple):
    """What fixes a step.

    Attributes:
      model: which words predict which.
      window: W, the largest reach of a window, in words.
      negatives: noise words a prediction, in expectation.
      mean: CBOW averages its contexts rather than add them.
      groups: G, stretches of text a step; a multiple of 16.
      size: S, words in each.
      noise: K, noise words that a group shares.
    """

    model: Literal["skipgram", "cbow"]
    window: int
    negatives: float = 5.0
    mean: bool = True
    groups: int = 32
    size: int = 32
    noise: int = 32


class Example(NamedTuple):
    """A step's input, with all that is random drawn.

    Attributes:
      inputs: [G, M] rows of the input table: the centres for skip-gram, all words for CBOW.
      outputs: [G, C] rows of the output table, the other way round, then the K noise words.
      left: [G, S] contexts to the left of each centre.
      right: [G, S] contexts to the right.
    """

    inputs: jax.Array
    outputs: jax.Array
    left: jax.Array
    right: jax.Array


def prepare(step: Step, noise: NoiseDistribution) -> Callable[[jax.Array, TextBatch], Example]:
    """Returns the function that draws windows and noise words for a step.

    Args:
      step: what fixes it.
      noise: what noise words are drawn from.

    Returns:
      The function: (the step's key, the step's text) -> its example.
    """
    middle = slice(step.window, step.window + step.size)

    def draw(key: jax.Array, batch: TextBatch) -> Example:
        window_key, noise_key = jax.random.split(key)
        words = jnp.asarray(batch.words)
        left, right = window_reach(window_key, jnp.asarray(batch.documents), window=step.window)
        inputs, others = words[:, middle], words
        if step.model == "cbow":
            inputs, others = others, inputs
        shared = sample_noise(noise_key, noise, (step.groups, step.noise))
        return Example(inputs, jnp.concatenate([others, shared], axis=1), left, right)

    return draw


def update(
    step: Step, optimizer: RowOptimizer, learning_rate: Callable[[jax.Array], jax.Array]
) -> Callable[[TrainState, Example], tuple[TrainState, dict[str, jax.Array]]]:
    """Returns the function that takes a step.

    Args:
      step: what fixes it.
      optimizer: of each table.
      learning_rate: its schedule, reported with the loss.

    Returns:
      The function: (state, example) -> (the next state, metrics: "loss" in nats a prediction, over
      a sample of them, and "learning_rate").
    """

    def take(state: TrainState, example: Example) -> tuple[TrainState, dict[str, jax.Array]]:
        tables = state.params
        factors = {
            name: optimizer.scale(state.opt_state[name]) * _root_of_count(ids, len(tables[name]))
            for name, ids in (("input", example.inputs), ("output", example.outputs))
        }

        def gradients(
            part: Example, input_scale: jax.Array, output_scale: jax.Array
        ) -> tuple[jax.Array, GroupedGradients]:
            inputs, outputs = tables["input"][part.inputs], tables["output"][part.outputs]
            return _gradients(
                step, inputs, outputs, part.left, part.right, input_scale, output_scale
            )

        to_inputs, rest = _in_parts(
            gradients, PARTS[step.model], (example, factors["input"], factors["output"])
        )
        params, opt_state = {}, {}
        # One scatter for each table: with more, XLA copies the table every step.
        for name, ids, gradient in (
            ("input", example.inputs, to_inputs),
            ("output", example.outputs, rest.outputs),
        ):
            params[name], opt_state[name] = optimizer.update(
                tables[name],
                state.opt_state[name],
                ids.reshape(-1),
                gradient.reshape(ids.size, -1),
            )
        metrics = {
            "loss": rest.loss.sum() / jnp.maximum(rest.predictions.sum(), 1),
            "learning_rate": learning_rate(state.step),
        }
        return TrainState(state.step + 1, state.key, params, opt_state), metrics

    return take


def _gradients(
    step: Step,
    inputs: jax.Array,
    outputs: jax.Array,
    left: jax.Array,
    right: jax.Array,
    input_scale: jax.Array,
    output_scale: jax.Array,
) -> tuple[jax.Array, GroupedGradients]:
    """Returns the scaled gradient with respect to the inputs, and the rest."""
    if step.model == "skipgram":
        gradients = skipgram_gradients(
            inputs,
            outputs,
            left,
            right,
            input_scale,
            output_scale,
            margin=step.window,
            negatives=step.negatives,
        )
        return gradients.hidden, gradients
    weights = jax.lax.optimization_barrier(
        context_weights(left, right, margin=step.window, mean=step.mean)
    )
    hidden = jnp.einsum("gsc,gcd->gsd", weights, inputs)
    gradients = cbow_gradients(
        hidden, outputs, left + right > 0, output_scale, negatives=step.negatives
    )
    by_context = jnp.swapaxes(weights, 1, 2) * input_scale[..., None]
    to_inputs = jnp.einsum(
        "gcs,gsd->gcd", jax.lax.optimization_barrier(by_context), gradients.hidden
    )
    return to_inputs, gradients


def _root_of_count(ids: jax.Array, rows: int) -> jax.Array:
    """Returns 1 / sqrt(how often the batch has a word), for each of its words.

    Summing the gradients of a batch makes frequent words explode, averaging them makes them stand
    still. Between the two, learning is stable and better than word by word.
    """
    # Small integers: the zeros are written anew every step.
    counts = jnp.zeros(rows, jnp.uint16).at[ids.reshape(-1)].add(1)
    return jax.lax.rsqrt(jnp.maximum(counts[ids], 1).astype(jnp.float32))


def _in_parts(function: Callable[..., Any], count: int, arguments: Any) -> Any:
    """Applies a function to slices of its arguments' groups and joins the results."""
    size = len(jax.tree.leaves(arguments)[0]) // count
    parts = [
        function(*jax.tree.map(lambda leaf, i=i: leaf[i * size : (i + 1) * size], arguments))
        for i in range(count)
    ]
    joined = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)
    # Fused with what follows, the joining would run element by element instead of as a copy.
    return jax.lax.optimization_barrier(joined)
