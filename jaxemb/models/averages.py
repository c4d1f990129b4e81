"""Sentences as weighted averages of the vectors of their words."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse

from jaxemb.data.tokenize import words
from jaxemb.errors import InputError


class Averages(NamedTuple):
    """What the vector of a sentence is made of.

    Attributes:
      words: V words.
      vectors: [V, D] float32; their lengths say how much each word counts.
      common: [C, D] orthonormal directions that are taken out of sentences; none in most models.
    """

    words: list[str]
    vectors: np.ndarray
    common: np.ndarray


def counts(texts: Sequence[str], known: Sequence[str]) -> sparse.csr_array:
    """Counts words in sentences.

    Args:
      texts: N of them, cut into words by `jaxemb.data.tokenize.words`.
      known: V words.

    Returns:
      [N, V] float32, how often each sentence has each word.
    """
    index = {word: column for column, word in enumerate(known)}
    columns: list[int] = []
    numbers: list[int] = []
    ends = [0]
    for text in texts:
        found = Counter(index[word] for word in words(text) if word in index)
        columns += found.keys()
        numbers += found.values()
        ends.append(len(columns))
    table = (np.array(numbers, np.float32), np.array(columns, np.int32), np.array(ends))
    return sparse.csr_array(table, shape=(len(texts), len(index)))


def average(model: Averages, texts: Sequence[str]) -> np.ndarray:
    """Embeds sentences.

    Args:
      model: words and their vectors.
      texts: N sentences; words that the model lacks are left out.

    Returns:
      [N, D] float32 of length 1; NaN for a sentence without a known word.
    """
    there = counts(texts, model.words)
    sums = there @ model.vectors
    sums /= np.maximum(there.sum(axis=1), 1)[:, None]
    sums -= sums @ model.common.T @ model.common
    # Squares of huge and of tiny numbers are no float32 numbers.
    with np.errstate(invalid="ignore", divide="ignore"):
        sums /= np.abs(sums).max(axis=1, keepdims=True)
        sums /= np.linalg.norm(sums, axis=1, keepdims=True)
    return np.where(there.sum(axis=1)[:, None] > 0, sums, np.nan).astype(np.float32)


def encode(model: Averages, texts: Sequence[str], *, unknown: str = "refuse") -> np.ndarray:
    """Embeds sentences, trained on or new.

    Args:
      model: words and their vectors.
      texts: N sentences.
      unknown: what becomes of a sentence without a known word: "refuse", or "nan", a row of NaN,
        for it is near to nothing.

    Returns:
      [N, D] float32 of length 1.

    Raises:
      InputError: if texts are no list of strings, or some have no known word and that is refused.
    """
    if unknown not in ("refuse", "nan"):
        raise InputError(f"unknown must be 'refuse' or 'nan', found {unknown!r}")
    texts = as_sentences(texts)
    vectors = average(model, texts)
    bad = np.flatnonzero(np.isnan(vectors[:, 0]))
    if bad.size and unknown == "refuse":
        raise InputError(
            f"{bad.size:,} of {len(texts):,} sentences have no word that the model knows, the "
            f"first is number {bad[0]}, {texts[bad[0]][:60]!r}; leave them out, or take rows of "
            "NaN with unknown='nan'"
        )
    return vectors


def as_sentences(texts: Sequence[str], *, name: str = "texts") -> list[str]:
    """Returns sentences as a list.

    Raises:
      InputError: if they are a single string, none, or no strings.
    """
    if isinstance(texts, str):
        raise InputError(f"{name} must be a list of sentences, found one string: [{texts!r:.80}]")
    try:
        found = list(texts)
    except TypeError as error:
        raise InputError(
            f"{name} must be a list of sentences, found {type(texts).__name__}"
        ) from error
    if not found:
        raise InputError(f"{name} must be at least one sentence, found none")
    for number, text in enumerate(found):
        if not isinstance(text, str):
            raise InputError(
                f"{name} must be strings, found {type(text).__name__} at number {number}"
            )
    return found
