import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.losses.angular_margin import arcface_loss, cosface_loss

B, C, D = 9, 5, 3
SCALE = 7.0


def data():
    """Among the angles to the own center are small ones and some beyond pi - margin."""
    rng = np.random.default_rng(0)
    vectors, centers = rng.normal(size=(B, D)), rng.normal(size=(C, D))
    labels = rng.integers(C, size=B)
    vectors[0] = centers[labels[0]] + 0.05 * vectors[0]
    vectors[1] = -centers[labels[1]] + 0.2 * vectors[1]
    return vectors, labels, centers


def paper_loss(vectors, labels, centers, own_logit):
    losses = []
    for x, y in zip(vectors, labels, strict=True):
        logits = []
        for c, w in enumerate(centers):
            cosine = x @ w / np.linalg.norm(x) / np.linalg.norm(w)
            logits.append(SCALE * (own_logit(cosine) if c == y else cosine))
        losses.append(np.log(np.exp(logits).sum()) - logits[y])
    return np.array(losses)


def widened(margin):
    def own_logit(cosine):
        angle = np.arccos(cosine)
        return (
            np.cos(angle + margin) if angle < np.pi - margin else cosine - margin * np.sin(margin)
        )

    return own_logit


def arrays():
    vectors, labels, centers = data()
    return jnp.asarray(vectors, jnp.float32), jnp.asarray(labels), jnp.asarray(centers, jnp.float32)


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.2])
def test_arcface(margin):
    found = jax.jit(lambda: arcface_loss(*arrays(), scale=SCALE, margin=margin))()
    expected = paper_loss(*data(), widened(margin))
    np.testing.assert_allclose(found.loss, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(found.counts, 1)


@pytest.mark.parametrize("margin", [0.0, 0.35])
def test_cosface(margin):
    found = jax.jit(lambda: cosface_loss(*arrays(), scale=SCALE, margin=margin))()
    expected = paper_loss(*data(), lambda cosine: cosine - margin)
    np.testing.assert_allclose(found.loss, expected, rtol=1e-4, atol=1e-5)


def test_gradient_of_arcface():
    vectors, labels, centers = data()
    x, *rest = arrays()
    found = jax.jit(jax.grad(lambda x: arcface_loss(x, *rest, scale=SCALE).loss.sum()))(x)
    step = 1e-6
    expected = np.zeros((B, D))
    for i in range(B):
        for d in range(D):
            moved = np.array([vectors, vectors])
            moved[:, i, d] += [step, -step]
            up, down = (paper_loss(x, labels, centers, widened(0.5)).sum() for x in moved)
            expected[i, d] = (up - down) / (2 * step)
    # float32 rounds the sine of the smallest angle, 0.05, in the fourth digit.
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-3)


def test_the_loss_only_grows_with_the_angle():
    angles = np.linspace(0, np.pi, 400)
    vectors = jnp.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1), jnp.float32)
    centers = jnp.array([[1.0, 0.0], [0.0, 0.0]])  # the other class is always at cosine 0
    losses = jax.jit(lambda: arcface_loss(vectors, jnp.zeros(400, int), centers, scale=4.0))().loss
    assert (np.diff(losses) > -1e-5).all()


def test_margins_are_checked():
    for loss in (arcface_loss, cosface_loss):
        with pytest.raises(InputError, match="the margin must be a finite number of at least 0"):
            loss(*arrays(), margin=-0.5)
