"""What a training on text starts with, whatever is made of the words."""

import logging
from typing import Any, NamedTuple

import jax
import optax

from jaxemb import checks
from jaxemb.data.text import Text, check_text
from jaxemb.errors import InputError
from jaxemb.methods.word2vec.objectives import Beginning
from jaxemb.methods.word2vec.options import FEWEST_STEPS, WindowOptions, choose, defaults
from jaxemb.methods.word2vec.settings import Settings
from jaxemb.progress import phase
from jaxemb.sampling.subsampling import keep_probability
from jaxemb.sampling.text import TextStream
from jaxemb.training.state import Unit

_logger = logging.getLogger("jaxemb")

# Steps of a compiled call: long enough to hide its start, short enough for a live progress bar.
CALL_STEPS = 128


class Setup(NamedTuple):
    """What a training starts with.

    Attributes:
      settings: of a step.
      source: what the objective draws from.
      stream: batches of text.
      steps: of all epochs.
      learning_rate: its schedule.
      base_key: of the steps.
      init_key: of the tables.
      chance_loss: the loss at chance level.
      unit: of speed.
    """

    settings: Settings
    source: Any
    stream: TextStream
    steps: int
    learning_rate: optax.Schedule
    base_key: jax.Array
    init_key: jax.Array
    chance_loss: float
    unit: Unit


def set_up(key: Any, text: Text, options: WindowOptions, objective: Beginning) -> Setup:
    """Prepares a training on text.

    Args:
      key: random key or seed.
      text: from `jaxemb.data`.
      options: of the method.
      objective: what is minimized.

    Raises:
      InputError: if subsampling leaves no words, or the counts allow no noise.
    """
    check_text(text)
    corpus, vocabulary = text
    stream_key, base_key, init_key = jax.random.split(checks.as_key(key), 3)
    keep = keep_probability(vocabulary.counts, words=corpus.words, threshold=options.subsample)
    kept = options.epochs * float(vocabulary.counts @ keep[:-1])
    settings = choose(options, objective, corpus.words, kept)
    with phase("counting the steps"):
        stream = TextStream(
            stream_key,
            corpus.read,
            corpus.words,
            corpus.documents,
            keep,
            epochs=options.epochs,
            groups=settings.groups,
            size=settings.size,
            margin=settings.window,
        )
        steps = int(stream.epoch_steps.sum())
    if steps == 0:
        raise InputError(
            f"subsample = {options.subsample:g} left none of {corpus.words:,} words; raise it, or "
            "set it to 0"
        )
    if steps < FEWEST_STEPS // 2:
        _logger.warning(
            f"only {steps} steps, in which vectors hardly leave chance level: subsample = "
            f"{options.subsample:g} leaves about {kept:,.0f} words in {options.epochs} epochs. "
            "More epochs, or subsample = 0, give more"
        )
    rate = options.learning_rate or defaults(options, objective).learning_rate
    return Setup(
        settings,
        objective.source(settings, vocabulary.counts, options.noise_power),
        stream,
        steps,
        optax.linear_schedule(rate, rate * 1e-4, steps),
        base_key,
        init_key,
        objective.chance_loss(settings, len(vocabulary)),
        Unit("words", corpus.words * options.epochs / steps),
    )


def check_params(params: Any, fresh: Any) -> None:
    """Refuses tables to go on from that don't fit the vocabulary and the options.

    Raises:
      InputError: naming both shapes.
    """
    found, wanted = (
        {name: list(table.shape) for name, table in tables.items()} for tables in (params, fresh)
    )
    if found != wanted:
        raise InputError(
            f"params must be tables of shapes {wanted}, found {found}; are text and options those "
            "that they were trained with?"
        )
