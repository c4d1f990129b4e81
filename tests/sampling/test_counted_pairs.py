import jax
import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from jaxemb.errors import InputError
from jaxemb.sampling.counted_pairs import PairBatch, PairStream

V = 40
KEY = jax.random.key(4)


def symmetric(seed=0, size=V):
    upper = random_array((size, size), density=0.3, rng=np.random.default_rng(seed))
    counts = csr_array(upper + upper.T)
    counts.sort_indices()
    return counts


def stream(counts=None, key=KEY, epochs=2, pieces=6, length=4):
    counts = symmetric() if counts is None else counts
    return PairStream(key, counts, epochs=epochs, pieces=pieces, length=length)


def dense(batch: PairBatch, size=V):
    """What a matrix must have held for these pieces, and how often each entry was taken."""
    found, taken = np.zeros((size, size)), np.zeros((size, size), int)
    for row, columns, counts in zip(
        batch.rows.reshape(-1),
        batch.columns.reshape(-1, batch.columns.shape[-1]),
        batch.counts.reshape(-1, batch.columns.shape[-1]),
        strict=True,
    ):
        for column, count in zip(columns, counts, strict=True):
            if count:
                found[row, column] += count
                taken[row, column] += 1
    return found, taken


@pytest.mark.parametrize(("pieces", "length"), [(6, 4), (7, 1), (3, 64), (512, 4)])
def test_an_epoch_has_every_pair_once(pieces, length):
    counts = symmetric()
    batches = stream(counts, pieces=pieces, length=length)
    steps = int(batches.epoch_steps[0])
    for epoch in range(2):
        batch = batches.batches(epoch * steps, (epoch + 1) * steps)
        assert batch.columns.shape == batch.counts.shape == (steps, pieces, length)
        assert batch.counts.dtype == np.float32
        found, taken = dense(batch)
        np.testing.assert_allclose(found, counts.toarray(), rtol=1e-6)
        np.testing.assert_array_equal(taken, counts.toarray() > 0)


def test_a_rows_pieces_are_as_mixed_as_the_row():
    counts = csr_array(np.ones((9, 9)))
    batch = stream(counts, pieces=27, length=4).batches(0, 1)
    columns = [
        tuple(c[n > 0]) for r, c, n in zip(*(part[0] for part in batch), strict=True) if r == 5
    ]
    assert sorted(columns) == [(0, 3, 6), (1, 4, 7), (2, 5, 8)]


def test_batches_are_a_function_of_key_and_step():
    batches = stream(epochs=3)
    total = int(batches.epoch_steps.sum())
    whole = batches.batches(0, total)
    for start, stop in (
        (total - 2, total),
        (0, 1),
        (4, 17),
        (int(batches.epoch_steps[0]) - 1, total),
    ):
        for part, all_of_it in zip(stream(epochs=3).batches(start, stop), whole, strict=True):
            np.testing.assert_array_equal(part, all_of_it[start:stop])
    first, second = (
        dense(batches.batches(at, at + 1))[1] for at in (0, int(batches.epoch_steps[0]))
    )
    assert (first != second).any()
    other = stream(key=jax.random.key(5)).batches(0, 1)
    assert (other.rows != whole.rows[:1]).any()


def test_pieces_come_in_every_order_alike():
    """Over keys, each piece is as often in the first step as any other."""
    counts = csr_array(np.ones((6, 6)))
    draws = 600
    rows = np.concatenate(
        [
            stream(counts, jax.random.key(k), epochs=1, pieces=2, length=6).batches(0, 1).rows[0]
            for k in range(draws)
        ]
    )
    found = np.bincount(rows, minlength=6)
    expected = 2 * draws / 6
    # Chi-squared with 5 degrees of freedom: beyond 20.5 once in a thousand.
    assert ((found - expected) ** 2 / expected).sum() < 20.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m[:, :-1], r"must be square, found \(40, 39\)"),
        (lambda m: m * 0, "no pair was counted"),
        (lambda m: -m, "must be finite and at least 0"),
        (lambda m: m * np.nan, "must be finite and at least 0"),
        (lambda m: m * np.inf, "must be finite and at least 0"),
        (lambda m: csr_array(np.triu(m.toarray())), "row 0 adds up to .* and column 0 to"),
    ],
)
def test_matrices_that_cannot_be_used(change, message):
    counts = csr_array(change(symmetric()))
    counts.eliminate_zeros()
    with pytest.raises(InputError, match=message):
        stream(counts)
