import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.models import encoders

RNG = np.random.default_rng(0)
VECTORS = (jnp.asarray(RNG.normal(size=(5, 7)), jnp.float32),)
IMAGES = (jnp.asarray(RNG.normal(size=(5, 16, 18, 3)), jnp.float32),)
LENGTHS = np.array([4, 1, 6, 3, 2])
WHERE = jnp.asarray(np.arange(6) < LENGTHS[:, None])
TEXTS = (jnp.asarray(RNG.integers(9, size=(5, 6))), WHERE)
CASES = [
    (encoders.MlpEncoder(3, (8, 6)), VECTORS),
    (encoders.ConvEncoder(3, (8, 16)), IMAGES),
    (encoders.ResidualEncoder(3, (8, 16)), IMAGES),
    (encoders.BagEncoder(3, 9, 4), TEXTS),
    (encoders.GruEncoder(3, 9, 4), TEXTS),
]


@pytest.fixture(params=CASES, ids=lambda case: type(case[0]).__name__)
def case(request):
    encoder, inputs = request.param
    return encoder, encoder.init(jax.random.key(1), *inputs), inputs


def test_an_example_alone_is_embedded_as_in_a_batch(case):
    encoder, params, inputs = case
    together = encoder.apply(params, *inputs)
    assert together.shape == (5, 3)
    np.testing.assert_allclose(jnp.linalg.norm(together, axis=1), 1, rtol=1e-5)
    alone = [encoder.apply(params, *(array[i : i + 1] for array in inputs)) for i in range(5)]
    np.testing.assert_allclose(jnp.concatenate(alone), together, atol=1e-5)
    assert len(np.unique(np.round(together, 4), axis=0)) == 5


def test_gradients_are_finite_and_reach_all_parameters(case):
    encoder, params, inputs = case
    wanted = jnp.asarray(RNG.normal(size=(5, 3)), jnp.float32)
    gradient = jax.grad(lambda p: jnp.sum(encoder.apply(p, *inputs) * wanted))(params)
    for leaf in jax.tree.leaves(gradient):
        assert np.isfinite(leaf).all()
        assert np.abs(leaf).max() > 0


@pytest.mark.parametrize(("encoder", "inputs"), CASES[3:], ids=("bag", "gru"))
def test_what_lies_beyond_a_text_is_not_read(encoder, inputs):
    params = encoder.init(jax.random.key(1), *inputs)
    words, where = inputs
    other = jnp.where(where, words, (words + 1) % 9)
    first, second = encoder.apply(params, words, where), encoder.apply(params, other, where)
    np.testing.assert_array_equal(first, second)
    nothing = encoder.apply(params, words, jnp.zeros_like(where))
    assert len(np.unique(np.asarray(nothing), axis=0)) == 1
    assert np.isfinite(nothing).all()


def test_bag_against_the_formula():
    encoder, (words, where) = CASES[3]
    params = encoder.init(jax.random.key(2), words, where)
    table, dense = (jax.tree.map(np.asarray, leaf) for leaf in params["params"].values())
    for row, length in enumerate(LENGTHS):
        mean = np.mean([table["embedding"][words[row, t]] for t in range(length)], axis=0)
        out = mean @ dense["kernel"] + dense["bias"]
        expected = out / np.linalg.norm(out)
        np.testing.assert_allclose(encoder.apply(params, words, where)[row], expected, atol=1e-5)


def test_word_order_matters_to_the_recurrent_network_only():
    words, where = TEXTS
    swapped = words.at[2].set(words[2][jnp.array([3, 1, 4, 0, 5, 2])])
    for (encoder, _), same in zip(CASES[3:], (True, False), strict=True):
        params = encoder.init(jax.random.key(1), words, where)
        found = encoder.apply(params, swapped, where)[2] - encoder.apply(params, words, where)[2]
        assert (np.abs(found).max() < 1e-6) == same
