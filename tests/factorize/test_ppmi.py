import numpy as np
import pytest
from scipy.sparse import csr_array

from jaxemb.errors import InputError
from jaxemb.factorize.ppmi import ppmi

R, C = 23, 17


@pytest.fixture
def counts():
    """Counts of which a third are there, and neither the fifth row nor the third column."""
    rng = np.random.default_rng(2)
    table = rng.geometric(0.2, (R, C)) * rng.exponential(3, (R, C)) * (rng.random((R, C)) < 0.3)
    table[4], table[:, 2] = 0, 0
    return table


def by_loops(counts, shift, smoothing):
    """Levy, Goldberg & Dagan 2015: PMI(w, c) = log(P(w, c) / (P(w) P_a(c))), less log k."""
    total = counts.sum()
    powers = sum(counts[:, c].sum() ** smoothing for c in range(C) if counts[:, c].sum() > 0)
    found = np.zeros((R, C))
    for w in range(R):
        for c in range(C):
            if counts[w, c] > 0:
                joint = counts[w, c] / total
                chance = counts[w].sum() / total * counts[:, c].sum() ** smoothing / powers
                found[w, c] = max(np.log(joint / chance) - np.log(shift), 0)
    return found


@pytest.mark.parametrize("shift", [1.0, 3.0, 0.5])
@pytest.mark.parametrize("smoothing", [1.0, 0.75, 0.0])
@pytest.mark.parametrize("block", [7, 1 << 22])
def test_agrees_with_loops(counts, shift, smoothing, block):
    found = ppmi(csr_array(counts), shift=shift, smoothing=smoothing, block=block)
    expected = by_loops(counts, shift, smoothing)
    assert found.dtype == np.float32
    assert found.nnz == np.count_nonzero(expected)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-6)


def test_explicit_zeros_are_no_pairs(counts):
    kept = csr_array(counts)
    every = csr_array(np.ones((R, C)))
    every.data = counts.ravel()
    assert (ppmi(every) != ppmi(kept)).nnz == 0


def test_independent_words_have_no_information():
    counts = np.outer([1.0, 2, 4], [8.0, 2, 1, 16])
    assert ppmi(csr_array(counts), smoothing=1.0, shift=1.0001).nnz == 0


def test_no_counts():
    assert ppmi(csr_array((3, 4))).nnz == 0


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_bad_counts_are_named(counts, bad):
    table = csr_array(counts)
    table.data[40:42] = bad
    row = int(np.searchsorted(table.indptr, 40, "right")) - 1
    message = rf"counts: entry \({row}, {table.indices[40]}\) is {bad}, .*; 2 such entries"
    with pytest.raises(InputError, match=message):
        ppmi(table)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shift": 0.0}, "shift must be more than 0 and finite, found 0.0"),
        ({"shift": np.nan}, "shift must be"),
        ({"smoothing": 1.1}, "smoothing must be from 0 to 1, found 1.1"),
        ({"smoothing": np.nan}, "smoothing must be"),
    ],
)
def test_bad_options(counts, options, message):
    with pytest.raises(InputError, match=message):
        ppmi(csr_array(counts), **options)
