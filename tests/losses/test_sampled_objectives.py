"""NCE and sampled softmax: their formulas, and how they go to the full softmax."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.losses import nce, sampled_softmax
from jaxemb.losses.full_softmax import full_softmax_loss

# Operation by operation, each would be compiled.
nce_loss = jax.jit(nce.nce_loss)
sampled_softmax_loss = jax.jit(sampled_softmax.sampled_softmax_loss)
B, K, D, V = 7, 3, 4, 9
LOSSES = [nce_loss, sampled_softmax_loss]
each = pytest.mark.parametrize("loss", LOSSES)


@pytest.fixture
def batch():
    """Vectors, and the logs of how often words are expected among K noise words."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(B, D)), rng.normal(size=(B, D)), rng.normal(size=(B, K, D))
    return *vectors, np.log(K * rng.random(B)), np.log(K * rng.random((B, K)))


def call(loss, center, context, noise, context_expected, noise_expected, where=None):
    center, context, noise, context_expected, noise_expected = (
        jnp.asarray(part, jnp.float32)
        for part in (center, context, noise, context_expected, noise_expected)
    )
    return loss(
        center,
        context,
        noise,
        context_expected=context_expected,
        noise_expected=noise_expected,
        where=where,
    )


def paper_nce(center, context, noise, context_expected, noise_expected):
    """Mnih & Kavukcuoglu 2013, eq. 5 to 8: P(D = 1) = p / (p + k q), with p = exp(score)."""
    p, kq = np.exp(np.dot(center, context)), np.exp(context_expected)
    loss = -np.log(p / (p + kq))
    for k in range(len(noise)):
        p, kq = np.exp(np.dot(center, noise[k])), np.exp(noise_expected[k])
        loss -= np.log(1 - p / (p + kq))
    return loss


def paper_sampled_softmax(center, context, noise, context_expected, noise_expected):
    """Jean et al. 2015, eq. 10, with the observed word in the sample: weights exp(score) / E."""
    own = np.exp(np.dot(center, context)) / np.exp(context_expected)
    total = own
    for k in range(len(noise)):
        total += np.exp(np.dot(center, noise[k])) / np.exp(noise_expected[k])
    return -np.log(own / total)


PAPER = {nce_loss: paper_nce, sampled_softmax_loss: paper_sampled_softmax}


@each
def test_each_pair_has_the_papers_loss(loss, batch):
    expected = [PAPER[loss](*pair) for pair in zip(*batch, strict=True)]
    np.testing.assert_allclose(call(loss, *batch), expected, rtol=1e-5)


@each
def test_one_pair_alone_has_its_loss_in_the_batch(loss, batch):
    whole = call(loss, *batch)
    for i in range(B):
        alone = call(loss, *(part[i : i + 1] for part in batch))
        np.testing.assert_allclose(alone[0], whole[i], rtol=1e-6)


@each
def test_masked_noise_is_dropped(loss, batch):
    where = np.random.default_rng(1).random((B, K)) < 0.5
    where[2] = False
    masked = call(loss, *batch, where=jnp.asarray(where))
    center, context, noise, context_expected, noise_expected = batch
    for i in range(B):
        expected = PAPER[loss](
            center[i],
            context[i],
            noise[i, where[i]],
            context_expected[i],
            noise_expected[i, where[i]],
        )
        np.testing.assert_allclose(masked[i], expected, rtol=1e-5, atol=1e-7)


@each
@pytest.mark.parametrize("size", [0.0, 1e4, 1e15])
def test_loss_and_gradients_are_finite(loss, size):
    def total(center, noise):
        return call(loss, center, -center, noise, np.zeros(2), np.ones((2, K))).sum()

    value, gradients = jax.jit(jax.value_and_grad(total, (0, 1)))(
        jnp.full((2, D), size), jnp.full((2, K, D), size)
    )
    assert np.isfinite(value)
    for gradient in gradients:
        assert np.isfinite(gradient).all()


@each
def test_shapes_are_checked(loss, batch):
    for i, part in enumerate(batch):
        wrong = [*batch]
        wrong[i] = np.concatenate([part, part], axis=-1)
        with pytest.raises(AssertionError):
            call(loss, *wrong)


@pytest.fixture
def model():
    """A center, the vectors of all words, whose probabilities sum to 1, and the noise's."""
    rng = np.random.default_rng(2)
    center, outputs = rng.normal(size=D), rng.normal(size=(V, D))
    # The last column is a bias, of which there is one value to make the model normalized.
    bias = -np.log(np.exp(outputs @ center).sum())
    q = rng.random(V) + 0.1
    return np.append(center, 1), np.column_stack([outputs, np.full(V, bias)]), q / q.sum()


def full_gradient(center, outputs, target):
    def total(center, outputs):
        return full_softmax_loss(center[None], outputs, jnp.array([target]))[0]

    return jax.jit(jax.grad(total, (0, 1)))(jnp.float32(center), jnp.float32(outputs))


def distance(one, other):
    return np.sqrt(sum(np.sum(np.square(a - b)) for a, b in zip(one, other, strict=True)))


def test_the_expected_gradient_of_nce_goes_to_that_of_full_softmax(model):
    """At a normalized model, and as fast as 1 / K; over all draws, by enumeration."""
    center, outputs, q = model
    target = 4
    errors = []
    for samples in (100, 1000, 10_000):
        expected = np.log(samples * q)

        def total(center, outputs, samples=samples, expected=expected):
            pair = jnp.tile(center, (V, 1)), jnp.tile(outputs[target], (V, 1)), outputs[:, None]
            none = jnp.zeros((V, 1), bool)
            observed = call(nce_loss, *pair, np.full(V, expected[target]), expected[:, None], none)
            # Each word in turn as the only noise word, and the observed one beyond doubt.
            noise = call(nce_loss, *pair, np.full(V, -1e9), expected[:, None])
            return observed[0] + samples * jnp.sum(jnp.float32(q) * noise)

        found = jax.jit(jax.grad(total, (0, 1)))(jnp.float32(center), jnp.float32(outputs))
        errors.append(distance(found, full_gradient(center, outputs, target)))
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.1)
    assert errors[2] < 0.002


def test_the_gradient_of_sampled_softmax_goes_to_that_of_full_softmax(model):
    """Of any model, and as fast as 1 / sqrt(K): four times the words halve the error."""
    center, outputs, q = model
    center, outputs = jnp.float32(2 * center), jnp.float32(outputs)  # not normalized
    target, draws = 4, 3000
    exact = full_gradient(center, outputs, target)
    rng = np.random.default_rng(5)
    errors, biases = [], []
    for samples in (32, 128, 512):
        noise = rng.choice(V, (draws, samples), p=q)
        expected = np.log(samples * q)

        def total(center, outputs, words, expected=expected):
            return call(
                sampled_softmax_loss,
                center[None],
                outputs[target][None],
                outputs[words][None],
                expected[target][None],
                jnp.asarray(expected)[words][None],
            )[0]

        slopes = jax.jit(jax.vmap(jax.grad(total, (0, 1)), (None, None, 0)))
        found = slopes(center, outputs, noise)
        squares = [
            np.square(a - b).sum(axis=tuple(range(1, a.ndim)))
            for a, b in zip(map(np.asarray, found), map(np.asarray, exact), strict=True)
        ]
        errors.append(np.sqrt(np.mean(sum(squares))))
        biases.append(distance([a.mean(axis=0) for a in found], exact))
    # 3,000 draws tell a root mean square to a few percent
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.1)
    # The mean is off by the observed word's own share, of order 1 / K.
    assert biases[2] < biases[0] / 6
