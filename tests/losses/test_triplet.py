import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.losses import distances
from jaxemb.losses.triplet import all_triplets_loss, mined_triplets_loss, triplet_loss
from jaxemb.sampling.triplets import Triplets, all_triplets

T, D = 9, 5
# By the definition, in float64.
DISTANCES = {
    "squared_euclidean": lambda x, y: sum((a - b) ** 2 for a, b in zip(x, y, strict=True)),
    "euclidean": lambda x, y: sum((a - b) ** 2 for a, b in zip(x, y, strict=True)) ** 0.5,
    "cosine": lambda x, y: 1 - x @ y / ((x @ x) ** 0.5 * (y @ y) ** 0.5),
    "l1": lambda x, y: sum(abs(a - b) for a, b in zip(x, y, strict=True)),
}


def rows(seed=0):
    return np.random.default_rng(seed).normal(size=(3, T, D))


def float32(arrays):
    return [jnp.asarray(array, jnp.float32) for array in arrays]


def hinge(near, far, margin):
    return np.log(1 + np.exp(near - far)) if margin is None else max(0.0, margin + near - far)


@pytest.mark.parametrize("margin", [None, 0.0, 0.7])
@pytest.mark.parametrize("name", DISTANCES)
def test_each_triplet_has_the_papers_loss(name, margin):
    distance = DISTANCES[name]
    expected = [
        hinge(distance(a, p), distance(a, n), margin) for a, p, n in zip(*rows(), strict=True)
    ]
    assert np.count_nonzero(expected) > 0
    terms = jax.jit(
        lambda: triplet_loss(*float32(rows()), margin=margin, distance=getattr(distances, name))
    )()
    np.testing.assert_allclose(terms.loss, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(terms.counts, 1)


def test_gradient_of_squared_euclidean_triplets():
    # 2 (n - p) for the anchor, 2 (p - a) and 2 (a - n) for the others, where there is a loss.
    anchor, positive, negative = rows()

    def total(arrays):
        losses = triplet_loss(*arrays, margin=0.7).loss
        return losses.sum(), losses

    found, losses = jax.jit(jax.grad(total, has_aux=True))(float32(rows()))
    active = np.asarray(losses > 0)[:, None]
    assert 0 < active.sum() < T
    expected = (negative - positive, positive - anchor, anchor - negative)
    for gradient, formula in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, 2 * active * formula, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("margin", [None, 1.5])
def test_all_triplets_of_a_batch(margin):
    vectors, _, _ = rows()
    labels = np.array([0, 2, 0, 1, 2, 0, 5, 1, 2])
    expected, count = np.zeros(T), np.zeros(T)
    for a in range(T):
        for p in range(T):
            for n in range(T):
                if a != p and labels[a] == labels[p] != labels[n]:
                    near, far = (np.abs(vectors[a] - vectors[j]).sum() for j in (p, n))
                    expected[a] += hinge(near, far, margin)
                    count[a] += 1
    table = distances.pairwise_l1(*float32([vectors, vectors]))
    terms = jax.jit(
        lambda: all_triplets_loss(
            table, *all_triplets(jnp.asarray(labels), positives=2), margin=margin
        )
    )()
    np.testing.assert_allclose(terms.loss, expected, rtol=1e-5)
    np.testing.assert_array_equal(terms.counts, count)


@pytest.mark.parametrize("margin", [-1.0, float("nan")])
def test_margins_are_checked(margin):
    with pytest.raises(InputError, match="the margin must be a finite number of at least 0, found"):
        jax.eval_shape(lambda: triplet_loss(*float32(rows()), margin=margin))
    batch = jnp.ones((3, 3)), jnp.zeros((3, 2), int), jnp.ones((3, 2), bool), jnp.ones((3, 3), bool)
    with pytest.raises(InputError, match="the margin must be a finite number of at least 0, found"):
        jax.eval_shape(lambda: all_triplets_loss(*batch, margin=margin))


def test_shapes_are_checked():
    x = jnp.ones((3, 4))
    batch = jnp.ones((3, 3)), jnp.zeros((3, 2), int), jnp.ones((3, 2), bool), jnp.ones((3, 3), bool)
    with pytest.raises(AssertionError):
        triplet_loss(x, x, jnp.ones((3, 5)), margin=1.0)
    with pytest.raises(AssertionError):
        triplet_loss(x, x, x, margin=1.0, where=jnp.ones((3, 1), bool))
    with pytest.raises(AssertionError):
        all_triplets_loss(jnp.ones((3, 4)), *batch[1:], margin=1.0)


def test_mined_triplets_are_rows_of_the_batch():
    rng = np.random.default_rng(4)
    x = rng.normal(size=(5, 3))
    rows = [(0, 1, 2), (3, 4, 0), (2, 2, 1)]
    valid = np.array([True, True, False])
    mined = Triplets(*map(jnp.asarray, np.array(rows).T), jnp.asarray(valid))
    found = mined_triplets_loss(jnp.asarray(x, jnp.float32), mined, margin=0.7)
    expected = [
        max(0, 0.7 + ((x[a] - x[p]) ** 2).sum() - ((x[a] - x[n]) ** 2).sum()) for a, p, n in rows
    ]
    assert sum(expected[:2]) > 0
    np.testing.assert_allclose(found.loss, expected * valid, rtol=1e-5)
    np.testing.assert_array_equal(found.counts, valid)
