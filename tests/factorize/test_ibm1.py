import collections

import numpy as np
import pytest
from scipy.sparse import csr_array

from jaxemb.errors import InputError
from jaxemb.factorize.ibm1 import ibm1

WORDS = 5, 7


def sentences(seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, size=(30, 2))
    return tuple(
        [rng.integers(0, words, size=size) for size in column]
        for column, words in zip(sizes.T, WORDS, strict=True)
    )


def by_the_paper(first, second, iterations):
    """Equations 15 to 17 of Brown et al., in plain loops; None is the empty word."""
    t = collections.defaultdict(lambda: 1.0)
    for _ in range(iterations):
        counts, totals = collections.defaultdict(float), collections.defaultdict(float)
        for e, f in zip(first, second, strict=True):
            for target in f:
                whole = sum(t[source, target] for source in [*e, None])
                for source in [*e, None]:
                    counts[source, target] += t[source, target] / whole
                    totals[source] += t[source, target] / whole
        t = {pair: count / totals[pair[0]] for pair, count in counts.items()}
        t = collections.defaultdict(float, t)
    return t, counts


@pytest.mark.parametrize("iterations", [1, 4])
def test_it_is_the_papers_formula(iterations):
    first, second = sentences()
    found = ibm1(first, second, words=WORDS, iterations=iterations)
    probabilities, counts = by_the_paper(first, second, iterations)
    for table, right in zip(found, (probabilities, counts), strict=True):
        assert table.shape == WORDS
        wanted = [[right[row, column] for column in range(7)] for row in range(5)]
        np.testing.assert_allclose(table.toarray(), wanted, rtol=1e-12, atol=0)


def test_translations_are_found():
    rng = np.random.default_rng(1)
    order = rng.permutation(40)
    first = [rng.choice(40, size=6, replace=False) for _ in range(400)]
    second = [rng.permutation(order[sentence]) for sentence in first]
    found = ibm1(first, second, words=(40, 40), iterations=10)
    assert (found.probabilities.toarray().argmax(axis=1) == order).all()
    assert found.counts.toarray()[np.arange(40), order].sum() > 0.9 * 400 * 6


def test_words_of_no_sentence_have_no_translation():
    empty = np.zeros(0, np.int64)
    found = ibm1([np.array([0]), empty], [np.array([1]), empty], words=(2, 3), iterations=2)
    assert isinstance(found.probabilities, csr_array)
    assert found.probabilities.toarray()[0] == pytest.approx([0, 1, 0])
    assert not found.probabilities.toarray()[1].any()
    # Of the two, one chance in two was that it translates none.
    assert found.counts.sum() == pytest.approx(0.5)


def test_a_translation_is_missing():
    with pytest.raises(InputError, match="as many sentences are needed as translations"):
        ibm1([np.array([0])], [], words=(1, 1), iterations=1)
