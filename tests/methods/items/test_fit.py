import jax
import numpy as np
import pytest

from jaxemb import data, items
from jaxemb.data.events import Events
from jaxemb.errors import InputError, UnknownWordError

RNG = np.random.default_rng(4)
TOPICS, EACH = 4, 6


def planted(users: int = 60, events: int = 8) -> Events:
    """Users who take the items of one topic each, now and then another."""
    names = np.array([[f"t{t}i{i}" for i in range(EACH)] for t in range(TOPICS)])
    who = np.repeat(np.arange(users), events)
    topics = np.where(RNG.random(len(who)) < 0.9, who % TOPICS, RNG.integers(TOPICS, size=len(who)))
    return data.from_events(
        who, names[topics, RNG.integers(EACH, size=len(who))], np.arange(len(who))
    )


EVENTS = planted()


def by_loops(events, *, dim, alpha, penalty, epochs, table):
    """The alternating least squares of Hu et al., section 4, as they stand there, in float64."""
    users, width = len(events.user_names), len(events.item_names)
    counts = np.zeros((users, width))
    for user, item, weight in zip(events.users, events.items, events.weights, strict=True):
        counts[user, item] += weight
    confidence, preference = 1 + alpha * counts, (counts > 0).astype(float)
    x, y = table[:users].astype(float), table[users:].astype(float)
    for _ in range(epochs):
        for mine, other, c, p in (
            (x, y, confidence, preference),
            (y, x, confidence.T, preference.T),
        ):
            for row in range(len(mine)):
                left = other.T @ np.diag(c[row]) @ other + penalty * np.eye(dim)
                mine[row] = np.linalg.solve(left, other.T @ np.diag(c[row]) @ p[row])
    return x, y


