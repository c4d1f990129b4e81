import jax
import numpy as np
import pytest

from jaxemb.sampling.minibatches import minibatches


def test_an_epoch_has_every_row_once_and_its_own_order():
    batches = minibatches(jax.random.key(0), rows=12, size=3)
    epochs = batches(0, 12).reshape(3, 12)
    for epoch in epochs:
        assert sorted(epoch.tolist()) == list(range(12))
    assert len({tuple(epoch.tolist()) for epoch in epochs}) == 3


def test_any_stretch_is_part_of_the_whole():
    key = jax.random.key(1)
    whole = minibatches(key, rows=11, size=3)(0, 20)
    assert whole.dtype == np.int32
    again = minibatches(key, rows=11, size=3)
    for start, stop in ((7, 20), (0, 1), (2, 9), (19, 20)):
        np.testing.assert_array_equal(again(start, stop), whole[start:stop])
    assert np.any(minibatches(jax.random.key(2), rows=11, size=3)(0, 20) != whole)


def test_what_fills_no_batch_is_another_row_each_time():
    batches = minibatches(jax.random.key(0), rows=11, size=3)(0, 3 * 300)
    counts = np.bincount(batches.ravel(), minlength=11)
    # 9 of 11 rows an epoch: 245 of 300, with a standard deviation of 6.7.
    assert (np.abs(counts - 300 * 9 / 11) < 30).all()


def test_batches_larger_than_the_data_are_refused():
    with pytest.raises(AssertionError, match="batches of 5 of 4 rows"):
        minibatches(jax.random.key(0), rows=4, size=5)
