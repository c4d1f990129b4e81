import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.losses.window_validity import window_logistic_loss, window_ranking_loss

B, K = 6, 3
LOSSES = [window_logistic_loss, window_ranking_loss]
# Operation by operation, each would be compiled.
compiled = {loss: jax.jit(loss) for loss in LOSSES}


@functools.cache
def slope(loss):
    def total(real, switched, where):
        return loss(real, switched, where=where).sum()

    return jax.jit(jax.value_and_grad(total, (0, 1)))


def loops(loss, real, switched, where, margin=1.0):
    """The papers' losses window by window in float64."""
    expected = []
    for b in range(len(real)):
        kept = [float(switched[b, k]) for k in range(switched.shape[1]) if where[b, k]]
        total = 0.0
        for score in kept:
            if loss is window_ranking_loss:
                total += max(0.0, margin - float(real[b]) + score) / len(kept)
            else:
                # Two classes: P(valid) = 1 / (1 + exp(-score)).
                total += -np.log(1 - 1 / (1 + np.exp(-score))) / len(kept)
        if kept and loss is window_logistic_loss:
            total += -np.log(1 / (1 + np.exp(-float(real[b]))))
        expected.append(total)
    return expected


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    where = rng.random((B, K)) < 0.6
    where[1] = False
    return rng.normal(size=B) * 2, rng.normal(size=(B, K)) * 2, where


@pytest.mark.parametrize("loss", LOSSES)
def test_each_window_has_the_papers_loss(loss, batch):
    real, switched, where = batch
    args = np.float32(real), np.float32(switched)
    found = np.asarray(compiled[loss](*args, where=where))
    np.testing.assert_allclose(found, loops(loss, real, switched, where), rtol=1e-5)
    every = np.ones((B, K), bool)
    np.testing.assert_allclose(compiled[loss](*args), loops(loss, real, switched, every), rtol=1e-5)
    for b in range(B):
        alone = compiled[loss](*(x[b : b + 1] for x in args), where=where[b : b + 1])
        np.testing.assert_allclose(alone, found[b : b + 1], rtol=1e-6)


def test_the_margin(batch):
    real, switched, where = batch
    found = jax.jit(functools.partial(window_ranking_loss, margin=0.3))(
        np.float32(real), np.float32(switched), where=where
    )
    expected = loops(window_ranking_loss, real, switched, where, margin=0.3)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for margin in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="margin"):
            window_ranking_loss(jnp.zeros(2), jnp.zeros((2, 1)), margin=margin)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4, 1e30])
def test_loss_and_gradient_are_finite_and_none_where_all_is_masked(loss, size):
    where = np.array([[True, False], [False, False]])
    args = np.full(2, -size, np.float32), np.full((2, 2), size, np.float32)
    found, (to_real, to_switched) = jax.tree.map(np.asarray, slope(loss)(*args, where))
    assert np.isfinite(found)
    assert (float(to_real[0]) < 0) & (float(to_switched[0, 0]) > 0)
    assert not to_real[1:].any()
    np.testing.assert_array_equal(to_switched != 0, where)


@pytest.mark.parametrize("loss", LOSSES)
def test_shapes_are_checked(loss):
    for switched, where in (((3, 2), None), ((2,), None), ((2, 2), (2, 1))):
        mask = None if where is None else jnp.ones(where, bool)
        with pytest.raises(AssertionError):
            loss(jnp.zeros(2), jnp.zeros(switched), where=mask)
