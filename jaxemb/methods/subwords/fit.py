"""Training of subwords on text."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.text import Text
from jaxemb.io.word_vectors import WordVectors
from jaxemb.methods.subwords.options import Options
from jaxemb.methods.subwords.step import update
from jaxemb.methods.word2vec.objectives import negative_sampling
from jaxemb.methods.word2vec.setup import CALL_STEPS, check_params, set_up
from jaxemb.models import subword_parts
from jaxemb.models import word2vec as model
from jaxemb.models.subword_table import SubwordTable, word_vectors
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training, TrainState


class Fitted(NamedTuple):
    """Trained vectors of words and of their character n-grams.

    Attributes:
      vectors: the V words and their vectors, [V, dim], and those of any other word with n-grams.
      table: what vectors are composed of, as in fastText's models.
      params: tables {"input": [R, dim], "output": [V, dim]}; further training goes on from them.
        R are the words and the buckets in use.
      counts: [V] occurrences of each word in the text.
      largest: rows of the word with most n-grams.
      options: what was asked.
      history: how it went.
    """

    vectors: WordVectors
    table: SubwordTable
    params: dict[str, np.ndarray]
    counts: np.ndarray
    largest: int
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
      InputError: if subsampling leaves no words, or tables have other shapes.
    """
    options = checks.as_options(options, Options)
    ready = set_up(key, data, options, negative_sampling)
    words, counts = data.vocabulary.words, data.vocabulary.counts
    lengths = {name: getattr(options, name) for name in ("shortest", "longest", "buckets")}
    parts = subword_parts.cut(words, **lengths)
    tables = {
        "input": model.init(ready.init_key, vocabulary=parts.rows, dim=options.dim)["input"],
        "output": model.init(ready.init_key, vocabulary=len(words), dim=options.dim)["output"],
    }
    if params is not None:
        check_params(params, tables)
        tables = {name: jnp.array(table, jnp.float32) for name, table in params.items()}

    def finish(state: TrainState) -> Fitted:
        trained = {name: np.asarray(table) for name, table in state.params.items()}
        table = subword_parts.subword_table(words, parts, trained["input"], **lengths)
        vectors = WordVectors(words, word_vectors(table, words), table)
        return Fitted(vectors, table, trained, counts, int(parts.sizes.max()), options)

    return Training(
        TrainState(jnp.zeros((), jnp.int32), ready.base_key, tables, {}),
        ready.steps,
        ready.stream.batches,
        update(ready.settings, parts, ready.source, ready.learning_rate),
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
    """Trains vectors of words and of their character n-grams, by negative sampling.

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
      Bojanowski et al. 2017, arXiv:1607.04606.
    """
    return loop.fit(start(key, data, options, params=params), run)
