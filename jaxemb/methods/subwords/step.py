"""One step of word2vec on subwords: from a batch of text to changed rows of words and n-grams."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxemb.kernels.parts import join, keep_alive
from jaxemb.methods.word2vec.objectives import negative_sampling
from jaxemb.methods.word2vec.settings import Example, Gradients, Settings
from jaxemb.methods.word2vec.step import count_rows, damping, draw
from jaxemb.models.subword_parts import Parts
from jaxemb.optim.rowwise import add_rows
from jaxemb.sampling.noise import NoiseDistribution
from jaxemb.training.state import TrainState, Update

BLOCK = 512  # chunks in a pass over a step's words; 0.8 MB at width 100


def update(
    settings: Settings,
    parts: Parts,
    noise: NoiseDistribution,
    learning_rate: optax.Schedule,
) -> Update:
    """Returns a step of gradient descent by negative sampling.

    A step composes each of its words once, computes the gradients of word2vec with the composed
    vectors for an input table, and adds a word's to each of its rows. Divided by the number of
    rows it would be the mean's; as in fastText's code it isn't, so that the vector of a word with
    many n-grams moves as far as that of one with few.

    Args:
      settings: of the step.
      parts: of the words.
      noise: what noise words are drawn from.
      learning_rate: its schedule, reported with the loss.

    Returns:
      The step. Its metrics are "loss", in nats a prediction, over a sample of them, and
      "learning_rate"; parameters are {"input": [R, D], "output": [V, D]}; there is no state of an
      optimizer.

    Reference:
      Bojanowski et al. 2017, arXiv:1607.04606, section 3.2.
    """
    chunks, first, sizes = map(jnp.asarray, parts[:3])
    unknown = len(sizes) - 1

    def take(state: TrainState, example: Example) -> tuple[TrainState, dict[str, jax.Array]]:
        table, outputs = state.params["input"], state.params["output"]
        words, places = distinct(example.inputs, unknown)
        occurrences = count_rows(example.seen["input"], unknown + 1)[words].astype(jnp.int32)
        passes = cut_passes(words, chunks, first, parts.rows)
        sums, counts = compose(table, passes, occurrences)
        rate = learning_rate(state.step)
        seen = count_rows(example.seen["output"], len(outputs))

        def scale(name: str, ids: jax.Array) -> jax.Array:
            # A word's gradient is damped row by row.
            if name == "input":
                return jnp.full(ids.shape, -rate)
            return -rate / damping(settings, seen[ids])

        composed = {"input": sums / sizes[words][:, None], "output": outputs}
        found = negative_sampling.gradients(
            settings, example._replace(inputs=places), composed, scale
        )
        to_inputs, to_outputs, output_ids = joined(found)
        to_words = add_rows(jnp.zeros_like(sums), places, to_inputs)
        params = {
            "input": spread(settings, table, passes, to_words, counts),
            "output": add_rows(outputs, output_ids, to_outputs),
        }
        metrics = {"loss": found.loss / jnp.maximum(found.predictions, 1), "learning_rate": rate}
        step = keep_alive(state.step + 1, found.held)
        return TrainState(step, state.key, params, state.opt_state), metrics

    return Update(draw(settings, negative_sampling, noise), take)


def distinct(ids: jax.Array, unknown: int) -> tuple[jax.Array, jax.Array]:
    """Returns the batch's different words, filled up with V, and the place of each among them.

    Cheaper than by sorting: the last occurrence of a word stands for all.

    Args:
      ids: [...] in [0, V].
      unknown: V.

    Returns:
      [N] words, N the number of ids, and [...] places.
    """
    flat = ids.reshape(-1)
    here = jnp.arange(flat.size, dtype=jnp.int32)
    chosen = jnp.zeros(unknown + 1, jnp.int32).at[flat].max(here)[flat]
    place = (jnp.cumsum(chosen == here) - 1)[chosen]
    return jnp.full(flat.size, unknown, jnp.int32).at[place].set(flat), place.reshape(ids.shape)


class Passes(NamedTuple):
    """The rows of a step's words, in blocks of chunks.

    Attributes:
      words: N, the most words of a step.
      blocks: [] how many there are.
      rows: a block's number -> [BLOCK] its words' places, N for none, and [BLOCK, CHUNK] rows.
    """

    words: int
    blocks: jax.Array
    rows: Callable[[jax.Array], tuple[jax.Array, jax.Array]]


def cut_passes(words: jax.Array, chunks: jax.Array, first: jax.Array, rows: int) -> Passes:
    """Cuts the chunks that words have into blocks.

    Words differ in length: with room for the longest, most of it would be empty.

    Args:
      words: [N] different words, filled up with V.
      chunks: as in `Parts`.
      first: as in `Parts`.
      rows: of the table.
    """
    ends = jnp.cumsum(first[words + 1] - first[words])
    begins = first[words + 1] - ends

    def block(number: jax.Array) -> tuple[jax.Array, jax.Array]:
        nth = number * BLOCK + jnp.arange(BLOCK)
        owner = jnp.searchsorted(ends, nth, side="right", method="scan_unrolled")
        found = chunks.at[begins.at[owner].get(mode="clip") + nth].get(mode="clip")
        return owner, jnp.where((owner < len(words))[:, None], found, rows)

    return Passes(len(words), -(-ends[-1] // BLOCK), block)


def compose(
    table: jax.Array, passes: Passes, occurrences: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Adds up the rows of each word.

    Args:
      table: [R, D].
      passes: over the words.
      occurrences: [N] of each word in the step.

    Returns:
      [N, D] sums, and [R] how often the step has each row.
    """

    def add(number: jax.Array, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        sums, counts = carry
        owner, rows = passes.rows(number)
        # By column: summed over an axis, XLA would gather number by number.
        some = sum(table.at[column].get(mode="fill", fill_value=0) for column in rows.T)
        often = jnp.broadcast_to(occurrences.at[owner].get(mode="clip")[:, None], rows.shape)
        return sums.at[owner].add(some, mode="drop"), counts.at[rows].add(often, mode="drop")

    zeros = jnp.zeros((passes.words, table.shape[1]), table.dtype), jnp.zeros(len(table), jnp.int32)
    return jax.lax.fori_loop(0, passes.blocks, add, zeros)


def spread(
    settings: Settings,
    table: jax.Array,
    passes: Passes,
    to_words: jax.Array,
    counts: jax.Array,
) -> jax.Array:
    """Adds the change of each word to each of its rows, damped.

    Args:
      settings: of the step.
      table: [R, D].
      passes: over the words.
      to_words: [N, D] changes.
      counts: [R] how often the step has each row.

    Returns:
      The table.
    """

    def add(number: jax.Array, table: jax.Array) -> jax.Array:
        owner, rows = passes.rows(number)
        divisor = damping(settings, counts.at[rows].get(mode="clip"))
        change = to_words.at[owner].get(mode="clip")[:, None] / divisor[..., None]
        return add_rows(table, rows, change)

    return jax.lax.fori_loop(0, passes.blocks, add, table)


def joined(found: Gradients) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns the gradients of inputs and of outputs, parts joined, and the outputs' ids.

    In one scatter each: between two loops over the same tables, many would be copies.
    """
    (_, inputs), (output_ids, outputs), (noise_ids, noise) = (
        *found.changes["input"],
        *found.changes["output"],
    )
    to_inputs, to_outputs, to_noise = join(list(zip(inputs, outputs, noise, strict=True)))
    return (
        to_inputs,
        jnp.concatenate([to_outputs, to_noise], axis=1),
        jnp.concatenate([output_ids, noise_ids], axis=1),
    )
