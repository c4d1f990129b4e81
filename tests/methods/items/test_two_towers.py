import dataclasses

import jax
import numpy as np
import pytest

from jaxemb import data, io, items
from jaxemb.errors import InputError
from jaxemb.methods.items import two_towers

RNG = np.random.default_rng(7)
TOPICS, EACH = 4, 6
FEATURES = {
    f"t{topic}i{i}": (f"topic {topic}", f"odd {i % 2}") for topic in range(4) for i in range(6)
}
SMALL = items.Options(method="two_towers", dim=8, min_count=1, batch=64, learning_rate=0.03)


def planted(users=200, events=8):
    """Users who take the items of one topic each."""
    who = np.repeat(np.arange(users), events)
    names = np.array(list(FEATURES)).reshape(TOPICS, EACH)
    met = names[who % TOPICS, RNG.integers(EACH, size=len(who))]
    return data.from_events(who, met, np.arange(len(who)))


EVENTS = planted()
KNOWN = [FEATURES[name] for name in EVENTS.item_names]


@pytest.fixture(scope="module")
def fitted():
    return items.fit(0, EVENTS, SMALL, features=KNOWN)


def test_features_of_two_items_or_more_are_numbered_by_how_frequent_they_are():
    lists = [("b", "a", "only"), ("a", "a"), ("c", "b", "a"), (), ("c",)]
    names, bags = two_towers.numbered(lists, 5, most=2)
    assert names == ["a", "b", "c"]
    assert bags.tolist() == [[0, 1], [0, -1], [0, 1], [-1, -1], [2, -1]]


def test_own_vectors_are_left_out_of_what_has_features():
    parts = np.tile(np.array([[3, 9, -1], [4, -1, -1]], np.int32), (500, 1, 1))
    found = np.asarray(two_towers.without_some(jax.random.key(0), jax.numpy.asarray(parts), 0.3))
    np.testing.assert_allclose((found[:, 0, 0] == -1).mean(), 0.3, atol=0.06)
    assert (found[:, 1, 0] == 4).all()
    np.testing.assert_array_equal(found[..., 1:], parts[..., 1:])


def test_the_loss_is_that_of_the_softmax_by_loops():
    """A first step's loss: items, users and log q from the table, in float64."""
    events = planted(users=30)
    known = [FEATURES[name] for name in events.item_names]
    options = dataclasses.replace(SMALL, dropped=0.0, batch=210, decay=0.6, latest=3, min_count=10)
    training = items.start(3, events, options, features=known)
    table = np.asarray(jax.tree.leaves(training.state.params["first"])[0], np.float64)
    _, metrics = jax.jit(training.update)(training.state, training.batch(0))
    counts = np.bincount(events.items)
    assert 0 < (counts < 10).sum() < 24
    names, _ = two_towers.numbered(known, 24, most=8)
    length = lambda x: x / np.linalg.norm(x)  # noqa: E731
    vectors = []
    for item, some in enumerate(known):
        parts = sum(table[24 + names.index(name)] for name in some)
        vectors.append(length(parts + table[item] * (counts[item] >= 10)))
    pairs = []
    for user in range(30):
        own = events.items[events.starts[user] : events.starts[user + 1]]
        for at in range(1, 8):
            before = own[max(0, at - 3) : at][::-1]
            mean = sum(0.6**age * vectors[item] for age, item in enumerate(before))
            pairs.append((length(mean), own[at]))
    targets = np.array([item for _, item in pairs])
    log_q = {item: np.log(np.mean(targets == item)) for item in set(targets)}
    losses = []
    for user, item in pairs:
        scores = np.array([user @ vectors[one] / 0.1 - log_q[one] for one in targets])
        own = user @ vectors[item] / 0.1 - log_q[item]
        others = np.exp(scores[targets != item]).sum()
        losses.append(-own + np.log(np.exp(own) + others))
    np.testing.assert_allclose(metrics["loss"], np.mean(losses), rtol=1e-4)


def test_an_item_is_the_sum_of_its_parts(fitted):
    for item, name in enumerate(fitted.vectors.words):
        parts = [fitted.params["items"][item], *(fitted.features[one] for one in FEATURES[name])]
        np.testing.assert_allclose(fitted.vectors[name], np.sum(parts, axis=0), atol=1e-6)


