import math

import numpy as np
import pytest

from jaxemb import data
from jaxemb.errors import InputError
from jaxemb.evaluation import recommendation
from jaxemb.evaluation.recommendation import bootstrap, gains, hits, hold_out, rank_held, ranks


def test_ranks_leave_out_what_was_seen_and_put_ties_in_order():
    scores = np.array([[5, 3, 4, 3, 3.0], [1, 2, 2, np.nan, 0], [1, 0, np.nan, 2, 3]])
    seen = np.zeros((3, 5), bool)
    seen[0, 2] = True
    assert ranks(scores, np.array([3, 2, 2]), seen).tolist() == [2, 1, 4]


def test_hits_and_gains_of_ranks():
    found = np.array([0, 2, 9, 10])
    assert hits(found).tolist() == [1, 1, 1, 0]
    expected = [1, 1 / math.log2(4), 1 / math.log2(11), 0]
    np.testing.assert_allclose(gains(found), expected)


def test_the_interval_is_that_of_the_normal_law_for_many_users():
    values = (np.arange(2000) % 10 == 0).astype(float)
    found = bootstrap(values)
    assert found.value == 0.1
    half = 1.96 * math.sqrt(0.1 * 0.9 / 2000)
    np.testing.assert_allclose([found.low, found.high], [0.1 - half, 0.1 + half], atol=0.002)


def test_the_newest_events_are_held_out():
    events = data.from_events(
        [1, 1, 1, 1, 2, 2, 3, 3, 3],
        ["a", "b", "c", "d", "a", "b", "b", "c", "b"],
        [4, 3, 2, 1, 1, 2, 1, 2, 3],
    )
    held = hold_out(events)
    assert [events.item_names[item] for item in held.targets] == ["a"]
    assert held.users.tolist() == [0]
    # One of two events is asked about nothing; the last of the third user repeats the first.
    assert (held.short, held.repeated) == (1, 1)
    assert held.known.history(1) == ["d", "c", "b"]
    assert held.known.history(2) == ["a", "b"]
    before = hold_out(events, last=2)
    assert [events.item_names[item] for item in before.targets] == ["b", "c"]
    assert before.known.history(1) == ["d", "c"]


def test_ranks_do_not_depend_on_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    events = data.from_events(rng.integers(9, size=90), rng.integers(50, size=90), rng.random(90))
    held, table = hold_out(events), rng.random((9, len(events.item_names)))
    whole = rank_held(lambda users: table[users], held)
    monkeypatch.setattr(recommendation, "_AT_A_TIME", 100)
    np.testing.assert_array_equal(rank_held(lambda users: table[users], held), whole)
    starts, seen = held.known.starts, set()
    user = held.users[0]
    seen = set(held.known.items[starts[user] : starts[user + 1]].tolist())
    order = [item for item in np.argsort(-table[user]) if item not in seen]
    assert whole[0] == order.index(held.targets[0])


def test_no_last_event_is_told():
    events = data.from_events([1, 1, 1, 2], list("abca"))
    with pytest.raises(InputError, match="events without times have no last one"):
        hold_out(events)
    few = data.from_events([1, 1, 2], list("aba"), [1, 2, 3])
    with pytest.raises(InputError, match="no user can be asked about: of 2, 2 have fewer than 3"):
        hold_out(few)
