"""Training of paragraph vectors on text."""

import logging
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.text import Text
from jaxemb.errors import InputError
from jaxemb.io.word_vectors import WordVectors
from jaxemb.methods.paragraph_vectors import objective
from jaxemb.methods.paragraph_vectors.options import Options
from jaxemb.methods.paragraph_vectors.step import update
from jaxemb.methods.word2vec.setup import CALL_STEPS, set_up
from jaxemb.models import word2vec as model
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training, TrainState

# Words whose documents are counted at a time.
_AT_A_TIME = 1 << 22

_logger = logging.getLogger("jaxemb")


class Fitted(NamedTuple):
    """Trained vectors of documents and words.

    Attributes:
      documents: [D, dim] of the documents, in the order of the text; those of no known word are
        zeros. Lists of documents have a row for each, files one for each document with words.
      lengths: [D] words of each document that have vectors.
      vectors: the V words and their vectors, [V, dim]; dbow leaves them as they began.
      params: table {"output": [V, dim]}, by which words are predicted.
      counts: [V] occurrences of each word in the text.
      words: length of the text.
      options: what was asked.
      history: how it went.
    """

    documents: np.ndarray
    lengths: np.ndarray
    vectors: WordVectors
    params: dict[str, np.ndarray]
    counts: np.ndarray
    words: int
    options: Options
    history: History = History()


def start(key: jax.Array | int, data: Text, options: Options | None = None) -> Training:
    """Prepares a training; `fit` is the engine's loop around it.

    Args:
      key: random key or seed.
      data: text, from `jaxemb.data.from_tokens`, `from_texts` or `open_text`, which says what a
        document is.
      options: None takes the defaults.

    Returns:
      The training. Documents without known words are told in a warning.

    Raises:
      InputError: if there is only one document, or subsampling leaves no words.
    """
    options = checks.as_options(options, Options)
    ready = set_up(key, data, options, objective)
    words, counts = data.vocabulary.words, data.vocabulary.counts
    lengths, places = known_words(data)
    rows = range(len(words), len(words) + len(places))
    tables = model.init(ready.init_key, vocabulary=rows.stop, dim=options.dim)
    tables["output"] = tables["output"][: len(words)]

    def finish(state: TrainState) -> Fitted:
        trained = np.asarray(state.params["input"])
        documents = np.zeros((len(lengths), options.dim), np.float32)
        documents[places] = trained[len(words) :]
        documents[lengths == 0] = 0
        return Fitted(
            documents,
            lengths,
            WordVectors(words, trained[: len(words)]),
            {"output": np.asarray(state.params["output"])},
            counts,
            data.corpus.words,
            options,
        )

    return Training(
        TrainState(
            jnp.zeros((), jnp.int32),
            ready.base_key,
            tables,
            {name: jnp.zeros((), jnp.int32) for name in tables},
        ),
        ready.steps,
        ready.stream.batches,
        update(
            ready.settings,
            ready.source,
            ready.learning_rate,
            rows=rows,
            document_means=options.document_means,
        ),
        finish,
        chance_loss=ready.chance_loss,
        call_steps=CALL_STEPS,
        unit=ready.unit,
        about=options,
    )


def check_documents(text: Text) -> None:
    """Refuses text of one document.

    Raises:
      InputError: telling what is one.
    """
    if len(text.corpus.documents) < 2:
        raise InputError(
            "the text is one document, at least two are needed; `documents` says what is one: a "
            "line, a paragraph or a file"
        )


def known_words(text: Text) -> tuple[np.ndarray, np.ndarray]:
    """Counts the words of each document that have vectors, and says how many have none.

    Args:
      text: the text.

    Returns:
      [D] int64 counts, of the documents as they were given, and the places among these of those
      that the corpus has.

    Raises:
      InputError: if there is only one document.
    """
    check_documents(text)
    corpus, vocabulary = text
    counts = np.zeros(len(corpus.documents), np.int64)
    for begin in range(0, corpus.words, _AT_A_TIME):
        end = min(begin + _AT_A_TIME, corpus.words)
        known = begin + np.flatnonzero(corpus.read(begin, end) < len(vocabulary))
        owners = np.searchsorted(corpus.documents, known, "right") - 1
        counts += np.bincount(owners, minlength=len(counts))
    lengths, places = counts, np.arange(len(counts))
    if corpus.sizes is not None:
        places = np.flatnonzero(corpus.sizes)
        lengths = np.zeros(len(corpus.sizes), np.int64)
        lengths[places] = counts
    if lost := np.flatnonzero(lengths == 0).tolist():
        shown = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
        _logger.warning(
            f"{len(lost):,} of {len(lengths):,} documents have no word with a vector, and get "
            f"zeros for theirs: {shown}. Are they empty, or is min_count too large?"
        )
    return lengths, places


def fit(
    key: jax.Array | int, data: Text, options: Options | None = None, *, run: Run | None = None
) -> Fitted:
    """Trains vectors of documents, and of words beside them, by negative sampling.

    Args:
      key: random key or seed; the same one gives the same bits.
      data: text, from `jaxemb.data.from_tokens`, `from_texts` or `open_text`.
      options: None takes the defaults.
      run: checkpoints, log and progress; None has none.

    Returns:
      The vectors, the tables and how it went.

    Raises:
      InputError: as `start` and `jaxemb.training.loop.fit` do.
      OSError: if a checkpoint cannot be written.

    Reference:
      Le and Mikolov 2014, arXiv:1405.4053.
    """
    return loop.fit(start(key, data, options), run)
