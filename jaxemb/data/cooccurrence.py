"""Which pairs of words and contexts are counted: words in a window, words in a document."""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from jaxemb.data.encoded_corpus import EncodedCorpus
from jaxemb.data.pairs import LARGEST_EXACT, Pairs, Stretch
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.errors import InputError

Weighting = Literal["harmonic", "flat"]
Side = Literal["both", "left", "right"]


def windows(
    corpus: EncodedCorpus,
    vocabulary: Vocabulary,
    *,
    window: int,
    weighting: Weighting = "harmonic",
    side: Side = "both",
) -> Pairs:
    """Describes pairs of words of which one is in a window around the other.

    Words outside the vocabulary are dropped first, so that windows extend beyond them. No window
    crosses the end of a document.

    Args:
      corpus: the text.
      vocabulary: V words, the first of the corpus's vocabulary.
      window: words to each side.
      weighting: "harmonic": a neighbor at distance d counts 1/d; "flat": it counts 1.
      side: which neighbors are a word's contexts; "both" makes a symmetric matrix.

    Returns:
      What `sparse_counts.count` adds up to a matrix [V, V], in units of 1 / lcm(1, ..., window) or
      of 1.

    Raises:
      InputError: if the text has no more words of the vocabulary than a window, the vocabulary is
        not the corpus's, or harmonic weights have no common unit in float64.

    Reference:
      Pennington, Socher & Manning 2014, "GloVe: Global Vectors for Word Representation",
      section 4.2 (harmonic weights).
    """
    _check_vocabulary(corpus, vocabulary)
    if window < 1:
        raise InputError(f"a window must reach at least 1 word, found {window}")
    if (kept := int(vocabulary.counts.sum())) <= window:
        raise InputError(
            f"the text has {kept:,} words of the vocabulary, no more than a window of {window} "
            "reaches; is the corpus the right one, or min_count too large?"
        )
    unit = math.lcm(*range(1, window + 1)) if weighting == "harmonic" else 1
    if unit > LARGEST_EXACT:
        raise InputError(
            f"harmonic weights have no exact sums in a window of {window}; one of at most 40, or "
            "flat weights, have"
        )
    right = [unit // d if weighting == "harmonic" else 1 for d in range(1, window + 1)]
    left = right[::-1]
    weights = {"left": left, "right": right, "both": [*left, 0, *right]}[side]
    size = len(vocabulary)
    return Pairs(
        occurrences=vocabulary.counts,
        columns=size,
        weights=np.array(weights, np.float64),
        unit=unit,
        texts=lambda words: _windows(corpus, size, window, side, words),
        # Each word may be a document, with a gap before it.
        text_bytes=24 * (1 + window) + 8 * len(weights),
    )


def documents(corpus: EncodedCorpus, vocabulary: Vocabulary) -> Pairs:
    """Describes pairs of a word and a document that it is in.

    Args:
      corpus: the text, of D documents.
      vocabulary: V words, the first of the corpus's vocabulary.

    Returns:
      What `sparse_counts.count` adds up to a matrix [V, D].

    Raises:
      InputError: if the vocabulary is not the corpus's.
    """
    _check_vocabulary(corpus, vocabulary)
    size = len(vocabulary)
    return Pairs(
        occurrences=vocabulary.counts,
        columns=len(corpus.documents),
        weights=np.ones(1),
        unit=1,
        texts=lambda words: _memberships(corpus, size, words),
        text_bytes=40,
    )


def _check_vocabulary(corpus: EncodedCorpus, vocabulary: Vocabulary) -> None:
    # Memory is planned by these counts.
    if not np.array_equal(vocabulary.counts, corpus.vocabulary.counts[: len(vocabulary)]):
        raise InputError(
            f"the vocabulary's {len(vocabulary):,} words are not the corpus's most frequent ones; "
            "truncate that of the corpus"
        )


def _windows(
    corpus: EncodedCorpus, size: int, window: int, side: Side, at_a_time: int
) -> Iterator[Stretch]:
    """Yields the text without rare words, with gaps as wide as a window between documents."""
    first = window + 1 if side == "right" else 0
    width = 2 * window + 1 if side == "both" else window
    rest = np.empty(0, np.int32)
    for start in range(0, corpus.words, at_a_time):
        stop = min(start + at_a_time, corpus.words)
        text = corpus.read(start, stop)
        before, after = np.searchsorted(corpus.documents, [start, stop])
        starts = np.asarray(corpus.documents[before:after]) - start
        text = np.insert(text, np.repeat(starts, window), -1)
        text = text[text < size]
        text[text < 0] = size
        end = np.full(window if stop == corpus.words else 0, size, np.int32)
        text = np.concatenate([rest, text, end])
        rest = text[max(0, len(text) - 2 * window) :]
        if len(text) > 2 * window:
            contexts = sliding_window_view(text[first:], width)
            yield Stretch(text[window:-window], contexts.__getitem__)


def _memberships(corpus: EncodedCorpus, size: int, at_a_time: int) -> Iterator[Stretch]:
    """Yields the text without rare words; a word's context is its document."""
    for start in range(0, corpus.words, at_a_time):
        stop = min(start + at_a_time, corpus.words)
        text = corpus.read(start, stop)
        before = np.searchsorted(corpus.documents, start, "right")
        after = np.searchsorted(corpus.documents, stop)
        documents = np.zeros(len(text), np.int32)
        documents[np.asarray(corpus.documents[before:after]) - start] = 1
        documents = np.int32(before - 1) + documents.cumsum(dtype=np.int32)
        yield Stretch(text, documents[:, None].__getitem__)
