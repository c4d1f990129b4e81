"""One step of word2vec: from a batch of text to changed rows of the two tables."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError
from jaxemb.kernels.parts import hold, in_parts
from jaxemb.losses.negative_sampling import cut_blocks
from jaxemb.methods.word2vec.gradients import (
    Example,
    Scales,
    Step,
    gradients,
    gradients_over_all_words,
)
from jaxemb.models.huffman import HuffmanTree
from jaxemb.optim.rowwise import RowOptimizer
from jaxemb.sampling.noise import NoiseDistribution, sample_noise
from jaxemb.sampling.text import TextBatch
from jaxemb.sampling.windows import window_reach
from jaxemb.training.state import TrainState

# A step's groups in so many independent parts: see `training.parts`. Large products are started on
# any free thread, so that parts must not be small either.
PARTS = 8
# A row that a batch has more often than the square of this moves by this many times its mean
# gradient.
MOST = 2.0


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
        # Windows are symmetric, so that the contexts may as well predict their center: with a
        # tree, whose ways are long, fewer rows are then wanted.
        if step.model == "cbow" or isinstance(source, HuffmanTree):
            inputs, others = others, inputs
        if step.model == "cbow":
            inputs = cut_blocks(inputs, margin=step.window, block=step.block)
        none = jnp.zeros((step.groups, 0), jnp.int32)
        if source is None:
            return Example(inputs, others, none, left, right)
        if isinstance(source, HuffmanTree):
            nodes = jnp.asarray(source.nodes)[others].reshape(step.groups, -1)
            return Example(inputs, nodes, none, left, right, jnp.asarray(source.codes)[others])
        noise = sample_noise(noise_key, source, (step.groups, step.noise))
        if step.objective == "sampled_softmax":
            others, noise = jnp.concatenate([others, noise], axis=1), none
        elif step.model == "skipgram":
            others = cut_blocks(others, margin=step.window, block=step.block)
        ids = jnp.concatenate([others, noise], axis=1)
        targets = () if expected is None else expected[ids]
        return Example(inputs, others, noise, left, right, targets)

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
        counts = {
            name: count_rows(ids, len(tables[name])) for name, ids in counted(step, example).items()
        }

        def scale(name: str, ids: jax.Array) -> jax.Array:
            return optimizer.scale(state.opt_state[name]) / damping(counts[name][ids])

        scales = Scales(
            scale("input", example.inputs),
            scale("output", example.outputs),
            scale("output", example.noise),
        )
        found: list[tuple[jax.Array, Any]]
        zero = jnp.zeros(())
        if step.objective == "full_softmax":
            found = [gradients_over_all_words(step, example, tables, scales.inputs)]
            touched = jnp.arange(len(tables["output"]))
            changes = {
                "input": [(example.inputs, [found[0][0]])],
                "output": [(touched, [found[0][1].outputs * scale("output", touched)[:, None]])],
            }
        else:
            found = in_parts(
                lambda part, scales: gradients(step, part, tables, scales),
                PARTS,
                (example, scales),
            )
            zero = hold([rest.held for _, rest in found])
            changes = {
                "input": [(example.inputs, [to_inputs for to_inputs, _ in found])],
                "output": [
                    (example.outputs, [rest.outputs for _, rest in found]),
                    (example.noise, [rest.noise for _, rest in found]),
                ],
            }
        loss = sum(rest.loss.sum() for _, rest in found)
        # A lost step changes nothing. The loss is of all rows that a step reads, so that XLA sees
        # that all are read before the first is changed; else it would copy the tables.
        good = jnp.isfinite(loss)
        params, opt_state = {}, {}
        for name, table in tables.items():
            batches = [
                pair
                for ids, some in changes[name]
                if ids.size
                for pair in zip(
                    jnp.split(jnp.where(good, ids, len(table)), len(some)), some, strict=True
                )
            ]
            params[name], opt_state[name] = optimizer.update(table, state.opt_state[name], *batches)
        metrics = {
            "loss": zero + loss / jnp.maximum(sum(rest.predictions.sum() for _, rest in found), 1),
            "learning_rate": learning_rate(state.step),
        }
        return TrainState(state.step + 1, state.key, params, opt_state), metrics

    return take


def counted(step: Step, example: Example) -> dict[str, jax.Array]:
    """Returns the batch's rows of each table, [G, ...], a word in two blocks only once."""

    def once(ids: jax.Array) -> jax.Array:
        blocks = ids.reshape(step.groups, -1, step.block + 2 * step.window)
        later = blocks[:, 1:, 2 * step.window :].reshape(step.groups, -1)
        return jnp.concatenate([blocks[:, 0], later], axis=1)

    inputs, outputs = example.inputs, example.outputs
    if step.model == "cbow":
        inputs = once(inputs)
    elif step.objective in ("negative_sampling", "nce"):
        outputs = once(outputs)
    return {"input": inputs, "output": jnp.concatenate([outputs, example.noise], axis=1)}


def count_rows(ids: jax.Array, rows: int) -> jax.Array:
    """Returns how often each row of a table is among ids, [V] uint16."""
    # Small integers: the zeros are written anew every step.
    return jnp.zeros(rows, jnp.uint16).at[ids.reshape(-1)].add(1)


def damping(counts: jax.Array) -> jax.Array:
    """Returns what the summed gradient of a row that a batch has so often is divided by.

    Sums make frequent words explode, means make them stand still. Between the two, divided by the
    root of the count, learning is better than word by word, and it is stable if no row moves by
    more than `MOST` means.
    """
    count = jnp.maximum(counts, 1).astype(jnp.float32)
    return jnp.maximum(jnp.sqrt(count), count / MOST)
