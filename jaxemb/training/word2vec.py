"""One step of word2vec: from a batch of text to changed rows of the two tables."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp

from jaxemb.losses.negative_sampling import GroupedGradients, cbow_gradients, skipgram_gradients
from jaxemb.models.word2vec import context_vectors
from jaxemb.optim.rowwise import RowOptimizer
from jaxemb.sampling.noise import NoiseDistribution, sample_noise
from jaxemb.sampling.text import TextBatch
from jaxemb.sampling.windows import window_reach
from jaxemb.training.state import TrainState

# XLA's CPU runtime runs a batch of small matrix products on one thread, but independent operations
# on several once more than eight of them are ready.
PARTS = 16


class Step(NamedTuple):
    """What fixes a step.

    Attributes:
      model: which words predict which.
      window: W, the largest reach of a window, in words.
      negatives: noise words a prediction, in expectation.
      mean: CBOW averages its contexts rather than add them.
      groups: G, stretches of text a step; a multiple of PARTS.
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
      input_scale: [G, M] factor on each row's gradient.
      output_scale: [G, C] likewise.
      left: [G, S] contexts to the left of each centre.
      right: [G, S] contexts to the right.
    """

    inputs: jax.Array
    outputs: jax.Array
    input_scale: jax.Array
    output_scale: jax.Array
    left: jax.Array
    right: jax.Array


def prepare(
    step: Step, frequency: jax.Array, noise: NoiseDistribution
) -> Callable[[jax.Array, TextBatch], Example]:
    """Returns the function that draws windows and noise words for a step.

    Summing the gradients of a batch makes frequent words explode, averaging them makes them stand
    still. A row's gradient is divided by the square root of how often the batch is expected to
    touch it. The expectation costs one gather where counting costs a pass over the batch, and
    leaves the step's expected direction for each row that of the paper.

    Args:
      step: what fixes it.
      frequency: [V] share of each word in the subsampled text.
      noise: what noise words are drawn from.

    Returns:
      The function: (the step's key, the step's text) -> its example.
    """
    centres = step.groups * step.size * frequency
    everything = step.groups * (step.size + 2 * step.window) * frequency
    drawn = step.groups * step.noise * noise.probability
    near, far = (centres, everything) if step.model == "skipgram" else (everything, centres)
    input_scale, output_scale = (
        jax.lax.rsqrt(jnp.maximum(touched, 1.0)) for touched in (near, far + drawn)
    )
    middle = slice(step.window, step.window + step.size)

    def draw(key: jax.Array, batch: TextBatch) -> Example:
        window_key, noise_key = jax.random.split(key)
        words = jnp.asarray(batch.words)
        left, right = window_reach(window_key, jnp.asarray(batch.documents), window=step.window)
        inputs, others = words[:, middle], words
        if step.model == "cbow":
            inputs, others = others, inputs
        shared = sample_noise(noise_key, noise, (step.groups, step.noise))
        outputs = jnp.concatenate([others, shared], axis=1)
        return Example(inputs, outputs, input_scale[inputs], output_scale[outputs], left, right)

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
        # One gather and one scatter for each table: with more, XLA copies the table every step.
        inputs, outputs = tables["input"][example.inputs], tables["output"][example.outputs]
        to_inputs, gradients = _in_parts(
            lambda *part: _gradients(step, *part), inputs, outputs, example.left, example.right
        )
        rows = {
            "input": (example.inputs, example.input_scale, to_inputs),
            "output": (example.outputs, example.output_scale, gradients.outputs),
        }
        params, opt_state = {}, {}
        for name, (ids, scale, gradient) in rows.items():
            scaled = (scale[..., None] * gradient).reshape(ids.size, -1)
            params[name], opt_state[name] = optimizer.update(
                tables[name], state.opt_state[name], ids.reshape(-1), scaled
            )
        predictions = jnp.maximum(gradients.predictions.sum(), 1)
        metrics = {
            "loss": gradients.loss.sum() / predictions,
            "learning_rate": learning_rate(state.step),
        }
        return TrainState(state.step + 1, state.key, params, opt_state), metrics

    return take


def _gradients(
    step: Step, inputs: jax.Array, outputs: jax.Array, left: jax.Array, right: jax.Array
) -> tuple[jax.Array, GroupedGradients]:
    """Returns the summed loss's gradient with respect to the inputs, and to the rest."""
    if step.model == "skipgram":
        gradients = skipgram_gradients(
            inputs, outputs, left, right, margin=step.window, negatives=step.negatives
        )
        return gradients.hidden, gradients
    hidden, pull_back = jax.vjp(
        lambda inputs: context_vectors(inputs, left, right, margin=step.window, mean=step.mean),
        inputs,
    )
    gradients = cbow_gradients(hidden, outputs, left + right > 0, negatives=step.negatives)
    return pull_back(gradients.hidden)[0], gradients


def _in_parts(function: Callable, *arrays: jax.Array):
    """Applies a function to PARTS slices of the arrays' first axis and joins the results."""
    size = arrays[0].shape[0] // PARTS
    parts = [
        function(*(array[i * size : (i + 1) * size] for array in arrays)) for i in range(PARTS)
    ]
    joined = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)
    # Fused with what follows, the joining would run element by element instead of as a copy.
    return jax.lax.optimization_barrier(joined)
