"""The systems that make word vectors, as a comparison runs them."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

import jaxemb
from jaxemb.data import Text

from ... import glove, lsa, subwords, window_validity, word2vec
from .. import command
from .text import TextFlags

Name = Literal[
    "one_hot",
    "random",
    "window_validity",
    "lsa",
    "glove",
    "skipgram",
    "cbow",
    "nce",
    "sampled_softmax",
    "hierarchical_softmax",
    "subwords",
]
Made = tuple[np.ndarray, dict[str, float]]  # vectors [V, D], figures for the summary


class Shared(NamedTuple):
    """What all systems are asked for.

    Attributes:
      dim: width of the vectors.
      epochs: passes over the text, of those that are trained on text.
      text: which text.
      common: the run.
    """

    dim: int
    epochs: int
    text: TextFlags
    common: command.Common


class System(NamedTuple):
    """A way to make word vectors.

    Attributes:
      title: in tables and pictures.
      config: what all are asked for -> the configuration of the system's experiment.
      make: (its configuration, text) -> vectors and figures; None where there is nothing to make.
      check: (configuration, text) refuses text that the system cannot use, by an InputError.
    """

    title: str
    config: Callable[[Shared], Any]
    make: Callable[[Any, Text], Made] | None
    check: Callable[[Any, Text], object] = lambda config, text: None


@dataclasses.dataclass(frozen=True)
class Untrained:
    """The configuration of vectors that no experiment trains."""

    text: TextFlags
    common: command.Common
    dim: int


def draw_random(config: Untrained, text: Text) -> Made:
    """Returns vectors that know nothing, whose scores are those of chance."""
    shape = (len(text.vocabulary), config.dim)
    return np.asarray(jax.random.normal(jax.random.key(config.common.seed), shape)), {}


def _untrained(shared: Shared) -> Untrained:
    return Untrained(shared.text, shared.common, shared.dim)


def _of_script(kind: type, *, trained_on_text: bool = True, **fields: Any) -> Callable[..., Any]:
    """Returns what gives a script its configuration.

    Args:
      kind: the script's Config.
      trained_on_text: whether it makes passes over the text. GloVe's are over pairs of words, and
        quickly done: they keep their own number.
      **fields: of its options.
    """

    def config(shared: Shared) -> Any:
        asked = {"dim": shared.dim, **fields}
        if trained_on_text:
            asked["epochs"] = shared.epochs
        plain = kind(text=shared.text, common=shared.common)
        return dataclasses.replace(plain, options=dataclasses.replace(plain.options, **asked))

    return config


def _factorize(config: lsa.Config, text: Text) -> Made:
    fitted, figures = lsa.make(config, text)
    return fitted.vectors.vectors, figures


def _by(train: Callable[[Any, Text, float], Any]) -> Callable[[Any, Text], Made]:
    """Returns what makes vectors as a script trains them."""

    def make(config: Any, text: Text) -> Made:
        fitted, figures = train(config, text, time.perf_counter())
        return fitted.vectors.vectors, figures

    return make


def _word2vec(title: str, **fields: Any) -> System:
    return System(title, _of_script(word2vec.Config, **fields), _by(word2vec.train))


SYSTEMS: dict[Name, System] = {
    "one_hot": System("one-hot", _untrained, None),
    "random": System("random vectors", _untrained, draw_random),
    "window_validity": System(
        "window validity",
        _of_script(window_validity.Config),
        _by(window_validity.train),
        lambda config, text: jaxemb.window_validity.check(text, config.options),
    ),
    "lsa": System(
        "LSA",
        _of_script(lsa.Config, trained_on_text=False),
        _factorize,
        lambda config, text: jaxemb.lsa.check(text, config.options),
    ),
    "glove": System(
        "GloVe",
        _of_script(glove.Config, trained_on_text=False),
        _by(glove.train),
        lambda config, text: jaxemb.glove.check(text, config.options),
    ),
    "skipgram": _word2vec("skip-gram, negative sampling"),
    "cbow": _word2vec("CBOW, negative sampling", model="cbow"),
    "nce": _word2vec("skip-gram, NCE", objective="nce"),
    "sampled_softmax": _word2vec("skip-gram, sampled softmax", objective="sampled_softmax"),
    "hierarchical_softmax": _word2vec(
        "skip-gram, hierarchical softmax", objective="hierarchical_softmax"
    ),
    "subwords": System("skip-gram of subwords", _of_script(subwords.Config), _by(subwords.train)),
}
