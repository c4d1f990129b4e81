"""One step of word2vec: from a batch of text to changed rows of the two tables."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax

from jaxemb.kernels.parts import keep_alive
from jaxemb.methods.word2vec.objectives import Objective
from jaxemb.methods.word2vec.settings import Example, Gradients, Params, Scale, Settings
from jaxemb.optim.rowwise import RowOptimizer
from jaxemb.sampling.text import TextBatch
from jaxemb.sampling.windows import window_reach
from jaxemb.training.state import TrainState, Update


def draw(
    settings: Settings, objective: Objective, source: Any
) -> Callable[[jax.Array, TextBatch], Example]:
    """Returns the function that draws windows and noise words for a step.

    Args:
      settings: of the step.
      objective: what is minimized.
      source: what the objective draws from.

    Returns:
      The function: (the step's key, the step's text) -> its example.
    """

    def example(key: jax.Array, batch: TextBatch) -> Example:
        window_key, noise_key = jax.random.split(key)
        words = jnp.asarray(batch.words)
        documents = jnp.asarray(batch.documents)
        left, right = window_reach(window_key, documents, window=settings.window)
        return objective.example(noise_key, settings, source, words, left, right)

    return example


def update(
    settings: Settings,
    objective: Objective,
    source: Any,
    optimizer: RowOptimizer,
    learning_rate: optax.Schedule,
) -> Update:
    """Returns a step.

    Args:
      settings: of the step.
      objective: what is minimized.
      source: what the objective draws from.
      optimizer: of each table.
      learning_rate: its schedule, reported with the loss.

    Returns:
      The step. Its metrics are "loss", in nats a prediction, over a sample of them, and
      "learning_rate".
    """
    return Update(
        draw(settings, objective, source),
        descend(settings, objective.gradients, optimizer, learning_rate),
    )


def descend(
    settings: Settings,
    gradients: Callable[[Settings, Example, Params, Scale], Gradients],
    optimizer: RowOptimizer,
    learning_rate: optax.Schedule,
) -> Callable[[TrainState, Example], tuple[TrainState, dict[str, jax.Array]]]:
    """Returns the half of `update` that changes the tables.

    Args:
      settings: of the step.
      gradients: of an objective.
      optimizer: of each table.
      learning_rate: its schedule, reported with the loss.
    """

    def take(state: TrainState, example: Example) -> tuple[TrainState, dict[str, jax.Array]]:
        tables = state.params
        counts = {name: count_rows(ids, len(tables[name])) for name, ids in example.seen.items()}

        def scale(name: str, ids: jax.Array) -> jax.Array:
            return optimizer.scale(state.opt_state[name]) / damping(settings, counts[name][ids])

        found = gradients(settings, example, tables, scale)
        # A lost step changes nothing. The loss is of all rows that a step reads, so that XLA sees
        # that all are read before the first is changed; else it would copy the tables.
        good = jnp.isfinite(found.loss)
        params, opt_state = {}, {}
        for name, table in tables.items():
            batches = [
                pair
                for ids, parts in found.changes[name]
                for pair in zip(
                    jnp.split(jnp.where(good, ids, len(table)), len(parts)), parts, strict=True
                )
            ]
            params[name], opt_state[name] = optimizer.update(table, state.opt_state[name], *batches)
        metrics = {
            "loss": found.loss / jnp.maximum(found.predictions, 1),
            "learning_rate": learning_rate(state.step),
        }
        step = keep_alive(state.step + 1, found.held)
        return TrainState(step, state.key, params, opt_state), metrics

    return take


def count_rows(ids: jax.Array, rows: int) -> jax.Array:
    """Returns how often each row of a table is among ids, [V] of unsigned integers."""
    # Small integers: the zeros are written anew every step.
    dtype = jnp.uint16 if ids.size < 1 << 16 else jnp.uint32
    return jnp.zeros(rows, dtype).at[ids.reshape(-1)].add(1)


def damping(settings: Settings, counts: jax.Array) -> jax.Array:
    """Returns what the summed gradient of a row that a batch has so often is divided by.

    Sums make frequent words explode, means make them stand still. Between the two, divided by the
    root of the count, learning is better than word by word, and it is stable if no row moves by
    more than some means. The paper's plain sum, word by word, has damping 0 and no such limit.
    """
    count = jnp.maximum(counts, 1).astype(jnp.float32)
    root = jnp.sqrt(count) if settings.damping == 0.5 else count**settings.damping
    return jnp.maximum(root, count / settings.most_means)
