"""One step of word2vec: from a batch of text to changed rows of the two tables."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError
from jaxemb.losses.full_softmax import FullSoftmaxGradients
from jaxemb.losses.negative_sampling import GroupedGradients
from jaxemb.models.huffman import HuffmanTree
from jaxemb.optim.rowwise import RowOptimizer
from jaxemb.sampling.noise import NoiseDistribution, sample_noise
from jaxemb.sampling.text import TextBatch
from jaxemb.sampling.windows import window_reach
from jaxemb.training.parts import in_parts
from jaxemb.training.state import TrainState
from jaxemb.training.word2vec_gradients import Example, Step, gradients, gradients_over_all_words

# XLA's CPU runtime runs a batch of small matrix products on one thread, but independent operations
# on several once more than eight of them are ready. CBOW's are too small to be worth the splitting.
PARTS = {"skipgram": 16, "cbow": 1}


def prepare(
    step: Step, source: NoiseDistribution | HuffmanTree | None
) -> Callable[[jax.Array, TextBatch], Example]:
    """Returns the function that draws windows and noise words for a step.

    Args:
      step: what fixes it.
      source: what noise words are drawn from; the tree of hierarchical softmax; None for full
        softmax.

    Returns:
      The function: (the step's key, the step's text) -> its example.

    Raises:
      InputError: if NCE or sampled softmax would divide by a noise word's probability of 0.
    """
    middle = slice(step.window, step.window + step.size)
    expected = _log_expected(step, source)

    def draw(key: jax.Array, batch: TextBatch) -> Example:
        window_key, noise_key = jax.random.split(key)
        words = jnp.asarray(batch.words)
        left, right = window_reach(window_key, jnp.asarray(batch.documents), window=step.window)
        inputs, others = words[:, middle], words
        # Windows are symmetric, so that the contexts may as well predict their centre: with a
        # tree, whose ways are long, fewer rows are then wanted.
        if step.model == "cbow" or isinstance(source, HuffmanTree):
            inputs, others = others, inputs
        if source is None:
            return Example(inputs, others, left, right)
        if isinstance(source, HuffmanTree):
            nodes = jnp.asarray(source.nodes)[others].reshape(step.groups, -1)
            return Example(inputs, nodes, left, right, jnp.asarray(source.codes)[others])
        shared = sample_noise(noise_key, source, (step.groups, step.noise))
        outputs = jnp.concatenate([others, shared], axis=1)
        targets = () if expected is None else expected[outputs]
        return Example(inputs, outputs, left, right, targets)

    return draw


def _log_expected(step: Step, source: NoiseDistribution | HuffmanTree | None) -> jax.Array | None:
    """Returns the [V] logs of how often words are expected among a prediction's noise words."""
    if step.objective not in ("nce", "sampled_softmax"):
        return None
    assert isinstance(source, NoiseDistribution)
    probability = np.asarray(source.probability)
    if (never := np.flatnonzero(probability < np.finfo(np.float32).tiny)).size:
        raise InputError(
            f"word {never[0]}, and {never.size - 1} others, have probability 0 among the noise "
            f"words, by which {step.objective} divides; is the noise power too large?"
        )
    draws = step.negatives if step.objective == "nce" else step.noise
    return jnp.asarray(np.log(draws * probability.astype(np.float64)), jnp.float32)


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
            name: optimizer.scale(state.opt_state[name]) * root_of_count(ids, len(tables[name]))
            for name, ids in (("input", example.inputs), ("output", example.outputs))
        }

        def of_part(
            part: Example, input_scale: jax.Array, output_scale: jax.Array
        ) -> tuple[jax.Array, GroupedGradients]:
            return gradients(step, part, tables, input_scale, output_scale)

        rest: GroupedGradients | FullSoftmaxGradients
        if step.objective == "full_softmax":
            to_inputs, rest = gradients_over_all_words(step, example, tables, factors["input"])
            touched = jnp.arange(len(tables["output"]))
            factor = optimizer.scale(state.opt_state["output"]) * root_of_count(
                example.outputs, len(touched), touched
            )
            to_outputs = rest.outputs * factor[:, None]
        else:
            to_inputs, rest = in_parts(
                of_part, _parts(step), (example, factors["input"], factors["output"])
            )
            touched, to_outputs = example.outputs, rest.outputs
        params, opt_state = {}, {}
        # One scatter for each table: with more, XLA copies the table every step.
        for name, ids, gradient in (
            ("input", example.inputs, to_inputs),
            ("output", touched, to_outputs),
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


def root_of_count(ids: jax.Array, rows: int, of: jax.Array | None = None) -> jax.Array:
    """Returns 1 / sqrt(how often the batch has a word), for each of its words, or of these.

    Summing the gradients of a batch makes frequent words explode, averaging them makes them stand
    still. Between the two, learning is stable and better than word by word.
    """
    # Small integers: the zeros are written anew every step.
    counts = jnp.zeros(rows, jnp.uint16).at[ids.reshape(-1)].add(1)
    of = ids if of is None else of
    return jax.lax.rsqrt(jnp.maximum(counts[of], 1).astype(jnp.float32))


def _parts(step: Step) -> int:
    """Returns in how many parts a step is computed."""
    return PARTS["skipgram" if step.objective == "hierarchical_softmax" else step.model]
