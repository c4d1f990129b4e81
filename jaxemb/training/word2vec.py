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

        def rows(name: str, ids: jax.Array, scale: jax.Array) -> tuple[jax.Array, jax.Array]:
            return tables[name][ids], scale * optimizer.scale(state.opt_state[name])

        def gradients(part: Example) -> tuple[jax.Array, GroupedGradients]:
            inputs, input_scale = rows("input", part.inputs, part.input_scale)
            outputs, output_scale = rows("output", part.outputs, part.output_scale)
            return _gradients(
                step, inputs, outputs, part.left, part.right, input_scale, output_scale
            )

        to_inputs, rest = _in_parts(gradients, PARTS[step.model], example)
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


def _in_parts(function: Callable[[Example], Any], count: int, example: Example) -> Any:
    """Applies a function to slices of an example's groups and joins the results."""
    size = len(example.left) // count
    parts = [
        function(jax.tree.map(lambda leaf, i=i: leaf[i * size : (i + 1) * size], example))
        for i in range(count)
    ]
    joined = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)
    # Fused with what follows, the joining would run element by element instead of as a copy.
    return jax.lax.optimization_barrier(joined)
