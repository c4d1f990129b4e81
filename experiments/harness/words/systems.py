"""The systems that make word vectors, as a comparison runs them."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

from jaxemb.data import Text
from jaxemb.methods.subwords import Options as SubwordsOptions
from jaxemb.methods.word2vec import Options as Word2vecOptions

from ... import glove, lsa, subwords, window_validity, word2vec
from .. import command
from . import vectors as word_vectors
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


def _untrained(shared: Shared) -> Untrained:
    return Untrained(shared.text, shared.common, shared.dim)


def _flat(kind: type[word_vectors.Config], shared: Shared, **fields: Any) -> Any:
    flat = command.flat_fields(shared.text) | command.flat_fields(shared.common)
    del flat["checkpoint_seconds"]
    return kind(dim=shared.dim, **flat, **fields)


def _word2vec(title: str, **fields: Any) -> System:
    def config(shared: Shared) -> word2vec.Config:
        options = Word2vecOptions(dim=shared.dim, epochs=shared.epochs, **fields)
        return word2vec.Config(options, shared.text, shared.common)

    return System(title, config, _predict)


def _predict(config: word2vec.Config, text: Text) -> Made:
    """Returns the input vectors, without the output vectors."""
    fitted, figures = word2vec.train(config, text, time.perf_counter())
    return fitted.vectors.vectors, figures


def _of_subwords(shared: Shared) -> subwords.Config:
    options = SubwordsOptions(dim=shared.dim, epochs=shared.epochs)
    return subwords.Config(options, shared.text, shared.common)


def _compose(config: subwords.Config, text: Text) -> Made:
    """Returns each word's mean of its own vector and those of its n-grams."""
    fitted, figures = subwords.train(config, text, time.perf_counter())
    return fitted.vectors.vectors, figures


def draw_random(config: Untrained, text: Text) -> Made:
    """Returns vectors that know nothing, whose scores are those of chance."""
    shape = (len(text.vocabulary), config.dim)
    return np.asarray(jax.random.normal(jax.random.key(config.common.seed), shape)), {}


def _tell_windows(config: window_validity.Config, text: Text) -> Made:
    """Returns W, without R."""
    params, figures = window_validity.train(config, text, time.perf_counter())
    return np.asarray(params["words"]), figures


def _factorize(config: lsa.Config, text: Text) -> Made:
    """Returns singular vectors, without their values."""
    vectors, _, figures = lsa.make(config, text)
    return vectors, figures


SYSTEMS: dict[Name, System] = {
    "one_hot": System("one-hot", _untrained, None),
    "random": System("random vectors", _untrained, draw_random),
    "window_validity": System(
        "window validity",
        lambda shared: _flat(window_validity.Config, shared, epochs=shared.epochs),
        _tell_windows,
        window_validity.check,
    ),
    "lsa": System("LSA", lambda shared: _flat(lsa.Config, shared), _factorize, lsa.check),
    # An epoch is one over its pairs of words, and quickly done: it keeps its own number.
    "glove": System(
        "GloVe",
        lambda shared: _flat(glove.Config, shared),
        lambda config, text: glove.train(config, text, time.perf_counter()),
        glove.check,
    ),
    "skipgram": _word2vec("skip-gram, negative sampling"),
    "cbow": _word2vec("CBOW, negative sampling", model="cbow"),
    "nce": _word2vec("skip-gram, NCE", objective="nce"),
    "sampled_softmax": _word2vec("skip-gram, sampled softmax", objective="sampled_softmax"),
    "hierarchical_softmax": _word2vec(
        "skip-gram, hierarchical softmax", objective="hierarchical_softmax"
    ),
    "subwords": System("skip-gram of subwords", _of_subwords, _compose),
}
