"""Positive pointwise mutual information of words and contexts, from their counts."""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from jaxemb.data.sparse_counts import check_counts
from jaxemb.errors import InputError

# Entries in a block: the counts may be larger than memory.
_BLOCK = 1 << 22


class Margins(NamedTuple):
    """Sums of a matrix of counts, from which PPMI computes chance.

    Attributes:
      words: [R] float64 sums of the rows.
      contexts: [C] float64 sums of the columns.
      total: sum of the contexts' counts to the power `smoothing`.
    """

    words: np.ndarray
    contexts: np.ndarray
    total: float


def margins(counts: csr_array, *, smoothing: float = 0.75) -> Margins:
    """Sums rows and columns.

    Args:
      counts: [R, C] of words with contexts, not negative.
      smoothing: in [0, 1].

    Raises:
      InputError: if `smoothing` is out of range.
    """
    # NaN fails these comparisons.
    if not 0 <= smoothing <= 1:
        raise InputError(f"smoothing must be from 0 to 1, found {smoothing}")
    words, contexts = (counts.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    smoothed = np.log(contexts[contexts > 0]) * smoothing
    return Margins(words, contexts, float(np.exp(smoothed).sum()))


def ppmi(
    counts: csr_array,
    *,
    shift: float = 1.0,
    smoothing: float = 0.75,
    sums: Margins | None = None,
    block: int = _BLOCK,
) -> csr_array:
    """Computes PPMI: the log of how much more often a pair occurs than by chance, if positive.

    max(log(P(w, c) / (P(w) P_a(c))) - log k, 0), where P_a(c) is in proportion to the context's
    count to the power a. NumPy rather than JAX: how many entries are left depends on the values.

    Args:
      counts: [R, C] of words with contexts, not negative; read in blocks.
      shift: k; larger leaves more pairs out. It corresponds to word2vec's number of noise words.
      smoothing: a in [0, 1]; below 1 rare contexts get smaller values.
      sums: from `margins`; None sums the counts. New contexts of the same words have sums of their
        own beside the words' and the total of the counts before.
      block: entries in memory at a time, if a row has no more; changes speed alone.

    Returns:
      [R, C] float32 in nats, positive entries only.

    Raises:
      InputError: if a count is negative or not finite, or `shift` or `smoothing` is out of range.

    Reference:
      Levy, Goldberg & Dagan 2015, "Improving Distributional Similarity with Lessons Learned from
      Word Embeddings", sections 2.1 and 3.2.
    """
    # NaN fails these comparisons.
    if not 0 < shift < np.inf:
        raise InputError(f"shift must be more than 0 and finite, found {shift}")
    check_counts(counts)
    words, contexts, total = margins(counts, smoothing=smoothing) if sums is None else sums
    # Words without counts have no entries: any finite logarithm will do.
    log_words, log_contexts = (np.log(np.where(n > 0, n, 1)) for n in (words, contexts))
    log_contexts *= smoothing
    constant = np.log(total if total > 0 else 1) - np.log(shift)
    lengths = [np.zeros(1, np.int64)]
    columns, values = [], []
    low = 0
    while low < counts.shape[0]:
        high = max(
            low + 1, int(np.searchsorted(counts.indptr, counts.indptr[low] + block, "right")) - 1
        )
        inside = slice(counts.indptr[low], counts.indptr[high])
        row_ends = counts.indptr[low : high + 1] - counts.indptr[low]
        found = np.log(np.where(counts.data[inside] > 0, counts.data[inside], 1)) + constant
        found -= np.repeat(log_words[low:high], np.diff(row_ends))
        found -= log_contexts[counts.indices[inside]]
        found = found.astype(np.float32)
        kept = (found > 0) & (counts.data[inside] > 0)
        lengths.append(np.diff(np.append(0, kept.cumsum())[row_ends]))
        columns.append(counts.indices[inside][kept])
        values.append(found[kept])
        low = high
    return csr_array(
        (np.concatenate(values), np.concatenate(columns), np.concatenate(lengths).cumsum()),
        shape=counts.shape,
    )
