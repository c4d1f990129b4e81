"""LSA: word vectors by counting, weighing by PPMI and taking singular vectors.

Example:
    from jaxemb import data
    from jaxemb.methods import lsa

    sentences = [["the", "cat", "sat"], ["the", "dog", "sat"], ["a", "dog", "ran"]] * 30
    text = data.from_tokens(sentences, min_count=1)
    fitted = lsa.fit(0, text, lsa.Options(dim=3, counts="documents"))
    print(fitted.vectors.words, fitted.singular_values)
    print(lsa.transform(fitted, [["the", "dog", "ran"]]))

Deerwester et al. 1990, "Indexing by Latent Semantic Analysis"; Levy, Goldberg & Dagan 2015,
"Improving Distributional Similarity with Lessons Learned from Word Embeddings".
"""

import dataclasses
import logging
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from jaxemb import checks
from jaxemb.data import Text, cooccurrence, sparse_counts
from jaxemb.data.cooccurrence import Side, Weighting
from jaxemb.data.pairs import Pairs
from jaxemb.data.text import check_text
from jaxemb.errors import InputError
from jaxemb.factorize.ppmi import Margins, margins, ppmi
from jaxemb.factorize.svd import svd
from jaxemb.fields import documented
from jaxemb.io import WordVectors
from jaxemb.training.run import Run
from jaxemb.training.state import History

