import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.models import encoders

RNG = np.random.default_rng(0)
VECTORS = (jnp.asarray(RNG.normal(size=(5, 7)), jnp.float32),)
IMAGES = (jnp.asarray(RNG.normal(size=(5, 16, 18, 3)), jnp.float32),)
PICTURES = (jnp.asarray(RNG.integers(256, size=(5, 16, 16, 3)), jnp.uint8),)
LENGTHS = np.array([4, 1, 6, 3, 2])
WHERE = np.arange(6) < LENGTHS[:, None]
TEXTS = (jnp.asarray(np.where(WHERE, RNG.integers(9, size=(5, 6)), -1)),)
CASES = [
    (encoders.MlpEncoder(3, (8, 6)), VECTORS),
    (encoders.ConvEncoder(3, (8, 16)), IMAGES),
    (encoders.ResidualEncoder(3, (8, 16)), IMAGES),
    (encoders.PictureEncoder(encoders.ConvEncoder(3, (8,)), side=16, color=True), PICTURES),
    (encoders.BagEncoder(3, 9, 4), TEXTS),
    (encoders.GruEncoder(3, 9, 4), TEXTS),
    (encoders.MeanEncoder(3, 9), TEXTS),
    (encoders.Given(), (jnp.asarray(RNG.normal(size=(5, 3)), jnp.float32),)),
]


@functools.cache
def compiled(encoder):
    """The encoder applied, compiled once for all tests."""
    return jax.jit(encoder.apply)


def draw_params(encoder, inputs):
    """Parameters of its shapes; its own take seconds to compile."""
    rng = np.random.default_rng(1)
    shapes = jax.eval_shape(encoder.init, jax.random.key(0), *inputs)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype), shapes)


@pytest.fixture(params=CASES, ids=lambda case: type(case[0]).__name__)
def case(request):
    encoder, inputs = request.param
    return compiled(encoder), draw_params(encoder, inputs), inputs


def test_an_example_alone_is_embedded_as_in_a_batch(case):
    apply, params, inputs = case
    together = np.asarray(apply(params, *inputs))
    assert together.shape == (5, 3)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, rtol=1e-5)
    inputs = [np.asarray(array) for array in inputs]
    alone = [apply(params, *(array[i : i + 1] for array in inputs)) for i in range(5)]
    np.testing.assert_allclose(np.concatenate(alone), together, atol=1e-5)
    assert len(np.unique(np.round(together, 4), axis=0)) == 5


def test_gradients_are_finite_and_reach_all_parameters(case):
    apply, params, inputs = case
    wanted = jnp.asarray(RNG.normal(size=(5, 3)), jnp.float32)
    gradient = jax.jit(jax.grad(lambda p: jnp.sum(apply(p, *inputs) * wanted)))(params)
    for leaf in jax.tree.leaves(gradient):
        assert np.isfinite(leaf).all()
        assert np.abs(leaf).max() > 0


@pytest.mark.parametrize(("encoder", "inputs"), CASES[4:7], ids=("bag", "gru", "mean"))
def test_the_width_of_the_table_changes_nothing(encoder, inputs):
    apply, params = compiled(encoder), draw_params(encoder, inputs)
    wider = np.pad(np.asarray(*inputs), ((0, 0), (0, 3)), constant_values=-1)
    np.testing.assert_allclose(apply(params, wider), apply(params, *inputs), atol=1e-6)
    nothing = np.asarray(apply(params, np.full((5, 6), -1)))
    assert len(np.unique(nothing, axis=0)) == 1
    assert np.isfinite(nothing).all()


@pytest.mark.parametrize("which", [4, 6], ids=("bag", "mean"))
def test_means_against_the_formula(which):
    encoder, (words,) = CASES[which]
    params = draw_params(encoder, (words,))
    found = np.asarray(compiled(encoder)(params, words))
    words = np.asarray(words)
    layers = jax.tree.map(np.asarray, params["params"])
    for row, length in enumerate(LENGTHS):
        table = layers["Embed_0"]["embedding"]
        out = np.mean([table[words[row, t]] for t in range(length)], axis=0)
        if which == 4:
            out = out @ layers["Dense_0"]["kernel"] + layers["Dense_0"]["bias"]
        np.testing.assert_allclose(found[row], out / np.linalg.norm(out), atol=1e-5)


