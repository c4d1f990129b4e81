"""One step of telling real windows from switched ones: from a batch of text to changed W and R."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxemb.losses.window_validity import window_logistic_loss, window_ranking_loss
from jaxemb.models import window_scorer
from jaxemb.models.window_scorer import Params
from jaxemb.optim.rowwise import RowOptimizer, row_optimizer
from jaxemb.sampling.noise import NoiseDistribution, sample_noise
from jaxemb.sampling.text import TextBatch
from jaxemb.sampling.windows import whole_windows
from jaxemb.training.state import TrainState

Loss = Literal["logistic", "ranking"]


class Step(NamedTuple):
    """What fixes a step.

    Attributes:
      window: n, words of a window; odd, so that one is the middle.
      place: in 0..n-1, of the word that is switched.
      loss: what is minimized.
      margin: of the ranking loss.
      noise: K, random words that a group shares.
      groups: G, stretches of text a step.
      size: S, windows of each.
    """

    window: int
    place: int
    loss: Loss = "logistic"
    margin: float = 1.0
    noise: int = 8
    groups: int = 32
    size: int = 32


class Example(NamedTuple):
    """A step's input, with all that is random drawn.

    Attributes:
      ids: [G, S + n - 1 + K] the words of each stretch, then its random words.
      whole: [G, S] bool, which windows lie in one document.
    """

    ids: jax.Array
    whole: jax.Array


class Scores(NamedTuple):
    """What R says of a step's windows, B = G S.

    Attributes:
      real: [B] of windows as they are.
      switched: [B, K] of the same with a word switched.
      where: [B, K] bool, False where there is no window or the random word is the real one.
    """

    real: jax.Array
    switched: jax.Array
    where: jax.Array


def prepare(step: Step, noise: NoiseDistribution) -> Callable[[jax.Array, TextBatch], Example]:
    """Returns the function that draws random words for a step.

    Args:
      step: what fixes it.
      noise: what the words are drawn from.

    Returns:
      The function: (the step's key, the step's text) -> its example.
    """

    def draw(key: jax.Array, batch: TextBatch) -> Example:
        drawn = sample_noise(key, noise, (step.groups, step.noise))
        ids = jnp.concatenate([jnp.asarray(batch.words), drawn], axis=1)
        return Example(ids, whole_windows(jnp.asarray(batch.documents), window=step.window))

    return draw


def scores(step: Step, scorer: Params, vectors: jax.Array, example: Example) -> Scores:
    """Scores the windows of a step.

    Args:
      step: what fixes it.
      scorer: R.
      vectors: [G, S + n - 1 + K, D] of its words.
      example: these words.

    Returns:
      The scores.
    """
    length = step.size + step.window - 1
    real, switched = window_scorer.scores(
        scorer, vectors[:, :length], vectors[:, length:], place=step.place
    )
    own = example.ids[:, step.place : step.place + step.size]
    differs = example.ids[:, None, length:] != own[:, :, None]
    where = example.whole[:, :, None] & differs
    return Scores(real.reshape(-1), *(x.reshape(-1, step.noise) for x in (switched, where)))


def init(params: Params) -> dict[str, Any]:
    """Returns the state of Adam for W and R."""
    rows, dense = _adam(optax.constant_schedule(0.0))
    return {"words": rows.init(params["words"]), "scorer": dense.init(params["scorer"])}


def update(
    step: Step, learning_rate: optax.Schedule
) -> Callable[[TrainState, Example], tuple[TrainState, dict[str, jax.Array]]]:
    """Returns the function that takes a step with Adam, of W for the rows touched alone.

    Args:
      step: what fixes it.
      learning_rate: its schedule, reported with the loss.

    Returns:
      The function: (state, example) -> (the next state, metrics: "loss", the mean of the step's
      windows, and "learning_rate").
    """
    rows, dense = _adam(learning_rate)

    def objective(scorer: Params, vectors: jax.Array, example: Example) -> jax.Array:
        real, switched, where = scores(step, scorer, vectors, example)
        if step.loss == "ranking":
            losses = window_ranking_loss(real, switched, margin=step.margin, where=where)
        else:
            losses = window_logistic_loss(real, switched, where=where)
        return jnp.sum(losses) / jnp.maximum(jnp.sum(where.any(axis=1)), 1)

    def take(state: TrainState, example: Example) -> tuple[TrainState, dict[str, jax.Array]]:
        words, scorer = state.params["words"], state.params["scorer"]
        loss, (to_scorer, to_vectors) = jax.value_and_grad(objective, (0, 1))(
            scorer, words[example.ids], example
        )
        ids = example.ids.reshape(-1)
        gradients = to_vectors.reshape(ids.size, -1)
        words, words_state = rows.update(words, state.opt_state["words"], (ids, gradients))
        changes, scorer_state = dense.update(to_scorer, state.opt_state["scorer"], scorer)
        metrics = {"loss": loss, "learning_rate": jnp.asarray(learning_rate(state.step))}
        params = {"words": words, "scorer": optax.apply_updates(scorer, changes)}
        opt_state = {"words": words_state, "scorer": scorer_state}
        return TrainState(state.step + 1, state.key, params, opt_state), metrics

    return take


def _adam(learning_rate: optax.Schedule) -> tuple[RowOptimizer, optax.GradientTransformation]:
    return row_optimizer("adam", learning_rate), optax.adam(learning_rate)
