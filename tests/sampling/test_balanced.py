import jax
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.sampling.balanced import BalancedBatches

SIZES = (7, 2, 9, 3, 12, 5, 4)
KEY = jax.random.key(3)


def labels():
    """Classes of unequal size, with numbers that leave gaps, in no order."""
    return np.random.default_rng(0).permutation(np.repeat(np.arange(len(SIZES)) * 3 + 1, SIZES))


def test_each_batch_has_p_identities_with_k_samples():
    rows = BalancedBatches(KEY, labels(), identities=3, samples=4).batches(0, 50)
    assert rows.shape == (50, 12)
    assert rows.dtype == np.int32
    found = labels()[rows].reshape(50, 3, 4)
    assert (found == found[:, :, :1]).all()
    for batch in found[:, :, 0]:
        assert len(set(batch)) == 3


def test_an_epoch_takes_no_identity_twice_and_all_come_up_equally():
    batches = BalancedBatches(KEY, labels(), identities=3, samples=2)
    assert batches.epoch_steps == 2
    taken = labels()[batches.batches(0, 1400)].reshape(700, 2 * 3, 2)[:, :, 0]
    for epoch in taken:
        assert len(set(epoch)) == 6
    # One identity in seven sits out: 600 of 700 epochs, give or take three standard deviations.
    counts = np.unique(taken, return_counts=True)[1]
    assert (np.abs(counts - 600) < 3 * np.sqrt(700 * 6 / 49)).all()


def test_samples_are_different_and_even():
    rows = BalancedBatches(KEY, labels(), identities=7, samples=4).batches(0, 900)
    for group, size in enumerate(SIZES):
        members = np.flatnonzero(labels() == group * 3 + 1)
        drawn = rows.reshape(900, 7, 4)[np.isin(rows.reshape(900, 7, 4)[:, :, 0], members)]
        assert drawn.shape == (900, 4)
        distinct = [len(set(four)) for four in drawn]
        assert distinct == [min(4, size)] * 900
        counts = np.unique(drawn, return_counts=True)[1]
        assert len(counts) == size
        mean = 3600 / size
        assert (np.abs(counts - mean) <= 4 * np.sqrt(mean)).all()


def test_a_small_class_gives_all_samples_as_often_as_it_can():
    rows = BalancedBatches(KEY, labels(), identities=7, samples=8).batches(0, 20)
    for group, size in enumerate(SIZES):
        members = np.flatnonzero(labels() == group * 3 + 1)
        for batch in rows:
            counts = np.unique(batch[np.isin(batch, members)], return_counts=True)[1]
            if size < 8:
                assert len(counts) == size
            assert counts.max() - counts.min() <= 1


def test_a_batch_is_a_function_of_the_key_and_the_step():
    def draw(key, start, stop):
        return BalancedBatches(key, labels(), identities=3, samples=2).batches(start, stop)

    whole = draw(KEY, 0, 20)
    np.testing.assert_array_equal(whole[5:9], draw(KEY, 5, 9))
    assert draw(KEY, 4, 4).shape == (0, 6)
    assert (draw(jax.random.key(4), 0, 20) != whole).any()
    assert len(np.unique(whole, axis=0)) == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"identities": 1}, "identities a batch must be at least 2, found 1: .* no negatives"),
        ({"samples": 1}, "samples a batch must be at least 2, found 1: .* no positives"),
        ({"identities": 8}, "a batch of 8 identities needs as many, found 7 in 42 rows"),
        (
            {"labels": np.array([4, 4, 9, 7, 7, 2])},
            "2 of 4 classes have one sample, the first is class 2: .* gallery",
        ),
        ({"labels": np.array([0.0, 1.0])}, "labels must be integers, found float64; np.unique"),
        ({"labels": np.zeros((4, 2), int)}, r"one for each of 8 rows, found \[4, 2\]"),
    ],
)
def test_wrong_input(change, message):
    arguments = {"labels": labels(), "identities": 3, "samples": 2} | change
    with pytest.raises(InputError, match=message):
        BalancedBatches(KEY, **arguments)
