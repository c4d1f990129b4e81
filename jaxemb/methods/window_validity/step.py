"""One step of window validity: from a batch of text to changed W and R."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from jaxemb.losses.window_validity import window_logistic_loss, window_ranking_loss
from jaxemb.methods.window_validity.options import Options
from jaxemb.models import window_scorer
from jaxemb.models.window_scorer import Params
from jaxemb.optim.rowwise import RowOptimizer, row_optimizer
from jaxemb.sampling.noise import NoiseDistribution, sample_noise
from jaxemb.sampling.text import TextBatch
from jaxemb.sampling.windows import whole_windows
from jaxemb.training.state import TrainState, Update


class WindowExample(NamedTuple):
    """A step's input, with all that is random drawn.

    Attributes:
      ids: [G, S + n - 1 + K] the words of each stretch, then its random words.
      whole: [G, S] bool, which windows lie in one document.
    """

    ids: jax.Array
    whole: jax.Array


class Scores(NamedTuple):
    """R's scores of a step's windows, B = G S.

    Attributes:
      real: [B] of windows as they are.
      switched: [B, K] of the same with a word switched.
      where: [B, K] bool, False where there is no window or the random word is the real one.
    """

    real: jax.Array
    switched: jax.Array
    where: jax.Array


def draw_example(
    key: jax.Array, options: Options, noise: NoiseDistribution, batch: TextBatch
) -> WindowExample:
    """Draws the random words of a step.

    Args:
      key: random key.
      options: of the training.
      noise: what the words are drawn from.
      batch: the step's text.
    """
    drawn = sample_noise(key, noise, (options.groups, options.noise))
    ids = jnp.concatenate([jnp.asarray(batch.words), drawn], axis=1)
    return WindowExample(ids, whole_windows(jnp.asarray(batch.documents), window=options.window))


def scores(options: Options, scorer: Params, vectors: jax.Array, example: WindowExample) -> Scores:
    """Scores the windows of a step.

    Args:
      options: of the training.
      scorer: R.
      vectors: [G, S + n - 1 + K, D] of its words.
      example: these words.

    Returns:
      The scores.
    """
    length = options.size + options.window - 1
    real, switched = window_scorer.scores(
        scorer, vectors[:, :length], vectors[:, length:], place=options.place
    )
    own = example.ids[:, options.place : options.place + options.size]
    differs = example.ids[:, None, length:] != own[:, :, None]
    where = example.whole[:, :, None] & differs
    return Scores(real.reshape(-1), *(x.reshape(-1, options.noise) for x in (switched, where)))


def init(params: Params) -> dict[str, Any]:
    """Returns the state of Adam for W and R, whatever the learning rate."""
    rows, dense = _adam(optax.constant_schedule(0.0))
    return {"words": rows.init(params["words"]), "scorer": dense.init(params["scorer"])}


def update(options: Options, noise: NoiseDistribution, learning_rate: optax.Schedule) -> Update:
    """Builds the step: Adam, of W for the rows touched alone.

    Args:
      options: of the training.
      noise: what random words are drawn from.
      learning_rate: its schedule, reported with the loss.

    Returns:
      The step, of `TextBatch`es. Its metrics are "loss", the mean over the step's windows, and
      "learning_rate".
    """
    rows, dense = _adam(learning_rate)

    def objective(scorer: Params, vectors: jax.Array, example: WindowExample) -> jax.Array:
        real, switched, where = scores(options, scorer, vectors, example)
        if options.loss == "ranking":
            losses = window_ranking_loss(real, switched, margin=options.margin, where=where)
        else:
            losses = window_logistic_loss(real, switched, where=where)
        return jnp.sum(losses) / jnp.maximum(jnp.sum(where.any(axis=1)), 1)

    def draw(key: jax.Array, batch: TextBatch) -> WindowExample:
        return draw_example(key, options, noise, batch)

    def take(state: TrainState, example: WindowExample) -> tuple[TrainState, dict[str, jax.Array]]:
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

    return Update(draw, take)


def _adam(learning_rate: optax.Schedule) -> tuple[RowOptimizer, optax.GradientTransformation]:
    return row_optimizer("adam", learning_rate), optax.adam(learning_rate)