def test_a_new_item_is_placed_by_its_features(fitted):
    topics = [[f"topic {topic}", "told by nobody"] for topic in range(TOPICS)]
    placed = items.place_by_features(fitted, topics)
    np.testing.assert_allclose(np.linalg.norm(placed, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(
        placed[2] * np.linalg.norm(fitted.features["topic 2"]),
        fitted.features["topic 2"],
        atol=1e-5,
    )
    users = items.encode(fitted, [[f"t{topic}i1", f"t{topic}i4"] for topic in range(TOPICS)])
    assert (users @ placed.T).argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_an_item_without_an_event_is_where_its_features_place_it():
    gone = EVENTS.item_names.index("t1i2")
    fitted = items.fit(0, EVENTS.at(EVENTS.items != gone), SMALL, features=KNOWN)
    assert not fitted.params["items"][gone].any()
    own = fitted.vectors["t1i2"] / np.linalg.norm(fitted.vectors["t1i2"])
    (placed,) = items.place_by_features(fitted, [FEATURES["t1i2"]])
    np.testing.assert_allclose(own, placed, atol=1e-6)
    near = [name[:2] for name, _ in fitted.vectors.nearest("t1i2", 5)]
    assert near == ["t1"] * 5


def test_what_is_saved_places_the_same(fitted, tmp_path):
    io.save(tmp_path / "fit", fitted)
    again = io.load(tmp_path / "fit")
    new = [("topic 3", "odd 1"), ("odd 0",)]
    np.testing.assert_array_equal(
        items.place_by_features(again, new), items.place_by_features(fitted, new)
    )
    assert again.options == fitted.options


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (None, "features must be lists of names, one for each of 24 items, found 0"),
        (KNOWN[:5], "one for each of 24 items, found 5"),
        ([()] * 24, "two_towers needs features that 2 items or more have"),
        ([(f"only {i}",) for i in range(24)], "needs features that 2 items or more have"),
        (["Comedy"] * 24, "features must be lists of names"),
        ([(1990,)] * 24, "features must be lists of names"),
    ],
)
def test_features_that_tell_nothing_are_refused(features, message):
    with pytest.raises(InputError, match=message):
        items.fit(0, EVENTS, SMALL, features=features)


def test_other_bad_input_is_refused(fitted):
    with pytest.raises(InputError, match="features mean nothing to ials, only to two_towers"):
        items.fit(0, EVENTS, items.Options(dim=4), features=KNOWN)
    with pytest.raises(InputError, match="1 of 2 new items have no known feature, the first is"):
        items.place_by_features(fitted, [("odd 1",), ("topic 9",)])
    ials = items.fit(0, EVENTS, items.Options(dim=4, epochs=1))
    with pytest.raises(InputError, match="ials has no vectors of features, two_towers has"):
        items.place_by_features(ials, [("odd 1",)])
    # Of all users but one, nobody has two events.
    alone = data.from_events(["a", "a", "b", "c"], ["x", "y", "x", "y"])
    with pytest.raises(InputError, match="1 events have another of their user before"):
        items.fit(0, alone, SMALL, features=[("odd",), ("odd",)])
    with pytest.raises(InputError, match="dropped means nothing to ials, only to two_towers"):
        items.Options(dropped=0.5)
    with pytest.raises(InputError, match="temperature must be more than 0"):
        items.Options(method="two_towers", temperature=0.0)


def test_a_loop_of_ones_own_gives_the_same_bits_also_where_jax_counts_in_float64():
    options = dataclasses.replace(SMALL, epochs=1, batch=512)
    training = items.start(5, EVENTS, options, features=KNOWN)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    fitted = items.fit(5, EVENTS, options, features=KNOWN)
    np.testing.assert_array_equal(training.finish(state).vectors.vectors, fitted.vectors.vectors)
    with jax.enable_x64(True):
        fitted = items.fit(5, EVENTS, options, features=KNOWN)
    tables = (fitted.vectors.vectors, fitted.features.vectors, fitted.params["items"])
    assert {table.dtype for table in tables} == {np.dtype(np.float32)}