def test_ials_is_the_alternating_least_squares_of_the_paper():
    options = items.Options(dim=5, alpha=3.0, regularization=0.8, epochs=3)
    first = np.asarray(items.start(1, EVENTS, options).state.params["vectors"])
    fitted = items.fit(1, EVENTS, options)
    x, y = by_loops(EVENTS, dim=5, alpha=3.0, penalty=0.8, epochs=3, table=first)
    np.testing.assert_allclose(fitted.params["users"], x, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(fitted.params["items"], y, rtol=2e-3, atol=2e-4)
    np.testing.assert_array_equal(fitted.vectors.vectors, fitted.params["items"])


def test_the_loss_of_ials_falls_to_its_share_of_the_objective():
    options = items.Options(dim=5, epochs=6)
    fitted = items.fit(1, EVENTS, options)
    loss = fitted.history.loss
    assert loss[0] <= 1
    # Users and items take turns, each told with the penalty of its own vectors.
    assert loss[-2:].max() < 0.5 * loss[:2].max()
    alpha, penalty = options.alpha, options.penalty
    x, y = (fitted.params[side].astype(float) for side in ("users", "items"))
    counts = np.zeros((len(x), len(y)))
    np.add.at(counts, (EVENTS.users, EVENTS.items), EVENTS.weights)
    confidence = 1 + alpha * counts
    squares = np.sum(confidence * ((counts > 0) - x @ y.T) ** 2) + penalty * np.sum(y**2)
    np.testing.assert_allclose(loss[-1], squares / confidence[counts > 0].sum(), rtol=1e-3)


@pytest.mark.parametrize("method", ["ials", "bpr", "item2vec"])
def test_items_of_a_topic_are_near(method):
    events = planted(users=400)
    fitted = items.fit(0, events, items.Options(method=method, dim=8))
    assert fitted.vectors.words == events.item_names
    same = [
        near[:2] == item[:2]
        for item in fitted.vectors
        for near, _ in fitted.vectors.nearest(item, 3)
    ]
    assert np.mean(same) > 0.9
    found = items.recommend(fitted, ["t2i0", "t2i1", "t2i2"], k=3)
    assert {one.item for one in found} == {"t2i3", "t2i4", "t2i5"}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert {item for item, _ in found[0].because} == {"t2i0", "t2i1", "t2i2"}


def test_items_without_an_event_left_have_zero_vectors():
    events = EVENTS.at(EVENTS.items != 3)
    for method in ("ials", "item2vec"):
        fitted = items.fit(0, events, items.Options(method=method, dim=4, epochs=2))
        assert not fitted.vectors.vectors[3].any()
        assert fitted.vectors.vectors[2].any()


def test_a_user_is_the_mean_of_items_that_fade():
    fitted = items.fit(0, EVENTS, items.Options(dim=4, decay=0.5))
    unit = {
        item: fitted.vectors[item] / np.linalg.norm(fitted.vectors[item]) for item in fitted.vectors
    }
    sum_ = 0.25 * unit["t0i1"] + 0.5 * unit["t1i1"] + unit["t2i1"]
    found = items.encode(fitted, [["t0i0"], ["t0i1", "t1i1", "t2i1"]])
    np.testing.assert_allclose(found[0], unit["t0i0"], atol=1e-6)
    np.testing.assert_allclose(found[1], sum_ / np.linalg.norm(sum_), atol=1e-6)
    both = items.encode_events(fitted, EVENTS)
    again = items.encode(fitted, [EVENTS.history(user) for user in EVENTS.user_names])
    np.testing.assert_allclose(both, again, atol=1e-5)


def test_what_is_unknown_or_empty_is_told():
    fitted = items.fit(0, EVENTS, items.Options(dim=4))
    with pytest.raises(UnknownWordError, match="t0i99"):
        items.recommend(fitted, ["t0i99"])
    with pytest.raises(InputError, match="each with one item or more"):
        items.encode(fitted, [["t0i0"], []])
    with pytest.raises(InputError, match="histories must be lists of items"):
        items.encode(fitted, ["t0i0"])
    with pytest.raises(InputError, match="k and reasons must be at least 1"):
        items.recommend(fitted, ["t0i0"], k=0)
    with pytest.raises(InputError, match="data must be jaxemb.data.Events, found list"):
        items.fit(0, [("a", "b")])
    with pytest.raises(InputError, match="events must be of the items"):
        items.encode_events(fitted, EVENTS._replace(item_names=EVENTS.item_names[::-1]))


@pytest.mark.parametrize("method", ["ials", "bpr", "item2vec"])
def test_rare_items_have_zero_vectors(method):
    counts = np.bincount(EVENTS.items)
    least = int(np.median(counts))
    fitted = items.fit(0, EVENTS, items.Options(method=method, dim=4, epochs=2, min_count=least))
    np.testing.assert_array_equal(fitted.vectors.vectors.any(axis=1), counts >= least)
    with pytest.raises(InputError, match="items 0 have the 999 events that min_count asks for"):
        items.fit(0, EVENTS, items.Options(method=method, min_count=999))


def test_a_field_of_another_method_is_refused():
    with pytest.raises(InputError, match="alpha means nothing to bpr, only to ials"):
        items.Options(method="bpr", alpha=2.0)
    with pytest.raises(InputError, match="method must be 'ials', 'bpr', 'item2vec', 'two_towers'"):
        items.Options(method="als")


def test_all_items_but_own_are_recommended_at_most():
    fitted = items.fit(0, EVENTS, items.Options(dim=4))
    own = EVENTS.history(0)
    found = items.recommend(fitted, own, k=1000)
    assert {one.item for one in found} == set(EVENTS.item_names) - set(own)


@pytest.mark.parametrize("method", ["ials", "bpr", "item2vec"])
def test_a_loop_of_ones_own_gives_the_same_bits(method):
    options = items.Options(method=method, dim=4, epochs=2)
    training = items.start(5, EVENTS, options)
    state, update = training.state, jax.jit(training.update)
    for step in range(training.steps):
        state, _ = update(state, training.batch(step))
    fitted = items.fit(5, EVENTS, options)
    np.testing.assert_array_equal(training.finish(state).vectors.vectors, fitted.vectors.vectors)


@pytest.mark.parametrize("method", ["ials", "bpr", "item2vec"])
def test_tables_are_float32_where_jax_counts_in_float64(method):
    with jax.enable_x64(True):
        fitted = items.fit(0, EVENTS, items.Options(method=method, dim=4, epochs=2))
    assert {table.dtype for table in fitted.params.values()} == {np.dtype(np.float32)}
    assert fitted.vectors.vectors.dtype == np.float32
