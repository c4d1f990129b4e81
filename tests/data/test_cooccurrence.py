import dataclasses
import os
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from jaxemb.data import cooccurrence, count_rows, sparse_counts
from jaxemb.data import vocabulary as vocabularies
from jaxemb.data.corpora import open_corpus
from jaxemb.data.encode import encode
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.errors import InputError

LARGE = 100_000_000


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    """Encodes documents, lists of words."""

    def make(documents):
        folder = tmp_path_factory.mktemp("corpus")
        text = "".join(" ".join(words) + "\n" for words in documents)
        (folder / "text.txt").write_text(text)
        return encode(
            open_corpus([str(folder / "text.txt")], folder), folder / "cache", progress=False
        )

    return make


@pytest.fixture(scope="module")
def documents():
    """60 documents of 1 to 29 words; a few words make up most, as in a language."""
    rng = np.random.default_rng(0)
    return [[f"w{min(z, 40)}" for z in rng.zipf(1.3, rng.integers(1, 30))] for _ in range(60)]


@pytest.fixture(scope="module")
def text(encoded, documents):
    corpus = encoded(documents)
    return corpus, vocabularies.truncate(corpus.vocabulary, min_count=3)


def by_loops(documents, vocabulary, window, weighting, side):
    """Every pair of a document, without the rare words: sums as fractions, rounded once."""
    sums = {}
    for words in documents:
        kept = [vocabulary.ids[word] for word in words if word in vocabulary.ids]
        for i, word in enumerate(kept):
            for j, context in enumerate(kept):
                distance = abs(i - j)
                here = {"both": i != j, "left": j < i, "right": j > i}[side]
                if here and distance <= window:
                    weight = Fraction(1, distance) if weighting == "harmonic" else 1
                    sums[word, context] = sums.get((word, context), 0) + weight
    table = np.zeros((len(vocabulary), len(vocabulary)))
    for place, value in sums.items():
        table[place] = float(value)
    return table


@pytest.mark.parametrize("window", [1, 3, 20])
@pytest.mark.parametrize("weighting", ["harmonic", "flat"])
@pytest.mark.parametrize("side", ["both", "left", "right"])
def test_windows_agree_with_loops(text, documents, tmp_path, window, weighting, side, monkeypatch):
    # With all in one block, and in many, each read in stretches of few words.
    monkeypatch.setattr(sparse_counts, "_TEXT_LEAST", 20)
    corpus, vocabulary = text
    expected = by_loops(documents, vocabulary, window, weighting, side)
    pairs = cooccurrence.windows(corpus, vocabulary, window=window, weighting=weighting, side=side)
    for limit in (LARGE, 80 * pairs.text_bytes):
        found = sparse_counts.count(pairs, tmp_path, memory_limit=limit)
        assert found.has_canonical_format
        assert np.count_nonzero(found.data) == found.nnz
        np.testing.assert_array_equal(found.toarray(), expected)
    if side == "both":
        np.testing.assert_array_equal(expected, expected.T)


def test_documents_agree_with_loops(text, documents, tmp_path, monkeypatch):
    monkeypatch.setattr(sparse_counts, "_TEXT_LEAST", 5)
    corpus, vocabulary = text
    expected = np.zeros((len(vocabulary), len(documents)))
    for column, words in enumerate(documents):
        for word in words:
            if word in vocabulary.ids:
                expected[vocabulary.ids[word], column] += 1
    pairs = cooccurrence.documents(corpus, vocabulary)
    for limit in (LARGE, 4000):
        found = sparse_counts.count(pairs, tmp_path, memory_limit=limit)
        assert found.has_canonical_format
        np.testing.assert_array_equal(found.toarray(), expected)


def test_windows_reach_over_rare_words_but_not_over_the_end_of_a_document(encoded, tmp_path):
    corpus = encoded([["a", "rare", "b"], ["b", "a"], ["a", "b"], ["b"]])
    vocabulary = vocabularies.truncate(corpus.vocabulary, min_count=2)
    assert vocabulary.words == ["b", "a"]
    pairs = cooccurrence.windows(corpus, vocabulary, window=2, side="right", weighting="flat")
    found = sparse_counts.count(pairs, tmp_path, memory_limit=LARGE).toarray()
    np.testing.assert_array_equal(found, [[0, 1], [2, 0]])


