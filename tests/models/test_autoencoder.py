import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.models import autoencoder
from jaxemb.models.autoencoder import ConvAutoencoder, DenseAutoencoder


def gelu(x):
    """The tanh form of Hendrycks & Gimpel 2016, which Flax takes."""
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def draw_params(module, x):
    """Parameters of a module's shapes; its own take seconds to compile."""
    rng = np.random.default_rng(3)
    shapes = jax.eval_shape(module.init, jax.random.key(0), x)
    return jax.tree.map(lambda leaf: jnp.asarray(rng.normal(size=leaf.shape), leaf.dtype), shapes)


def test_dense_is_products_and_gelus():
    module = DenseAutoencoder(7, 2, hidden=(5, 3))
    x = np.random.default_rng(0).normal(size=(4, 7))
    params = draw_params(module, jnp.asarray(x, jnp.float32))
    layers = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params["params"])

    def through(name, values):
        for i in range(3):
            layer = layers[f"{name}_{i}"]
            values = values @ layer["kernel"] + layer["bias"]
            values = gelu(values) if i < 2 else values
        return values

    code = jax.jit(functools.partial(module.apply, method="encode"))(params, np.float32(x))
    np.testing.assert_allclose(code, through("encoder", x), rtol=1e-4, atol=1e-5)
    back = jax.jit(module.apply)(params, np.float32(x))
    expected = through("decoder", through("encoder", x))
    np.testing.assert_allclose(back, expected, rtol=1e-4, atol=1e-5)


def test_without_hidden_layers_it_is_linear():
    module = DenseAutoencoder(6, 2, hidden=())
    x = np.random.default_rng(1).normal(size=(2, 6)).astype(np.float32)
    params = draw_params(module, x)
    apply = jax.jit(module.apply)
    middle = apply(params, x.mean(axis=0, keepdims=True))
    np.testing.assert_allclose(middle[0], np.mean(apply(params, x), axis=0), atol=1e-5)


@pytest.mark.parametrize(("shape", "bottleneck"), [((8, 8), 70), ((7, 10, 3), 1)])
def test_images_of_any_shape_come_back_in_it(shape, bottleneck):
    module = ConvAutoencoder(shape, bottleneck, features=(4, 6))
    width = int(np.prod(shape))
    x = jnp.asarray(np.random.default_rng(1).normal(size=(3, width)), jnp.float32)

    @jax.jit
    def run(params, x):
        code = module.apply(params, x, method="encode")
        return code, module.apply(params, code, method="decode"), module.apply(params, x)

    code, back, whole = run(draw_params(module, x), x)
    assert code.shape == (3, bottleneck)
    assert back.shape == (3, width)
    np.testing.assert_allclose(back, whole, rtol=1e-4, atol=1e-4)


def test_a_pixels_channels_become_four_pixels():
    images = np.random.default_rng(0).normal(size=(2, 3, 4, 8))
    found = autoencoder._unfold(jnp.asarray(images, jnp.float32))
    for row, column in np.ndindex(6, 8):
        first = 2 * (2 * (row % 2) + column % 2)
        expected = images[:, row // 2, column // 2, first : first + 2]
        np.testing.assert_allclose(found[:, row, column], expected, rtol=1e-6)


def test_shapes_are_checked():
    for module in (ConvAutoencoder((8, 8), 4, features=(3,)), DenseAutoencoder(64, 4)):
        with pytest.raises(AssertionError):
            jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 63)))