def test_a_history_is_the_weighted_mean_of_things_of_length_1():
    rng = np.random.default_rng(1)
    bags = np.where(rng.random((4, 3, 5)) < 0.6, rng.integers(9, size=(4, 3, 5)), -1)
    bags[2, 1] = bags[3] = -1
    weights = np.array([[1, 0.5, 0.2], [2, 0, 0], [1, 1, 1], [1, 1, 1]], np.float32)
    encoder, histories = encoders.HistoryEncoder(2, 9), (jnp.asarray(bags), jnp.asarray(weights))
    params = draw_params(encoder, (histories,))
    (table,) = (np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(params))
    found = np.asarray(compiled(encoder)(params, histories))
    for row in range(3):
        total = np.zeros(2)
        for bag, weight in zip(bags[row], weights[row], strict=True):
            thing = sum((table[number] for number in bag if number >= 0), np.zeros(2))
            total += weight * thing / max(np.linalg.norm(thing), 1e-9)
        np.testing.assert_allclose(found[row], total / np.linalg.norm(total), atol=1e-5)
    assert not found[3].any()


def test_word_order_matters_to_the_recurrent_network_only():
    words = np.asarray(*TEXTS)
    swapped = words.copy()
    swapped[2] = words[2, [3, 1, 4, 0, 5, 2]]
    for (encoder, _), same in zip(CASES[4:7], (True, False, True), strict=True):
        apply, params = compiled(encoder), draw_params(encoder, (words,))
        found, expected = (np.asarray(apply(params, texts)) for texts in (swapped, words))
        assert (np.abs(found[2] - expected[2]).max() < 1e-6) == same


def test_light_and_contrast_of_a_picture_change_nothing():
    gray = encoders.PictureEncoder(encoders.ConvEncoder(3, (8,)), side=8)
    pictures = RNG.integers(60, 120, size=(4, 8, 8)).astype(np.uint8)
    params = draw_params(gray, (pictures,))
    found = compiled(gray)(params, pictures)
    np.testing.assert_allclose(compiled(gray)(params, 2 * pictures + 9), found, atol=0.02)
    np.testing.assert_array_equal(compiled(gray)(params, pictures[..., None]), found)
    assert np.isfinite(compiled(gray)(params, np.full((1, 8, 8), 90, np.uint8))).all()


def test_half_of_a_vector_may_be_the_picture():
    plain = encoders.PictureEncoder(encoders.ConvEncoder(3, (8,)), side=8)
    both = plain.clone(pixels=True)
    pictures = RNG.integers(256, size=(4, 8, 8)).astype(np.uint8)
    params = draw_params(plain, (pictures,))
    learned, found = (np.asarray(compiled(one)(params, pictures)) for one in (plain, both))
    np.testing.assert_allclose(np.sqrt(2) * found[:, :3], learned, rtol=1e-4, atol=1e-5)
    centered = pictures.reshape(4, -1) - pictures.mean(axis=(1, 2))[:, None]
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    np.testing.assert_allclose(np.sqrt(2) * found[:, 3:], centered, atol=1e-4)
    large = encoders.PictureEncoder(encoders.ConvEncoder(3, (8,)), side=40, color=True, pixels=True)
    shape = jax.eval_shape(large.init_with_output, jax.random.key(0), jnp.zeros((2, 40, 40, 3)))
    assert shape[0].shape == (2, 3 + 16 * 16 * 3)


@pytest.mark.parametrize("shape", [(2, 8, 8, 3), (2, 9, 9), (2, 8, 9, 1)])
def test_pictures_of_another_form(shape):
    gray = encoders.PictureEncoder(encoders.ConvEncoder(3, (8,)), side=8)
    with pytest.raises(ValueError, match=r"pictures must be of shape \[8, 8, 1\]"):
        jax.eval_shape(gray.init, jax.random.key(0), jnp.zeros(shape))
