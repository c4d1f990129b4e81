"""The systems that make word vectors, as a comparison runs them."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import jax
import numpy as np

from jaxemb.models.subword_table import word_vectors as compose

from ... import glove, lsa, subwords, window_validity, word2vec
from . import vectors as word_vectors
from .vectors import Text

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


class System(NamedTuple):
    """A way to make word vectors.

    Attributes:
      title: in tables and pictures.
      config: the experiment's dataclass.
      make: (its configuration, text, when it began) -> vectors and figures; None where there is
        nothing to make.
      fields: of the configuration that differ from their defaults.
      check: (configuration, text) refuses text that the system cannot use, by an InputError.
    """

    title: str
    config: type[word_vectors.Config]
    make: Callable[[Any, Text, float], Made] | None
    fields: Mapping[str, Any] = {}
    check: Callable[[Any, Text], object] = lambda config, text: None


def draw_random(config: word_vectors.Config, text: Text, began: float) -> Made:
    """Returns vectors that know nothing, whose scores are those of chance."""
    shape = (len(text.vocabulary), config.dim)
    return np.asarray(jax.random.normal(jax.random.key(config.seed), shape)), {}


def tell_windows(config: window_validity.Config, text: Text, began: float) -> Made:
    """Returns W, without R."""
    params, figures = window_validity.train(config, text, began)
    return np.asarray(params["words"]), figures


def factorize(config: lsa.Config, text: Text, began: float) -> Made:
    """Returns singular vectors, without their values."""
    vectors, _, figures = lsa.make(config, text)
    return vectors, figures


def predict(config: word2vec.Config, text: Text, began: float) -> Made:
    """Returns the input vectors, without the output vectors."""
    tables, figures = word2vec.train(config, text, began)
    return np.asarray(tables["input"]), figures


def compose_of_ngrams(config: subwords.Config, text: Text, began: float) -> Made:
    """Returns each word's mean of its own vector and those of its n-grams."""
    table, _, figures = subwords.train(config, text, began)
    return compose(table, text.vocabulary.words), figures


def _word2vec(title: str, **fields: str) -> System:
    return System(title, word2vec.Config, predict, fields)


SYSTEMS: dict[Name, System] = {
    "one_hot": System("one-hot", word_vectors.Config, None),
    "random": System("random vectors", word_vectors.Config, draw_random),
    "window_validity": System(
        "window validity", window_validity.Config, tell_windows, check=window_validity.check
    ),
    "lsa": System("LSA", lsa.Config, factorize, check=lsa.check),
    # An epoch is one over its pairs of words, and quickly done.
    "glove": System(
        "GloVe", glove.Config, glove.train, {"epochs": glove.Config.epochs}, check=glove.check
    ),
    "skipgram": _word2vec("skip-gram, negative sampling"),
    "cbow": _word2vec("CBOW, negative sampling", model="cbow"),
    "nce": _word2vec("skip-gram, NCE", objective="nce"),
    "sampled_softmax": _word2vec("skip-gram, sampled softmax", objective="sampled_softmax"),
    "hierarchical_softmax": _word2vec(
        "skip-gram, hierarchical softmax", objective="hierarchical_softmax"
    ),
    "subwords": System("skip-gram of subwords", subwords.Config, compose_of_ngrams),
}
