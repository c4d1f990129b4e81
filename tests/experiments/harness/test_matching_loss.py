import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments.harness.matching import loss as matching_loss

from jaxemb.errors import InputError
from jaxemb.losses.distances import unit
from jaxemb.losses.terms import mean_of_terms

LABELS = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2], np.int32)
VECTORS = np.random.default_rng(4).normal(size=(9, 5)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
CONFIG = matching_loss.Config(dim=5, identities=3, samples=3, margin=0.3, temperature=0.4)


def _loss(config, vectors=VECTORS):
    extra = matching_loss.init(jax.random.key(0), config, 3)
    told = jax.random.key(1), jnp.asarray(LABELS)
    return mean_of_terms(matching_loss.make(config)(extra, jnp.asarray(vectors), told))


def _triplets(pick):
    """Mean over pairs of an anchor and a positive; the negatives by their squared distances."""
    squared = ((VECTORS[:, None] - VECTORS[None]) ** 2).sum(axis=-1)
    losses = []
    for anchor in range(9):
        for positive in np.flatnonzero(LABELS[anchor] == LABELS):
            if positive != anchor:
                near, far = squared[anchor, positive], squared[anchor, LABELS[anchor] != LABELS]
                losses += [max(0, 0.3 + near - one) for one in pick(near, far)]
    return np.mean(losses)


@pytest.mark.parametrize(
    ("mining", "pick"),
    [
        ("all", lambda near, far: far),
        ("semi_hard", lambda near, far: np.sort(far[(far > near) & (far < near + 0.3)])[:1]),
    ],
)
def test_triplets_are_those_mined(mining, pick):
    config = dataclasses.replace(CONFIG, loss="triplet", mining=mining)
    assert float(_loss(config)) == pytest.approx(_triplets(pick), rel=1e-4)


def test_the_hardest_cost_more_than_any_others():
    def of(mining):
        return float(_loss(dataclasses.replace(CONFIG, loss="triplet", mining=mining)))

    costs = {name: of(name) for name in ("hardest", "random", "distance_weighted", "all")}
    assert max(costs, key=costs.__getitem__) == "hardest"
    assert len(set(costs.values())) == 4


@pytest.mark.parametrize(
    "loss", ["triplet", "contrastive", "supervised_contrastive", "proxy_nca", "cosface"]
)
def test_each_loss_falls_from_about_the_first_and_pulls(loss):
    config = dataclasses.replace(CONFIG, loss=loss)
    first = matching_loss.first_loss(config, 3)
    found = float(_loss(config))
    assert 0 < found < 4 * first  # beyond that a training is stopped
    gradient = jax.grad(lambda v: _loss(config, unit(v)))(jnp.asarray(VECTORS))
    assert jnp.isfinite(gradient).all()
    better = VECTORS - 0.05 * np.asarray(gradient)
    assert float(_loss(config, unit(jnp.asarray(better)))) < found
    # Learnt by the loss itself: a vector for each class.
    learnt = matching_loss.init(jax.random.key(0), config, 3)
    expected = {"centres": (3, 5)} if loss in ("proxy_nca", "cosface") else {}
    assert {name: value.shape for name, value in learnt.items()} == expected


@pytest.mark.parametrize(("field", "value"), [("margin", -0.1), ("temperature", 0.0)])
@pytest.mark.parametrize("bad", [None, float("nan")])
def test_numbers_that_no_loss_can_use_are_refused(field, value, bad):
    with pytest.raises(InputError, match=f"--{field} must be"):
        dataclasses.replace(CONFIG, **{field: value if bad is None else bad})
