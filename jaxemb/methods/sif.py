"""Sentences from word vectors: averages that weigh rare words more, less what all have in common.

Example:
    import numpy as np
    from jaxemb import sif
    from jaxemb.io import WordVectors

    vectors = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    words = WordVectors(["the", "a", "dog", "cat", "runs", "sleeps"], vectors)
    fitted = sif.fit(["the dog runs", "a cat sleeps", "the cat runs"], words)
    sif.encode(fitted.model, ["a dog sleeps"])  # [1, 4], of length 1
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.io.word_vectors import WordVectors
from jaxemb.models.averages import Averages, as_sentences, counts, encode
from jaxemb.training.state import History

__all__ = ["Averages", "Fitted", "Options", "encode", "fit"]


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the sentences' vectors, word vectors and sentences given."""

    smoothing: float | None = 1e-3
    """A word of probability p counts smoothing / (smoothing + p). None: all count alike, which is
    the plain average."""
    common: int = 1
    """Directions taken out, those in which the sentences given are largest; 0 leaves all."""

    def __post_init__(self) -> None:
        """Refuses values that no average can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        if self.smoothing is not None:
            checks.check_field(self, "smoothing", above=0)
        checks.check_field(self, "common", at_least=0)


class Fitted(NamedTuple):
    """Word vectors as sentences take them.

    Attributes:
      model: for `encode`.
      options: of the method.
      history: empty, for nothing is iterated.
    """

    model: Averages
    options: Options
    history: History = History()


def fit(
    texts: Sequence[str],
    vectors: WordVectors,
    options: Options | None = None,
    *,
    key: jax.Array | int | None = None,
) -> Fitted:
    """Weighs words by their frequency in sentences, and finds what these have in common.

    Args:
      texts: N sentences, which say how frequent each word is.
      vectors: of words, finite; those that no sentence has count as if one had.
      options: of the method.
      key: not needed, for nothing is drawn.

    Returns:
      The model, of all words that have vectors.

    Raises:
      InputError: if an argument is outside its documented range, or no word has a vector.

    Reference:
      Arora, Liang & Ma 2017, "A simple but tough-to-beat baseline for sentence embeddings",
      algorithm 1.
    """
    options = checks.as_options(options, Options)
    if key is not None:
        checks.as_key(key)
    texts = as_sentences(texts)
    if not isinstance(vectors, WordVectors):
        raise InputError(
            f"vectors must be jaxemb.io.WordVectors, found {type(vectors).__name__}; "
            "jaxemb.io.read reads a file of them"
        )
    if len(vectors.index) < len(vectors):
        twice = next(word for row, word in enumerate(vectors) if vectors.index[word] != row)
        raise InputError(f"vectors: the word {twice!r} comes twice")
    table = checks.as_points(vectors.vectors, at_least=1, name="vectors")
    there = counts(texts, vectors.words)
    occurrences = np.asarray(there.sum(axis=0), np.float64)
    if not occurrences.any():
        raise InputError(
            f"vectors: none of the {len(vectors):,} words is in a sentence, e.g. not "
            f"{vectors.words[:3]}; are they of another language, or not lower case?"
        )
    width = table.shape[1]
    if options.common >= min(width, len(texts)) and options.common:
        raise InputError(
            f"common must be less than the {width} numbers of a vector and the {len(texts)} "
            f"sentences, found {options.common}; 0 takes nothing out"
        )
    if options.smoothing is not None:
        share = np.maximum(occurrences, 1) / occurrences.sum()
        weights = options.smoothing / (options.smoothing + share)
        table = (table * weights[:, None]).astype(np.float32)
    model = Averages(vectors.words, table, np.zeros((0, width), np.float32))
    if options.common:
        sums = there @ table / np.maximum(there.sum(axis=1), 1)[:, None]
        moments = np.einsum("nd,ne->de", sums, sums, dtype=np.float64)
        largest = np.linalg.eigh(moments)[1][:, ::-1][:, : options.common]
        model = model._replace(common=np.ascontiguousarray(largest.T, np.float32))
    return Fitted(model, options)
