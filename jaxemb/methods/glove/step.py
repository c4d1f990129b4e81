"""One step of GloVe: from some counted pairs to changed rows of the two tables."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxemb.kernels.glove import GloveGradients, glove_gradients
from jaxemb.kernels.parts import PARTS, in_parts, join
from jaxemb.methods.glove.options import Options
from jaxemb.optim.rowwise import RowOptimizer
from jaxemb.sampling.counted_pairs import PairBatch
from jaxemb.training.state import TrainState, Update


class PairExample(NamedTuple):
    """A step's input: rows of the table that holds words, then contexts.

    Attributes:
      rows: [2P] of words, then of the same words as contexts.
      others: [2P, L] contexts of the words, then words of the contexts.
      counts: [2P, L] of the pairs; 0 for none.
    """

    rows: jax.Array
    others: jax.Array
    counts: jax.Array


def update(
    options: Options,
    *,
    vocabulary: int,
    optimizer: RowOptimizer,
    learning_rate: optax.Schedule,
    parts: int = PARTS,
) -> Update:
    """Builds the step.

    Args:
      options: of the training.
      vocabulary: V.
      optimizer: of the table.
      learning_rate: its schedule, reported with the loss.
      parts: computed side by side; each row's gradient is that of one part, so that the number
        changes no result.

    Returns:
      The step, of `PairBatch`es of a symmetric matrix. Its metrics are "loss", the mean over the
      example's pairs before the step, and "learning_rate".
    """

    def draw(key: jax.Array, batch: PairBatch) -> PairExample:
        # Nothing is random here: the stream has drawn the order.
        rows, columns, counts = map(jnp.asarray, batch)
        return PairExample(
            jnp.concatenate([rows, rows + vocabulary]),
            jnp.concatenate([columns + vocabulary, columns]),
            jnp.concatenate([counts, counts]),
        )

    def take(state: TrainState, example: PairExample) -> tuple[TrainState, dict[str, jax.Array]]:
        table = state.params["vectors"]

        def gradients(part: PairExample) -> GloveGradients:
            return glove_gradients(
                table[part.rows],
                table[part.others],
                part.counts,
                x_max=options.x_max,
                alpha=options.alpha,
            )

        found = join(in_parts(gradients, parts, (example,)))
        scale = optimizer.scale(state.opt_state)
        table, opt_state = optimizer.update(
            table, state.opt_state, (example.rows, found.rows * scale)
        )
        pairs = jnp.sum(example.counts > 0)
        metrics = {
            "loss": found.loss.sum() / jnp.maximum(pairs, 1),
            "learning_rate": jnp.asarray(learning_rate(state.step)),
        }
        return TrainState(state.step + 1, state.key, {"vectors": table}, opt_state), metrics

    return Update(draw, take)
