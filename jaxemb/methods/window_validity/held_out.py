"""The text that is held out of training, and how its windows score."""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.text import Text, check_text
from jaxemb.errors import InputError
from jaxemb.methods.window_validity.options import Options
from jaxemb.methods.window_validity.step import Scores, WindowExample, draw_example, scores
from jaxemb.models.window_scorer import Params
from jaxemb.sampling.held_out import Parts, Read, count_windows, hold_out
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.subsampling import keep_probability
from jaxemb.sampling.text import TextBatch, TextStream


class Keys(NamedTuple):
    """What a training, and the judgment of it, draw from."""

    stream: jax.Array
    held_out: jax.Array
    base: jax.Array
    init: jax.Array
    judge: jax.Array


class HeldOut(NamedTuple):
    """N windows held out, the same with a word switched, and R's scores.

    Attributes:
      windows: [N, n] their words.
      others: [N] the random word of each, other than its own.
      real: [N] scores of the windows.
      switched: [N] with the random word.
    """

    windows: np.ndarray
    others: np.ndarray
    real: np.ndarray
    switched: np.ndarray


def split(key: Any) -> Keys:
    """Splits a random key, or a seed."""
    return Keys(*jax.random.split(checks.as_key(key), 5))


def divide(text: Text, options: Options) -> Parts:
    """Returns the text to train on and the text held out.

    Raises:
      InputError: if the text is too short for a stretch to be held out.
    """
    check_text(text)
    return hold_out(
        text.corpus.read,
        words=text.corpus.words,
        documents=np.asarray(text.corpus.documents),
        share=options.held_out,
        least=options.window,
        unknown=len(text.vocabulary),
        longest=options.stretch,
    )


def check(text: Text, options: Options | None = None) -> None:
    """Refuses text of which a part has too few windows.

    Raises:
      InputError: saying which.
    """
    options = checks.as_options(options, Options)
    parts = divide(text, options)
    # One half of those held out chooses a threshold, the other is judged.
    for name, read, least in (("held out", parts.held_out, 2), ("left", parts.trained_on, 1)):
        found = count_windows(
            read,
            words=text.corpus.words,
            documents=parts.documents,
            window=options.window,
            unknown=len(text.vocabulary),
            enough=least,
        )
        if found < least:
            raise InputError(
                f"the text {name} has {found} windows of {options.window} words; are its documents "
                "shorter, or is min_count too large?"
            )


def stream(
    key: jax.Array, text: Text, options: Options, read: Read, documents: np.ndarray, epochs: int
) -> TextStream:
    """Returns the batches of a part of the text."""
    # Frequent words stay: a window is to be one of the text.
    keep = keep_probability(text.vocabulary.counts, words=text.corpus.words, threshold=0)
    return TextStream(
        key,
        read,
        text.corpus.words,
        documents,
        keep,
        epochs=epochs,
        groups=options.groups,
        size=options.size,
        margin=options.window // 2,
    )


def score_held_out(key: Any, text: Text, params: Params, options: Options) -> HeldOut:
    """Scores each window that was held out, and the same with a random word of its own.

    Args:
      key: that of the training, for its random words.
      text: that of the training.
      params: W and R.
      options: of the training.

    Returns:
      The windows and their scores.
    """
    keys = split(key)
    params = jax.tree.map(jnp.asarray, params)
    parts = divide(text, options)
    noise = noise_distribution(text.vocabulary.counts, power=options.noise_power)
    # As many random words as windows, so that each has another.
    options = dataclasses.replace(options, noise=options.size)

    @jax.jit
    def score(key: jax.Array, batch: TextBatch) -> tuple[WindowExample, Scores]:
        example = draw_example(key, options, noise, batch)
        return example, scores(options, params["scorer"], params["words"][example.ids], example)

    batches = stream(keys.held_out, text, options, parts.held_out, parts.documents, 1)
    found_all = []
    steps = int(batches.epoch_steps.sum())
    for step, batch in enumerate(zip(*batches.batches(0, steps), strict=True)):
        example, found = jax.tree.map(
            np.asarray, score(jax.random.fold_in(keys.judge, step), TextBatch(*batch))
        )
        own = np.tile(np.arange(options.size), options.groups)
        rows = np.flatnonzero(found.where[np.arange(own.size), own])
        group, start = np.divmod(rows, options.size)
        columns = start[:, None] + np.arange(options.window)[None]
        found_all.append(
            HeldOut(
                example.ids[group[:, None], columns],
                example.ids[group, options.size + options.window - 1 + start],
                found.real[rows],
                found.switched[rows, own[rows]],
            )
        )
    return HeldOut(*map(np.concatenate, zip(*found_all, strict=True)))
