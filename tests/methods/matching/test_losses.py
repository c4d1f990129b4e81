import dataclasses
import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.losses.distances import unit
from jaxemb.losses.terms import mean_of_terms
from jaxemb.methods.matching import losses, mining
from jaxemb.methods.matching.losses import LOSSES, Choice, Loss

LABELS = np.repeat(np.arange(3, dtype=np.int32), 4)
VECTORS = np.random.default_rng(4).normal(size=(12, 5)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
CHOICE = Choice(margin=0.3, temperature=0.4)


@functools.partial(jax.jit, static_argnums=0)
def value(loss, vectors=VECTORS, key=1):
    params = loss.init(jax.random.key(0), 3, 5)
    told = jax.random.key(key), jnp.asarray(vectors), jnp.asarray(LABELS)
    return mean_of_terms(loss.terms(params, *told))


@functools.cache
def chosen(**fields):
    return losses.choose(dataclasses.replace(CHOICE, **fields), samples=4)


def triplets(pick):
    """Mean over pairs of an anchor and a positive; the negatives by their squared distances."""
    squared = ((VECTORS[:, None] - VECTORS[None]) ** 2).sum(axis=-1)
    found = []
    for anchor in range(12):
        for positive in np.flatnonzero(LABELS[anchor] == LABELS):
            if positive != anchor:
                near, far = squared[anchor, positive], squared[anchor, LABELS[anchor] != LABELS]
                found += [max(0, 0.3 + near - one) for one in pick(near, far)]
    return np.mean(found)


@pytest.mark.parametrize(
    ("mining", "pick"),
    [
        ("all", lambda near, far: far),
        ("semi_hard", lambda near, far: np.sort(far[(far > near) & (far < near + 0.3)])[:1]),
    ],
)
def test_triplets_are_those_mined(mining, pick):
    found = value(losses.triplet(margin=0.3, mining=mining))
    assert float(found) == pytest.approx(triplets(pick), rel=1e-4)


def test_the_hardest_cost_more_than_any_others():
    costs = {
        name: float(value(chosen(loss="triplet", mining=name)))
        for name in ("hardest", "random", "distance_weighted", "all")
    }
    assert max(costs, key=costs.__getitem__) == "hardest"
    assert len(set(costs.values())) == 4


def test_mining_may_be_a_function_of_ones_own():
    own = losses.triplet(margin=0.3, mining=mining.MINING["all"])
    assert value(own) == value(losses.triplet(margin=0.3, mining="all"))


@pytest.mark.parametrize("name", LOSSES)
def test_each_loss_falls_from_about_chance_and_pulls(name):
    loss = chosen(loss=name)
    chance = loss.chance(12, 3)
    gradient = jax.jit(jax.grad(lambda v: value(loss, unit(v))))(jnp.asarray(VECTORS))
    found = float(value(loss))
    assert 0 < found < 4 * chance  # beyond that a training is stopped
    assert jnp.isfinite(gradient).all()
    better = VECTORS - 0.05 * np.asarray(gradient)
    assert float(value(loss, unit(jnp.asarray(better)))) < found
    # Learned by the loss itself: a vector for each class, or a scale.
    learned = loss.init(jax.random.key(0), 3, 5)
    expected = dict.fromkeys(("proxy_nca", "cosface", "arcface"), {"centers": (3, 5)})
    expected["sigmoid_pairs"] = {"log_scale": (), "bias": ()}
    assert {key: x.shape for key, x in learned.items()} == expected.get(name, {})


@pytest.mark.parametrize("field", ["mining", "margin", "temperature"])
def test_each_number_changes_the_losses_that_take_it(field):
    other = {"mining": "all", "margin": 0.5, "temperature": 0.8}[field]
    takes = {
        name
        for name in LOSSES
        if value(chosen(loss=name)) != value(chosen(loss=name, **{field: other}))
    }
    assert (
        takes
        == {
            "mining": {"triplet"},
            "margin": {"triplet", "contrastive", "ranking", "cosface", "arcface"},
            "temperature": set(LOSSES) - {"triplet", "contrastive", "ranking"},
        }[field]
    )


def test_losses_are_combined_by_their_means():
    one, other = losses.triplet(margin=0.3, mining="all"), losses.proxy_nca(temperature=0.4)
    both = losses.weighted([one, other], [0.5, 2.0])
    params = both.init(jax.random.key(0), 3, 5)
    told = jax.random.key(1), jnp.asarray(VECTORS), jnp.asarray(LABELS)
    alone = mean_of_terms(other.terms(params[1], *told))
    np.testing.assert_allclose(
        mean_of_terms(both.terms(params, *told)), 0.5 * value(one) + 2 * alone, rtol=1e-5
    )
    assert both.chance(12, 3) == pytest.approx(0.5 * 1.3 + 2 * (math.log(3) + 2.5))
    assert losses.weighted([one, Loss(other.terms)], [1, 1]).chance is None


@pytest.mark.parametrize("first", LOSSES)
def test_any_two_losses_can_be_combined(first):
    """Though one's rows are triplets, another's examples."""
    one, other = chosen(loss=first), losses.triplet(margin=0.3)
    both = losses.weighted([one, other], [0.5, 2.0])
    params = both.init(jax.random.key(0), 3, 5)
    key, *batch = jax.random.key(1), jnp.asarray(VECTORS), jnp.asarray(LABELS)
    keys = jax.random.split(key, 2)
    means = [
        mean_of_terms(loss.terms(own, own_key, *batch))
        for loss, own, own_key in zip((one, other), params, keys, strict=True)
    ]
    found = mean_of_terms(both.terms(params, key, *batch))
    np.testing.assert_allclose(found, 0.5 * means[0] + 2 * means[1], rtol=1e-5)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, float("nan")]])
