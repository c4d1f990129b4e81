"""One step of GloVe: from some counted pairs to changed rows of the two tables."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxemb.kernels.parts import in_parts, join
from jaxemb.losses.glove import GloveGradients, glove_gradients
from jaxemb.optim.rowwise import RowOptimizer
from jaxemb.sampling.counted_pairs import PairBatch
from jaxemb.training.state import TrainState

PARTS = 8


class Step(NamedTuple):
    """What fixes a step.

    Attributes:
      x_max: count from which on all pairs matter alike.
      alpha: power of the counts below.
      pieces: P, rows with several columns each; a multiple of 4.
      length: L, columns of a piece, at most.
    """

    x_max: float = 100.0
    alpha: float = 0.75
    pieces: int = 128
    length: int = 64


class Example(NamedTuple):
    """A step's input: rows of the table that holds words, then contexts.

    Attributes:
      rows: [2P] of words, then of the same words as contexts.
      others: [2P, L] contexts of the words, then words of the contexts.
      counts: [2P, L] of the pairs; 0 for none.
    """

    rows: jax.Array
    others: jax.Array
    counts: jax.Array


def prepare(*, vocabulary: int) -> Callable[[jax.Array, PairBatch], Example]:
    """Returns the function that takes a symmetric matrix's pairs for pairs of either way.

    Args:
      vocabulary: V.

    Returns:
      The function: (the step's key, the step's pairs) -> its example.
    """

    def take_both_ways(key: jax.Array, batch: PairBatch) -> Example:
        rows, columns, counts = map(jnp.asarray, batch)
        return Example(
            jnp.concatenate([rows, rows + vocabulary]),
            jnp.concatenate([columns + vocabulary, columns]),
            jnp.concatenate([counts, counts]),
        )

    return take_both_ways


def update(
    step: Step, optimizer: RowOptimizer, learning_rate: Callable[[jax.Array], jax.Array]
) -> Callable[[TrainState, Example], tuple[TrainState, dict[str, jax.Array]]]:
    """Returns the function that takes a step.

    Args:
      step: what fixes it.
      optimizer: of the table.
      learning_rate: its schedule, reported with the loss.

    Returns:
      The function: (state, example) -> (the next state, metrics: "loss", the mean over the
      example's pairs before the step, and "learning_rate").
    """

    def take(state: TrainState, example: Example) -> tuple[TrainState, dict[str, jax.Array]]:
        table = state.params["vectors"]

        def of_part(part: Example) -> GloveGradients:
            return glove_gradients(
                table[part.rows],
                table[part.others],
                part.counts,
                x_max=step.x_max,
                alpha=step.alpha,
            )

        found = join(in_parts(of_part, PARTS, (example,)))
        scale = optimizer.scale(state.opt_state)
        table, opt_state = optimizer.update(
            table, state.opt_state, (example.rows, found.rows * scale)
        )
        pairs = jnp.sum(example.counts > 0)
        metrics = {
            "loss": found.loss.sum() / jnp.maximum(pairs, 1),
            "learning_rate": learning_rate(state.step),
        }
        return TrainState(state.step + 1, state.key, {"vectors": table}, opt_state), metrics

    return take
