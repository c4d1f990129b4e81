"""Which word translates which, from sentences and their translations: IBM model 1."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from jaxemb.errors import InputError
from jaxemb.memory import require_memory

# Bytes for each pair of a word and a word of the translation, while the model is fitted.
_PAIR_BYTES = 48


class Links(NamedTuple):
    """How words of one language are linked to those of the other.

    Attributes:
      probabilities: [V, U] float64, that a first word is translated by a second one; 0 for words
        that no sentence has. What a row lacks to 1 are words outside the vocabulary.
      counts: [V, U] float64, how often it was, as expected from the sentences.
    """

    probabilities: csr_array
    counts: csr_array


def ibm1(
    first: Sequence[np.ndarray],
    second: Sequence[np.ndarray],
    *,
    words: tuple[int, int],
    iterations: int,
) -> Links:
    """Fits the probabilities that words of one language are translated by words of the other.

    Each word of a second sentence is the translation of one word of the first, or of none, which
    is a word that every first sentence has. The likelihood has one maximum but for words that
    always occur together; expectation maximization climbs towards it.

    Args:
      first: N sentences, each [L] int ids in 0..V-1; possibly empty.
      second: their translations, each [M] int ids in 0..U-1.
      words: V and U.
      iterations: of expectation maximization; more fit the sentences closer, and rare words worse.

    Returns:
      The links.

    Raises:
      InputError: if sentences are not as many, or memory is too small.

    Reference:
      Brown et al. 1993, "The mathematics of statistical machine translation", section 4.
    """
    if len(first) != len(second):
        raise InputError(
            f"as many sentences are needed as translations, found {len(first):,} and "
            f"{len(second):,}"
        )
    vocabulary, others = words
    # The word that stands for none comes last.
    lengths = np.array([len(sentence) + 1 for sentence in first])
    starts = np.cumsum(lengths) - lengths
    flat = np.full(lengths.sum(), vocabulary, np.int64)
    inside = np.ones(len(flat), bool)
    inside[starts + lengths - 1] = False
    if inside.any():
        flat[inside] = np.concatenate(first)
    sizes = np.array([len(sentence) for sentence in second])
    told = np.concatenate([*second, np.zeros(0, np.int64)]).astype(np.int64)
    sentence = np.repeat(np.arange(len(sizes)), sizes)
    choices = lengths[sentence]  # of each second word: the first words that it may translate
    total = int(choices.sum())
    require_memory(
        _PAIR_BYTES * total,
        f"{total:,} pairs of a word and one of the translation",
        "give fewer or shorter sentences",
    )
    begins = np.cumsum(choices) - choices
    places = np.arange(total) - np.repeat(begins - starts[sentence], choices)
    keys = flat[places] * others + np.repeat(told, choices)
    del places
    pairs, pair = np.unique(keys, return_inverse=True)
    del keys
    rows, columns = pairs // others, pairs % others
    likely = np.ones(len(pairs))
    counts: np.ndarray = likely
    for _ in range(iterations):
        share = likely[pair]
        share /= np.repeat(np.add.reduceat(share, begins), choices)
        counts = np.bincount(pair, share, len(pairs))
        likely = counts / np.bincount(rows, counts, vocabulary + 1)[rows]
    known = rows < vocabulary
    where = rows[known], columns[known]
    return Links(
        *(csr_array((table[known], where), shape=words) for table in (likely, counts)),
    )
