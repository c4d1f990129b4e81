"""Agreement of clusters of words with categories made by people."""

import warnings
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np

from jaxemb.data.word_sets import CategorySet


class CategoryScore(NamedTuple):
    """How pure the clusters of a set's words are."""

    name: str
    purity: float  # in (0, 1]; nan if no word is known
    words: int  # known, hence clustered
    missing: tuple[str, ...]  # words without a vector, in alphabetical order


def categorization(
    vectors: jax.Array, index: Mapping[str, int], word_set: CategorySet
) -> CategoryScore:
    """Clusters words by k-means, as many clusters as categories, and measures their purity.

    Rows are scaled to norm 1 first, since lengths reflect frequency more than meaning. k-means
    starts from a fixed seed.

    Args:
      vectors: [V, D] a row for each word; need not be normalized. A zero row stays zero.
      index: the row of each known word.
      word_set: words to cluster. Unknown ones are left out.

    Returns:
      The share of known words whose cluster's commonest category is theirs, their number and the
      unknown words.
    """
    pairs = list(zip(word_set.words, word_set.categories, strict=True))
    missing = sorted({word for word in word_set.words if word not in index})
    rows = np.array([index[word] for word, _ in pairs if word in index], int)
    categories = [category for word, category in pairs if word in index]
    purity = np.nan
    if categories:
        # A second, and only those with data need it.
        from sklearn.cluster import KMeans
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.preprocessing import normalize

        points = normalize(np.asarray(vectors[rows], np.float64))
        with warnings.catch_warnings():
            # With fewer distinct points than categories some clusters stay empty, which is fine.
            warnings.simplefilter("ignore", ConvergenceWarning)
            means = KMeans(len(set(categories)), n_init=10, random_state=0)
            clusters = means.fit_predict(points).tolist()
        largest: Counter[int] = Counter()
        for (cluster, _), count in Counter(zip(clusters, categories, strict=True)).items():
            largest[cluster] = max(largest[cluster], count)
        purity = largest.total() / len(categories)
    return CategoryScore(word_set.name, purity, len(categories), tuple(missing))
