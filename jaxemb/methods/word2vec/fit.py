"""Training of word2vec on text."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.text import Text
from jaxemb.io.word_vectors import WordVectors
from jaxemb.methods.word2vec.objectives import OBJECTIVES
from jaxemb.methods.word2vec.options import Options
from jaxemb.methods.word2vec.settings import Params
from jaxemb.methods.word2vec.setup import CALL_STEPS, check_params, set_up
from jaxemb.methods.word2vec.step import update
from jaxemb.models import word2vec as model
from jaxemb.optim.rowwise import row_optimizer
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training, TrainState


class Fitted(NamedTuple):
    """Trained word vectors.

    Attributes:
      vectors: the V words and their vectors, [V, dim].
      params: tables {"input": [V, dim], "output": ...}; further training goes on from them.
      counts: [V] occurrences of each word in the text.
      options: what was asked.
      history: how it went.
    """

    vectors: WordVectors
    params: dict[str, np.ndarray]
    counts: np.ndarray
    options: Options
    history: History = History()


def start(
    key: jax.Array | int,
    data: Text,
    options: Options | None = None,
    *,
    params: Any | None = None,
) -> Training:
    """Prepares a training; `fit` is the engine's loop around it.

    Args:
      key: random key or seed.
      data: text, from `jaxemb.data.from_tokens`, `from_texts` or `open_text`.
      options: None takes the defaults.
      params: tables to go on from, of the same vocabulary and options; None starts anew.

    Returns:
      The training.

    Raises:
      InputError: if subsampling leaves no words, noise words have probability 0, or tables have
        other shapes.
    """
    options = checks.as_options(options, Options)
    objective = OBJECTIVES[options.objective]
    ready = set_up(key, data, options, objective)
    words, counts = data.vocabulary.words, data.vocabulary.counts
    tables: Params = model.init(ready.init_key, vocabulary=len(words), dim=options.dim)
    tables = objective.init(tables, counts)
    if params is not None:
        check_params(params, tables)
        tables = {name: jnp.array(table, jnp.float32) for name, table in params.items()}
    optimizer = row_optimizer(options.optimizer, ready.learning_rate)
    opt_state = {name: optimizer.init(table) for name, table in tables.items()}

    def finish(state: TrainState) -> Fitted:
        trained = {name: np.asarray(table) for name, table in state.params.items()}
        return Fitted(WordVectors(words, trained["input"]), trained, counts, options)

    return Training(
        TrainState(jnp.zeros((), jnp.int32), ready.base_key, tables, opt_state),
        ready.steps,
        ready.stream.batches,
        update(ready.settings, objective, ready.source, optimizer, ready.learning_rate),
        finish,
        chance_loss=ready.chance_loss,
        call_steps=CALL_STEPS,
        unit=ready.unit,
        about=options,
    )


def fit(
    key: jax.Array | int,
    data: Text,
    options: Options | None = None,
    *,
    params: Any | None = None,
    run: Run | None = None,
) -> Fitted:
    """Trains word vectors.

    Args:
      key: random key or seed; the same one gives the same bits.
      data: text, from `jaxemb.data.from_tokens`, `from_texts` or `open_text`.
      options: None takes the defaults.
      params: tables to go on from, of the same vocabulary and options; None starts anew.
      run: checkpoints, log and progress; None has none.

    Returns:
      The vectors, the tables and how it went.

    Raises:
      InputError: as `start` and `jaxemb.training.loop.fit` do.
      OSError: if a checkpoint cannot be written.

    Reference:
      Mikolov et al. 2013, arXiv:1301.3781 and arXiv:1310.4546.
    """
    return loop.fit(start(key, data, options, params=params), run)
