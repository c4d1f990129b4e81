import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.kernels.convolution import convolve, max_pool, patches


def draw(seed, shape):
    """Normal numbers; those of jax.random take seconds to compile."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", [(4, 6), (5, 3)])
def test_patches_and_a_product_are_a_convolution(shape, stride):
    images, kernel = jnp.asarray(draw(0, (2, *shape, 3))), draw(1, (3, 3, 3, 4))
    expected = jax.lax.conv_general_dilated(
        images,
        kernel,
        (stride, stride),
        [(1, 1), (1, 1)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    found = jax.jit(lambda x: patches(x, stride=stride) @ kernel.reshape(27, 4))(images)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


# Few channels and many go different ways; sides with whole tiles, broken ones and less than one.
@pytest.mark.parametrize("channels", [2, 10])
@pytest.mark.parametrize("shape", [(8, 14), (5, 9), (1, 3)])
def test_convolving_is_a_convolution(shape, channels):
    images, kernel = draw(0, (*shape, 2, channels)), draw(1, (9 * channels, 6))
    weights = jnp.asarray(draw(2, (*shape, 2, 6)))

    def plain(images, kernel):
        return jax.lax.conv_general_dilated(
            images,
            kernel.reshape(3, 3, channels, 6),
            (1, 1),
            [(1, 1), (1, 1)],
            dimension_numbers=("HWNC", "HWIO", "HWNC"),
            precision="highest",
        )

    @jax.jit
    def both(images, kernel):
        values_and_gradients = []
        for form in (plain, convolve):
            values, back = jax.vjp(form, images, kernel)
            values_and_gradients.append((values, *back(weights)))
        return values_and_gradients

    # Of size 10, rounded to 1e-7 of it; transformed values are up to a hundred times larger.
    for expected, found in zip(*both(images, kernel), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_convolving_refuses_another_kernel():
    with pytest.raises(AssertionError):
        convolve(jnp.zeros((4, 4, 1, 2)), jnp.zeros((9, 5)))


def test_halving_takes_the_largest_of_four():
    image = np.arange(30.0).reshape(5, 6, 1, 1) % 7
    expected = [
        [max(image[2 * i + a, 2 * j + b, 0, 0] for a in (0, 1) for b in (0, 1)) for j in range(3)]
        for i in range(2)
    ]
    np.testing.assert_array_equal(max_pool(jnp.asarray(image))[:, :, 0, 0], expected)


def test_equal_pixels_share_the_gradient_of_their_maximum():
    # Of few values many are equal; the plain form shares too.
    images = np.random.default_rng(0).integers(0, 3, (5, 7, 3, 2)).astype(np.float32)
    weights = jnp.asarray(draw(1, (2, 3, 3, 2)))

    def plain(images):
        return images[:4, :6].reshape(2, 2, 3, 2, 3, 2).max(axis=(1, 3))

    @jax.jit
    def gradient(images):
        return [jax.vjp(form, images)[1](weights)[0] for form in (plain, max_pool)]

    expected, found = gradient(images)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