@pytest.mark.parametrize("what", ["windows", "documents"])
def test_blocks_are_many_and_stay_within_the_limit(encoded, tmp_path, monkeypatch, what):
    rng = np.random.default_rng(1)
    length = {"windows": 60, "documents": 20}[what]
    drawn = np.minimum(rng.zipf(1.15, (120_000 // length, length)), 6000)
    corpus = encoded([[f"w{z}" for z in words] for words in drawn])
    vocabulary = vocabularies.truncate(corpus.vocabulary, min_count=2)
    pairs = (
        cooccurrence.windows(corpus, vocabulary, window=10)
        if what == "windows"
        else cooccurrence.documents(corpus, vocabulary)
    )
    monkeypatch.setattr(sparse_counts, "_TEXT_LEAST", 1000)
    monkeypatch.setattr(sparse_counts, "_TEXT_SHARE", 1000)
    blocks = []
    collect = count_rows._collect
    monkeypatch.setattr(
        count_rows, "_collect", lambda *given: blocks.append(given[1]) or collect(*given)
    )
    whole = sparse_counts.count(pairs, tmp_path, memory_limit=LARGE)
    kept = whole.data.copy(), whole.indices.copy(), whole.indptr.copy()
    assert {block.dense for block in blocks} == {True, False}  # frequent words and rare ones
    few = len(blocks)
    blocks.clear()
    # No more than the pairs alone would take, at 12 bytes each; of windows a fifth.
    pairs_bytes = 12 * len(pairs.weights) * int(vocabulary.counts.sum())
    limit = pairs_bytes // 5 if what == "windows" else pairs_bytes
    tracemalloc.start()
    try:
        found = sparse_counts.count(pairs, tmp_path, memory_limit=limit)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < limit
    assert len(blocks) > few + 4
    # Threads take them in any order.
    blocks.sort()
    assert [block.low for block in blocks] == [0, *(block.high for block in blocks[:-1])]
    assert blocks[-1].high == len(vocabulary)
    for part, expected in zip((found.data, found.indices, found.indptr), kept, strict=True):
        np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_count_the_same(text, tmp_path, monkeypatch, threads):
    pairs = cooccurrence.windows(*text, window=2)
    expected = sparse_counts.count(pairs, tmp_path, memory_limit=LARGE).toarray()
    monkeypatch.setattr(os, "cpu_count", lambda: threads)
    monkeypatch.setattr(sparse_counts, "_TEXT_SHARE", 100)
    found = sparse_counts.count(pairs, tmp_path, memory_limit=LARGE)
    np.testing.assert_array_equal(found.toarray(), expected)


def test_the_result_is_on_disk(text, tmp_path):
    pairs = cooccurrence.windows(*text, window=2)
    found = sparse_counts.count(pairs, tmp_path, memory_limit=LARGE)
    # A copy could be written to.
    assert not found.data.flags.writeable
    assert not found.indices.flags.writeable


def test_words_that_are_never_together(encoded, tmp_path):
    corpus = encoded([["a"], ["b"], ["a"]])
    pairs = cooccurrence.windows(corpus, corpus.vocabulary, window=1)
    found = sparse_counts.count(pairs, tmp_path, memory_limit=LARGE)
    assert (found.shape, found.nnz) == ((2, 2), 0)


def test_a_memory_limit_too_small_to_work_with(text, tmp_path):
    pairs = cooccurrence.windows(*text, window=5)
    message = r"memory_limit of 0\.1 MB is too small to count in: 3\.\d MB are needed for a row"
    with pytest.raises(InputError, match=message):
        sparse_counts.count(pairs, tmp_path, memory_limit=100_000)
    # A row of many columns is more than a stretch of text.
    with pytest.raises(InputError, match=r"64\.0 MB are needed for a row of 1,000,000 columns"):
        sparse_counts.check_memory(pairs._replace(columns=1_000_000), 4_000_000)


def test_bad_input(text):
    corpus, vocabulary = text
    with pytest.raises(InputError, match="must reach at least 1 word, found 0"):
        cooccurrence.windows(corpus, vocabulary, window=0)
    few = Vocabulary(vocabulary.words[:1], vocabulary.counts[:1])
    kept = int(few.counts.sum())
    cooccurrence.windows(corpus, few, window=kept - 1, weighting="flat")
    with pytest.raises(InputError, match=f"has {kept} words of the vocabulary, no more than a win"):
        cooccurrence.windows(corpus, few, window=kept, weighting="flat")
    with pytest.raises(InputError, match="no exact sums in a window of 41"):
        cooccurrence.windows(corpus, vocabulary, window=41)
    other = dataclasses.replace(vocabulary, counts=vocabulary.counts + 1)
    for pairs_of in (cooccurrence.documents, lambda *of: cooccurrence.windows(*of, window=2)):
        with pytest.raises(InputError, match="are not the corpus's most frequent ones"):
            pairs_of(corpus, other)


def test_sums_beyond_float64_are_refused(text, tmp_path):
    pairs = cooccurrence.windows(*text, window=2)
    pairs = pairs._replace(unit=1 << 50, weights=pairs.weights * 2.0**50)
    with pytest.raises(InputError, match="too large to be exact in float64 as a multiple of 1/1,1"):
        sparse_counts.count(pairs, tmp_path, memory_limit=LARGE)
