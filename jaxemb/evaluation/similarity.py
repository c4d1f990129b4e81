"""Agreement with people's ratings of how similar two words are."""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np

from jaxemb.data.word_sets import SimilaritySet


class SimilarityScore(NamedTuple):
    """How well cosines order a set's pairs of words."""

    name: str
    spearman: float  # in [-1, 1]; nan below two pairs, or if all cosines or ratings are equal
    pairs: int  # both words known
    missing: tuple[str, ...]  # words without a vector, in alphabetical order


def similarity(
    vectors: jax.Array, index: Mapping[str, int], word_set: SimilaritySet
) -> SimilarityScore:
    """Correlates the cosines of pairs of words with people's ratings, by rank.

    Args:
      vectors: [V, D] a row for each word; need not be normalized. A zero row's cosine to anything
        is 0.
      index: the row of each known word.
      word_set: rated pairs. One with an unknown word is left out.

    Returns:
      The score over the pairs that are known, their number and the unknown words.
    """
    missing = sorted({word for pair in word_set.pairs for word in pair if word not in index})
    known = [i for i, (a, b) in enumerate(word_set.pairs) if a in index and b in index]
    spearman = np.nan
    if len(known) >= 2:
        # A second, and only those with data need it.
        from scipy.stats import spearmanr
        from sklearn.preprocessing import normalize

        rows = np.array([[index[word] for word in word_set.pairs[i]] for i in known])
        first, second = (normalize(np.asarray(vectors[r], np.float64)) for r in rows.T)
        # Cosines that differ by float64's rounding alone are ties.
        cosines = np.round(np.sum(first * second, axis=1), 12)
        human = word_set.scores[known]
        # SciPy also returns nan for these, with a warning.
        if np.ptp(cosines) > 0 and np.ptp(human) > 0:
            spearman = spearmanr(cosines, human).statistic
    return SimilarityScore(word_set.name, float(spearman), len(known), tuple(missing))
