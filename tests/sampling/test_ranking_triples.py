import jax
import numpy as np

from jaxemb import data
from jaxemb.sampling.ranking_triples import TripleStream

RNG = np.random.default_rng(3)
EVENTS = data.from_events(RNG.integers(9, size=200), RNG.integers(30, size=200))


def test_each_event_once_an_epoch_against_items_that_the_user_has_not():
    stream = TripleStream(jax.random.key(1), EVENTS, size=8)
    assert stream.epoch_steps == 25
    users, items, others, where = (one.reshape(2, -1) for one in stream.batches(0, 50))
    own = set(zip(EVENTS.users.tolist(), EVENTS.items.tolist(), strict=True))
    for epoch in range(2):
        pairs = sorted(zip(users[epoch].tolist(), items[epoch].tolist(), strict=True))
        assert pairs == sorted(zip(EVENTS.users.tolist(), EVENTS.items.tolist(), strict=True))
        assert where.all()
        assert not own & set(zip(users[epoch].tolist(), others[epoch].tolist(), strict=True))
    assert (users[0] != users[1]).any()


def test_a_batch_does_not_depend_on_earlier_calls():
    one, other = (TripleStream(jax.random.key(1), EVENTS, size=8) for _ in range(2))
    one.batches(0, 30)
    for left, right in zip(one.batches(40, 44), other.batches(40, 44), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_user_of_all_items_has_nothing_to_rank():
    events = data.from_events([1, 1, 1, 2], ["a", "b", "c", "a"])
    found = TripleStream(jax.random.key(0), events, size=4).batches(0, 3)
    np.testing.assert_array_equal(found.where, found.users == 1)
