import itertools

import jax
import numpy as np
import pytest
from scipy.sparse import csr_array, random_array
from scipy.sparse.linalg import svds

from jaxemb.errors import InputError
from jaxemb.factorize.svd import svd


@pytest.fixture(scope="module")
def matrix():
    """Sparse, with singular values that fall as slowly as those of words."""
    rng = np.random.default_rng(5)
    drawn = random_array((900, 700), density=0.1, rng=rng).tocsr()
    drawn.data *= rng.exponential(size=drawn.nnz)
    frequency = 1 / np.arange(1, 901) ** 0.7
    drawn = drawn * frequency[:, None] * np.sqrt(frequency[:700])
    return csr_array(drawn, dtype=np.float32)


@pytest.fixture(scope="module")
def small(matrix):
    """A corner of it, where only equal bits are asked for."""
    return csr_array(matrix[:150, :120])


def check(found, matrix, expected, rtol):
    dense = matrix.toarray().astype(np.float64)
    rank = len(expected)
    left, values, right = (np.asarray(part, np.float64) for part in found)
    assert (left.shape, right.shape) == ((len(dense), rank), (dense.shape[1], rank))
    np.testing.assert_allclose(values, expected, rtol=rtol)
    assert (np.diff(values) <= 0).all()
    for side in (left, right):
        np.testing.assert_allclose(side.T @ side, np.eye(rank), atol=5e-6)
    # Both sides belong together.
    np.testing.assert_allclose(dense.T @ left, right * values, atol=1e-5 * values[0])
    largest = np.abs(left).argmax(axis=0)
    assert (left[largest, np.arange(rank)] > 0).all()


@pytest.mark.parametrize("tall", [True, False])
def test_agrees_with_scipy(matrix, tall):
    matrix = matrix if tall else csr_array(matrix.T)
    expected = svds(matrix.astype(np.float64), k=20, random_state=0)[1][::-1]
    found = svd(jax.random.key(0), matrix, rank=20)
    check(found, matrix, expected, 1e-3)
    # They are those of the matrix within a space, so no larger.
    assert (np.asarray(found.values) < expected * (1 + 1e-5)).all()


def test_a_wider_space_is_closer(matrix):
    expected = np.linalg.svd(matrix.toarray(), compute_uv=False)[:20]
    errors = []
    for width in (32, 96, None, 700):
        values = svd(jax.random.key(0), matrix, rank=20, width=width).values
        errors.append(np.abs(values / expected - 1).max())
    assert errors[0] > 3 * errors[1] > 10 * errors[2]
    # The whole side: exact up to rounding.
    assert errors[3] < 1e-5


@pytest.mark.parametrize("shape", [(40, 7), (7, 40), (6, 6)])
def test_all_of_a_small_matrix(shape):
    matrix = csr_array(np.random.default_rng(3).normal(size=shape).astype(np.float32))
    expected = np.linalg.svd(matrix.toarray().astype(np.float64), compute_uv=False)
    found = svd(jax.random.key(0), matrix, rank=min(shape))
    check(found, matrix, expected, 1e-5)


def test_any_scale(small):
    found = svd(jax.random.key(0), small, rank=5, width=64)
    large = svd(jax.random.key(0), small * np.float32(2.0**100), rank=5, width=64)
    np.testing.assert_array_equal(large.left, found.left)
    np.testing.assert_array_equal(large.values, np.asarray(found.values) * 2.0**100)


def test_directions_that_are_not_there_have_a_value_of_0():
    rng = np.random.default_rng(4)
    low = rng.normal(size=(400, 3)) @ rng.normal(size=(3, 380))
    low[5], low[:, 9] = 0, 0
    matrix = csr_array(low.astype(np.float32))
    found = svd(jax.random.key(0), matrix, rank=6)
    expected = np.append(np.linalg.svd(low, compute_uv=False)[:3], [0, 0, 0])
    check(found, matrix, expected, 1e-5)
    np.testing.assert_allclose(found.left[5, :3], 0, atol=1e-6)
    nothing = svd(jax.random.key(0), csr_array((9, 8), dtype=np.float32), rank=2)
    assert (np.asarray(nothing.values) == 0).all()
    assert np.isfinite(nothing.left).all()


def test_the_order_of_a_row_does_not_matter(small):
    mixed = small.copy()
    for low, high in itertools.pairwise(mixed.indptr):
        mixed.indices[low:high] = mixed.indices[low:high][::-1]
        mixed.data[low:high] = mixed.data[low:high][::-1]
    mixed.has_sorted_indices = False
    before = mixed.indices.copy()
    found = svd(jax.random.key(0), mixed, rank=5, width=64)
    expected = svd(jax.random.key(0), small, rank=5, width=64)
    np.testing.assert_array_equal(found.left, expected.left)
    np.testing.assert_array_equal(mixed.indices, before)


def test_depends_on_nothing_but_its_key(small):
    runs = [svd(jax.random.key(key), small, rank=5, width=64).left for key in (0, 0, 1)]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (np.asarray(runs[0]) != np.asarray(runs[2])).any()


def test_bad_input(matrix):
    key = jax.random.key(0)
    for rank in (0, 701):
        with pytest.raises(InputError, match=f"a rank must be from 1 to 700, .* found {rank}"):
            svd(key, matrix, rank=rank)
    with pytest.raises(InputError, match="the width must be at least the rank, 9, found 8"):
        svd(key, matrix, rank=9, width=8)
    with pytest.raises(InputError, match="must be of float32, found float64"):
        svd(key, matrix.astype(np.float64), rank=2)
    broken = matrix.copy()
    broken.data[[3, 30]] = np.nan, np.inf
    with pytest.raises(InputError, match="the matrix has 2 entries that are not finite"):
        svd(key, broken, rank=2)