def test_weights_are_checked_where_losses_are_combined(weights):
    with pytest.raises(InputError, match="^weights must be"):
        losses.weighted([losses.triplet(), losses.proxy_nca()], weights)


@pytest.mark.parametrize(("field", "number"), [("margin", -0.1), ("temperature", 0.0)])
@pytest.mark.parametrize("bad", [None, float("nan")])
def test_numbers_that_no_loss_can_use_are_refused(field, number, bad):
    with pytest.raises(InputError, match=f"^{field} must be"):
        dataclasses.replace(CHOICE, **{field: number if bad is None else bad})


def test_choices_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="loss must be 'triplet', 'contrastive'.* found 'best'"):
        Choice(loss="best")
    with pytest.raises(InputError, match="mining must be one of all, random.* found 'best'"):
        losses.triplet(mining="best")
    with pytest.raises(InputError, match="margin must be a number for semi_hard mining"):
        losses.triplet(margin=None)
    with pytest.raises(InputError, match="samples must be even for n_pair, found 3"):
        losses.choose(Choice(loss="n_pair"), samples=3)


def test_a_projection_head_is_before_the_loss():
    inner = losses.triplet(margin=0.3, mining="all")
    loss = losses.projected(inner, dim=3, hidden=7)
    params = loss.init(jax.random.key(2), 3, 5)
    first, second = (np.asarray(params[name], np.float64) for name in ("first", "second"))
    assert (first.shape, second.shape) == ((5, 7), (7, 3))
    seen = np.maximum(np.sqrt(5) * VECTORS @ first, 0) @ second
    seen /= np.linalg.norm(seen, axis=1, keepdims=True)
    told = jax.random.key(1), jnp.asarray(VECTORS), jnp.asarray(LABELS)
    found = mean_of_terms(loss.terms(params, *told))
    np.testing.assert_allclose(found, value(inner, seen.astype(np.float32)), rtol=1e-4)
    # What the loss learns itself is of the head's width.
    proxies = losses.projected(losses.proxy_nca(), dim=3).init(jax.random.key(0), 4, 5)
    assert proxies["loss"]["centers"].shape == (4, 3)
    with pytest.raises(InputError, match="dim and hidden must be at least 1, found 0 and 128"):
        losses.projected(inner, dim=0)