_logger = logging.getLogger("jaxemb")


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """Options of LSA."""

    dim: int = 100
    """Width of the vectors."""
    counts: Literal["words", "documents"] = "words"
    """What is counted of a word: the words near it, or the documents that it is in."""
    window: int = 8
    """Neighbors that count, at most, to each side; words outside the vocabulary are dropped
    first."""
    weighting: Weighting = "harmonic"
    """A neighbor at distance d counts 1/d, or 1 (flat)."""
    side: Side = "both"
    """Which neighbors count."""
    shift: float = 1.0
    """How many times as often as by chance a pair must occur; as word2vec's noise words."""
    smoothing: float = 0.75
    """Contexts are expected in proportion to this power of their counts."""
    eigenvalue_power: float = 0.0
    """Singular vectors are scaled by this power of their singular values: 1 for classical LSA."""
    space: int | None = None
    """Width of the space in which the singular vectors are sought, at least dim. None takes five
    times dim, and eight blocks at least."""
    block: int = 32
    """Columns by which that space grows."""
    memory_limit: int = 1000
    """Megabytes that counting may take; changes speed alone."""

    def __post_init__(self):
        """Refuses values that no vectors can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=2, at_most=1 << 20)
        checks.check_field(self, "window", at_least=1, at_most=100)
        checks.check_field(self, "shift", above=0, at_most=1_000_000)
        checks.check_field(self, "smoothing", at_least=0, at_most=1)
        checks.check_field(self, "eigenvalue_power", at_least=0, at_most=10)
        if self.space is not None:
            checks.check_field(self, "space", at_least=self.dim)
        checks.check_field(self, "block", at_least=1, at_most=1 << 16)
        checks.check_field(self, "memory_limit", at_least=1)


class Fitted(NamedTuple):
    """What counting and factorizing give.

    Attributes:
      vectors: of the words: left singular vectors, scaled; 0 for words that no context is left of.
      singular_values: [dim] descending.
      params: {"contexts": [C, dim] right singular vectors of the words or documents that were
        counted, scaled alike; "word_totals": [V] counts of each word with any context; "total": []
        sum of the contexts' smoothed counts}: the last two tell what new documents have by chance.
      pairs: different pairs of a word and a context that occur.
      positive_pairs: those that occur more often than by chance.
      options: of the fit.
      history: its seconds, without counting.
    """

    vectors: WordVectors
    singular_values: np.ndarray
    params: dict[str, np.ndarray]
    pairs: int
    positive_pairs: int
    options: Options
    history: History = History()


def check(text: Text, options: Options | None = None) -> None:
    """Refuses text that allows fewer dimensions than asked for, and too small a memory.

    Raises:
      InputError: naming the field.
    """
    options = checks.as_options(options, Options)
    pairs = _pairs(text, options)
    _check_rank(options, len(text.vocabulary), pairs.columns)
    sparse_counts.check_memory(pairs, options.memory_limit * 1_000_000)


def count(
    text: Text,
    options: Options | None = None,
    *,
    folder: Path | None = None,
    progress: bool = False,
) -> csr_array:
    """Counts words with their contexts, for one fit or several.

    Args:
      text: the text.
      options: counts, window, weighting, side and memory_limit matter.
      folder: existing one that gets the counts' files; they must stay as long as the counts are
        used. None takes one among the system's temporary files, removed with the counts.
      progress: whether to show a bar on standard error.

    Returns:
      [V, C] float64, on disk; C is V, or the number of documents.

    Raises:
      InputError: if the text is shorter than a window, or memory_limit too small.
      OSError: if the files cannot be written.
    """
    options = checks.as_options(options, Options)
    pairs = _pairs(text, options)
    limit = options.memory_limit * 1_000_000
    return sparse_counts.count(pairs, folder, memory_limit=limit, progress=progress)


def fit(
    key: Any,
    text: Text,
    options: Options | None = None,
    *,
    run: Run | None = None,
    counts: csr_array | None = None,
) -> Fitted:
    """Counts, weighs and factorizes.

    Args:
      key: random key, or a seed: the singular vectors are sought from random directions.
      text: the text.
      options: the defaults if None.
      run: its progress says whether to show a bar; there is nothing to save on the way.
      counts: [V, C] from `count` or one's own; None counts the text.

    Returns:
      Vectors and singular values.

    Raises:
      InputError: if the text or the counts allow fewer dimensions than asked for, no pair occurs
        more often than by chance, or the memory is too little.
      OSError: if the counts' files cannot be written.
    """
    options, key = checks.as_options(options, Options), checks.as_key(key)
    check_text(text)
    if counts is None:
        shown = None if run is None else run.progress
        check(text, options)
        counts = count(text, options, progress=sys.stderr.isatty() if shown is None else shown)
    words = text.vocabulary.words
    if counts.shape[0] != len(words):
        raise InputError(
            f"counts must have a row for each of {len(words):,} words, found {counts.shape[0]:,}"
        )
    _check_rank(options, *counts.shape)
    began = time.perf_counter()
    sums = margins(counts, smoothing=options.smoothing)
    matrix = ppmi(counts, shift=options.shift, smoothing=options.smoothing, sums=sums)
    if not matrix.nnz:
        raise InputError(
            f"shift of {options.shift:g} is too large: no pair occurs more than so many times as "
            "often as by chance"
        )
    found = svd(key, matrix, rank=options.dim, width=options.space, block=options.block)
    values = np.asarray(found.values)
    # A matrix of lower rank has no direction where a value is 0, and nothing in an empty row.
    scale = np.where(values > 0, values, 1) ** options.eigenvalue_power * (values > 0)
    vectors = np.asarray(found.left) * scale.astype(np.float32)
    vectors = np.where(np.diff(matrix.indptr)[:, None] > 0, vectors, np.float32(0))
    params = {
        "contexts": np.asarray(found.right) * scale.astype(np.float32),
        "word_totals": sums.words,
        "total": np.asarray(sums.total),
    }
    return Fitted(
        WordVectors(words, vectors),
        values,
        params,
        int(counts.nnz),
        int(matrix.nnz),
        options,
        History(seconds=time.perf_counter() - began, stopped_because="done"),
    )


def transform(fitted: Fitted, documents: Iterable[Iterable[str]]) -> np.ndarray:
    """Folds new documents in: places them among those that were counted.

    Words that have no vector are passed over, and their number is logged.

    Args:
      fitted: of counts="documents".
      documents: D lists of words.

    Returns:
      [D, dim] float32, 0 for a document without known words. A document of the text gets the row
      that it has in `params["contexts"]`, as nearly as its singular vectors were found.

    Raises:
      InputError: if words were counted with words, or a document is a string.

    Reference:
      Berry, Dumais & O'Brien 1995, "Using Linear Algebra for Intelligent Information Retrieval",
      section 2.3.
    """
    if fitted.options.counts != "documents":
        raise InputError('transform needs vectors that were fitted with counts="documents"')
    ids = {word: row for row, word in enumerate(fitted.vectors.words)}
    rows: list[int] = []
    columns: list[int] = []
    size = unknown = 0
    for document in documents:
        if isinstance(document, (str, bytes)):
            raise InputError(f"document {size} is a string, not a list of words: {document[:40]!r}")
        words = list(document)
        known = [ids[word] for word in words if word in ids]
        unknown += len(words) - len(known)
        rows += known
        columns += [size] * len(known)
        size += 1
    if unknown:
        _logger.info(f"{unknown:,} of {unknown + len(rows):,} words have no vector")
    places = np.asarray(rows, np.int32), np.asarray(columns, np.int32)
    counts = csr_array((np.ones(len(rows)), places), shape=(len(ids), size))
    sums = Margins(
        fitted.params["word_totals"],
        counts.sum(axis=0, dtype=np.float64),
        float(fitted.params["total"]),
    )
    options = fitted.options
    matrix = ppmi(counts, shift=options.shift, smoothing=options.smoothing, sums=sums)
    values = fitted.singular_values
    inverse = np.where(values > 0, 1 / np.where(values > 0, values, 1), 0).astype(np.float32)
    return (matrix.T @ fitted.vectors.vectors) * inverse


def _pairs(text: Text, options: Options) -> Pairs:
    check_text(text)
    if options.counts == "documents":
        return cooccurrence.documents(text.corpus, text.vocabulary)
    return cooccurrence.windows(
        text.corpus,
        text.vocabulary,
        window=options.window,
        weighting=options.weighting,
        side=options.side,
    )


def _check_rank(options: Options, words: int, columns: int) -> None:
    rank = min(words, columns)
    if options.dim > rank:
        what = "words" if rank == words else "documents"
        raise InputError(
            f"dim must be at most {rank:,}, the number of {what}, found {options.dim:,}"
        )
