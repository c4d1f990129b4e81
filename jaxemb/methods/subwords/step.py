"""One step of word2vec on subwords: from a batch of text to changed rows of words and n-grams."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxemb.errors import InputError
from jaxemb.kernels.parts import hold, in_parts, join
from jaxemb.methods.word2vec.gradients import Example, Scales, Step, gradients
from jaxemb.methods.word2vec.step import PARTS, count_rows, counted, damping
from jaxemb.models.subword_parts import Parts
from jaxemb.optim.rowwise import add_rows
from jaxemb.training.state import TrainState

BLOCK = 512  # chunks in a pass over a step's words; 0.8 MB at width 100


def update(
    step: Step, parts: Parts, learning_rate: Callable[[jax.Array], jax.Array]
) -> Callable[[TrainState, Example], tuple[TrainState, dict[str, jax.Array]]]:
    """Returns the function that takes a step of gradient descent.

    A step composes each of its words once, takes the gradients of word2vec with the composed
    vectors for an input table, and adds a word's to each of its rows. Divided by the number of
    rows it would be the mean's; as in fastText's code it isn't, so that the vector of a word with
    many n-grams moves as far as that of one with few.

    Args:
      step: what fixes it; of negative sampling.
      parts: of the words.
      learning_rate: its schedule, reported with the loss.

    Returns:
      The function: (state, example) -> (the next state, metrics: "loss" in nats a prediction, over
      a sample of them, and "learning_rate"). Parameters are {"input": [R, D], "output": [V, D]};
      there is no state of an optimizer.

    Raises:
      InputError: for another objective.

    Reference:
      Bojanowski et al. 2017, arXiv:1607.04606, section 3.2.
    """
    if step.objective != "negative_sampling":
        raise InputError(f"subwords are trained by negative sampling, not {step.objective}")
    chunks, first, sizes = map(jnp.asarray, parts[:3])
    unknown = len(sizes) - 1

    def distinct(ids: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns the batch's different words, filled up with V, and the place of each among them.

        Cheaper than by sorting: the last occurrence of a word stands for all.
        """
        flat = ids.reshape(-1)
        here = jnp.arange(flat.size, dtype=jnp.int32)
        chosen = jnp.zeros(unknown + 1, jnp.int32).at[flat].max(here)[flat]
        place = (jnp.cumsum(chosen == here) - 1)[chosen]
        return jnp.full(flat.size, unknown, jnp.int32).at[place].set(flat), place.reshape(ids.shape)

    def passes(words: jax.Array) -> tuple[jax.Array, Callable[[jax.Array], tuple[jax.Array, ...]]]:
        """Returns the number of blocks of chunks that words have, and what tells a block's.

        Words differ in length: with room for the longest, most of it would be empty.
        """
        ends = jnp.cumsum(first[words + 1] - first[words])
        begins = first[words + 1] - ends

        def block(number: jax.Array) -> tuple[jax.Array, jax.Array]:
            """Returns words' places, [BLOCK], len(words) for none, and [BLOCK, CHUNK] rows."""
            nth = number * BLOCK + jnp.arange(BLOCK)
            owner = jnp.searchsorted(ends, nth, side="right", method="scan_unrolled")
            rows = chunks.at[begins.at[owner].get(mode="clip") + nth].get(mode="clip")
            return owner, jnp.where((owner < len(words))[:, None], rows, parts.rows)

        return -(-ends[-1] // BLOCK), block

    def take(state: TrainState, example: Example) -> tuple[TrainState, dict[str, jax.Array]]:
        table, outputs = state.params["input"], state.params["output"]
        words, places = distinct(example.inputs)
        ids = counted(step, example._replace(inputs=places))
        times = count_rows(ids["input"], len(words)).astype(jnp.int32)
        count, block = passes(words)

        def compose(number: jax.Array, carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
            sums, counts = carry
            owner, rows = block(number)
            # By column: summed over an axis, XLA would gather number by number.
            some = sum(table.at[column].get(mode="fill", fill_value=0) for column in rows.T)
            often = jnp.broadcast_to(times.at[owner].get(mode="clip")[:, None], rows.shape)
            return sums.at[owner].add(some, mode="drop"), counts.at[rows].add(often, mode="drop")

        zeros = jnp.zeros((len(words), table.shape[1])), jnp.zeros(len(table), jnp.int32)
        sums, counts = jax.lax.fori_loop(0, count, compose, zeros)
        composed = {"input": sums / sizes[words][:, None], "output": outputs}

        rate = learning_rate(state.step)
        seen = count_rows(ids["output"], len(outputs))
        scales = Scales(
            jnp.full(places.shape, -rate),
            -rate / damping(seen[example.outputs]),
            -rate / damping(seen[example.noise]),
        )
        found = in_parts(
            lambda part, scales: gradients(step, part, composed, scales),
            PARTS,
            (example._replace(inputs=places), scales),
        )
        zero = hold([rest.held for _, rest in found])
        to_inputs, rest = join([(changes, rest._replace(held=())) for changes, rest in found])
        to_words = add_rows(jnp.zeros_like(sums), places, to_inputs)

        def spread(number: jax.Array, table: jax.Array) -> jax.Array:
            owner, rows = block(number)
            divisor = damping(counts.at[rows].get(mode="clip"))
            change = to_words.at[owner].get(mode="clip")[:, None] / divisor[..., None]
            return add_rows(table, rows, change)

        params = {
            "input": jax.lax.fori_loop(0, count, spread, table),
            "output": add_rows(
                outputs,
                jnp.concatenate([example.outputs, example.noise], axis=1),
                jnp.concatenate([rest.outputs, rest.noise], axis=1),
            ),
        }
        metrics = {
            "loss": zero + rest.loss.sum() / jnp.maximum(rest.predictions.sum(), 1),
            "learning_rate": rate,
        }
        return TrainState(state.step + 1, state.key, params, state.opt_state), metrics

    return take
