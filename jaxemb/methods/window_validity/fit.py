"""Window validity: the start, the whole training, and scores of windows of one's own."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxemb import checks
from jaxemb.data import Text
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.errors import InputError
from jaxemb.io import WordVectors
from jaxemb.methods.window_validity.held_out import (
    HeldOut,
    check,
    divide,
    score_held_out,
    split,
    stream,
)
from jaxemb.methods.window_validity.options import Options
from jaxemb.methods.window_validity.step import init, update
from jaxemb.models import window_scorer
from jaxemb.models.window_scorer import Params
from jaxemb.sampling.noise import noise_distribution
from jaxemb.training import loop
from jaxemb.training.network import in_blocks
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training, TrainState, Unit

# Steps of a compiled call: long enough to hide its start, short enough for a live progress bar.
_CALL_STEPS = 128


class Fitted(NamedTuple):
    """What a training gives.

    Attributes:
      vectors: W, of the words.
      params: {"words": W, "scorer": R}.
      options: of the training.
      history: how it went.
    """

    vectors: WordVectors
    params: Params
    options: Options
    history: History = History()


def start(key: Any, text: Text, options: Options | None = None) -> Training:
    """Prepares a training.

    Args:
      key: random key, or a seed.
      text: the text.
      options: the defaults if None.

    Returns:
      The training.

    Raises:
      InputError: as `check` does.
    """
    options = checks.as_options(options, Options)
    check(text, options)
    keys = split(key)
    parts = divide(text, options)
    counts = text.vocabulary.counts
    batches = stream(keys.stream, text, options, parts.trained_on, parts.documents, options.epochs)
    steps = int(batches.epoch_steps.sum())
    rate = options.learning_rate
    schedule = optax.linear_schedule(rate, rate * options.final_rate, steps)
    params = window_scorer.init(
        keys.init,
        vocabulary=len(counts),
        dim=options.dim,
        window=options.window,
        hidden=options.hidden,
        scale=options.init_scale,
    )

    def finish(state: TrainState) -> Fitted:
        params = jax.tree.map(np.asarray, state.params)
        return Fitted(WordVectors(text.vocabulary.words, params["words"]), params, options)

    return Training(
        TrainState(jnp.zeros((), jnp.int32), keys.base, params, init(params)),
        steps,
        batches.batches,
        update(options, noise_distribution(counts, power=options.noise_power), schedule),
        finish,
        # Each window a coin toss, or all scores equal.
        chance_loss=options.margin if options.loss == "ranking" else 2 * math.log(2),
        call_steps=_CALL_STEPS,
        unit=Unit("words", text.corpus.words * options.epochs / steps),
        about=options,
    )


def fit(key: Any, text: Text, options: Options | None = None, *, run: Run | None = None) -> Fitted:
    """Trains word vectors and a network that tells real windows from switched ones.

    Args:
      key: random key, or a seed.
      text: the text.
      options: the defaults if None.
      run: checkpoints, log and progress; None has none.

    Returns:
      W and R.

    Raises:
      InputError: as `check` does, and if the training diverges or no checkpoint can be used.
      OSError: if a checkpoint cannot be written.

    Reference:
      Bottou 2011, arXiv:1102.1808; Collobert et al. 2011, arXiv:1103.0398, section 4.
    """
    return loop.fit(start(key, text, options), run)


def evaluate(key: Any, fitted: Fitted, text: Text) -> HeldOut:
    """Scores each window that was held out, and the same with a random word of its own.

    Args:
      key: that of the training; another draws other random words.
      fitted: from `fit`.
      text: that of the training.

    Returns:
      The windows and their scores, for `jaxemb.evaluation.window_validity`.
    """
    return score_held_out(key, text, fitted.params, fitted.options)


def predict(fitted: Fitted, windows: Iterable[Sequence[str]]) -> np.ndarray:
    """Scores windows of words.

    Args:
      fitted: from `fit`.
      windows: N lists of as many words as those of the training.

    Returns:
      [N] float32 scores: larger for more valid windows, above 0 if more likely valid than not
      (logistic loss).

    Raises:
      InputError: if a window has another number of words, or a word is unknown.
    """
    windows, size = list(windows), fitted.options.window
    for number, window in enumerate(windows):
        if isinstance(window, str) or len(window) != size:
            found = "a string" if isinstance(window, str) else f"{len(window)} words"
            raise InputError(f"windows must be lists of {size} words, found {found} in {number}")
    if not windows:
        return np.zeros(0, np.float32)
    known = Vocabulary(fitted.vectors.words, np.zeros(len(fitted.vectors.words), np.int64))
    ids = known.encode([word for window in windows for word in window]).reshape(-1, size)
    words, scorer = fitted.params["words"], fitted.params["scorer"]
    score = jax.jit(window_scorer.score)
    return in_blocks(lambda rows: score(scorer, words[rows]), ids)
