"""Joins words that come together more often than by chance to phrases: new_york."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.data.corpora import Corpus
from jaxemb.data.encode import encode
from jaxemb.data.encoded_corpus import EncodedCorpus
from jaxemb.data.text_files import Source
from jaxemb.data.tokenize import TOKENS
from jaxemb.errors import InputError
from jaxemb.progress import progress_bar

# Words in a block.
_WORDS = 1 << 21


class Phrases(NamedTuple):
    """Pairs of words to join, in order of their ids."""

    ids: np.ndarray  # [P, 2] int64
    counts: np.ndarray  # [P] int64, how often the second directly follows the first
    scores: np.ndarray  # [P] float64


def find_phrases(corpus: EncodedCorpus, *, threshold: float, discount: int) -> Phrases:
    """Finds pairs of neighboring words that are more frequent than by chance.

    The score of a pair is (count(ab) - discount) N / (count(a) count(b)), N the length of the
    corpus. Pairs don't reach over the end of a document. Memory grows with the different pairs.

    Args:
      corpus: the text.
      threshold: at least 0; pairs above are joined. By chance a score is 1 or less.
      discount: at least 0; keeps pairs of rare words from being joined by chance.

    Returns:
      The pairs.

    Reference:
      Mikolov et al. 2013, arXiv:1310.4546, section 4, eq. 6; there without N.
    """
    counts, size = corpus.vocabulary.counts, len(corpus.vocabulary)
    # A pair is at most as frequent as its words, so that other words are in no phrase.
    possible = (counts > discount) & (counts * threshold < corpus.words)
    keys, found = np.empty(0, np.int64), np.empty(0, np.int64)
    for _, ids, inside in _pairs(corpus):
        kept = inside & possible[ids[:-1]] & possible[ids[1:]]
        new, new_counts = np.unique(_keys(ids, size)[kept], return_counts=True)
        keys, places = np.unique(np.concatenate([keys, new]), return_inverse=True)
        # Sums of whole numbers: exact in float64.
        found = np.bincount(places, np.concatenate([found, new_counts])).astype(np.int64)
    first, second = np.divmod(keys, size)
    scores = (found - discount) * (corpus.words / counts[first] / counts[second])
    chosen = scores > threshold
    ids = np.stack([first, second], axis=1)
    return Phrases(ids[chosen], found[chosen], scores[chosen])


def join_phrases(
    corpus: EncodedCorpus,
    cache_dir: Path,
    *,
    threshold: float = 100.0,
    discount: int = 5,
    progress: bool = False,
) -> EncodedCorpus:
    """Writes a corpus in which phrases are words, `new_york`, or maps what an earlier call wrote.

    Pairs are joined from left to right: where both pairs of a b c are phrases, a_b and c result.
    Joining once more finds longer phrases.

    Args:
      corpus: the text.
      cache_dir: folder that keeps the new one.
      threshold: as for `find_phrases`; word2vec's own is 100.
      discount: as for `find_phrases`; word2vec's own is 5.
      progress: show bars on standard error.

    Returns:
      The corpus on disk, under the checksums of the files that it came from.

    Raises:
      InputError: if the corpus is in memory, or the folder can't be written.
    """
    if corpus.directory is None:
        raise InputError(
            "phrases are joined in text files only; write the text to a file, and open_text reads "
            "it"
        )
    identity = json.dumps([corpus.directory.name, threshold, discount])
    path = cache_dir / f"phrases-{hashlib.sha256(identity.encode()).hexdigest()[:24]}.txt"
    if not path.exists():
        phrases = find_phrases(corpus, threshold=threshold, discount=discount)
        _write(corpus, phrases, path, progress)
    joined = Corpus("phrases", (Source((path,), TOKENS),))
    encoded = encode(joined, cache_dir, progress=progress)
    return dataclasses.replace(encoded, sha256=corpus.sha256)


def _pairs(corpus: EncodedCorpus) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yields where a part of the corpus starts, its M + 1 words, and which of its M pairs count.

    The last word is the first of the next part. At the corpus's end it is the first again, in no
    pair.
    """
    for start in range(0, corpus.words, _WORDS):
        stop = min(start + _WORDS, corpus.words)
        ids = corpus.read(start, min(stop + 1, corpus.words))
        inside = np.ones(stop - start, bool)
        low, high = np.searchsorted(corpus.documents, (start + 1, stop + 1))
        inside[corpus.documents[low:high] - start - 1] = False
        if stop == corpus.words:
            ids = np.append(ids, ids[:1])
            inside[-1] = False
        yield start, ids, inside


def _keys(ids: np.ndarray, size: int) -> np.ndarray:
    """Numbers neighboring pairs [M] of M + 1 ids."""
    return ids[:-1].astype(np.int64) * size + ids[1:]


def _write(corpus: EncodedCorpus, phrases: Phrases, path: Path, progress: bool) -> None:
    """Writes the text with a document a line."""
    size = len(corpus.vocabulary)
    names = np.array(corpus.vocabulary.words, object)
    known = phrases.ids[:, 0] * size + phrases.ids[:, 1]
    first_taken = False  # by a phrase that the part before ended with
    with (
        replacing(path) as part,
        part.open("w", encoding="utf-8", newline="") as file,
        progress_bar(
            desc="joining phrases", total=corpus.words, unit=" words", disable=not progress
        ) as bar,
    ):
        for start, ids, inside in _pairs(corpus):
            count = len(inside)
            keys = _keys(ids, size)
            place = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
            phrase = inside & (known[place] == keys) if len(known) else np.zeros(count, bool)
            if first_taken:
                phrase[0] = False
            # In a run of pairs that could all be joined, every other one is.
            numbers = np.arange(count)
            before = np.maximum.accumulate(np.where(phrase, -1, numbers))
            joined = phrase & ((numbers - before) % 2 == 1)
            words = names[ids]
            words[:-1][joined] += "_" + words[1:][joined]
            kept = ~np.append(first_taken, joined[:-1])
            gap = np.full(count, " ", object)
            low, high = np.searchsorted(corpus.documents, (start, start + count))
            gap[corpus.documents[low:high] - start] = "\n"
            file.write("".join((gap + words[:-1])[kept]))
            first_taken = bool(joined[-1])
            bar.update(count)
