import functools

import jax
import numpy as np
import pytest

from jaxemb.models import oriented_gradients as model

# Operation by operation, each would be compiled.
oriented_gradients = jax.jit(model.oriented_gradients)


def _gaussian(at, pixels, width):
    weights = [np.exp(-(((at - p) / width) ** 2) / 2) for p in pixels]
    return np.array(weights) / sum(weights)


def _expected(image, *, orientations, cell, blur, pool, contrast):
    height, width = image.shape
    blurred = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            down = _gaussian(i, range(height), blur)
            right = _gaussian(j, range(width), blur)
            blurred[i, j] = down @ image @ right
    grown = np.gradient(blurred)
    rows, columns = range(cell // 2, height, cell), range(cell // 2, width, cell)
    found = np.zeros((len(rows), len(columns), orientations))
    for direction in range(orientations):
        angle = 2 * np.pi * direction / orientations
        votes = np.zeros((height, width))
        for i in range(height):
            for j in range(width):
                size = np.hypot(grown[0][i, j], grown[1][i, j])
                turn = np.arctan2(grown[0][i, j], grown[1][i, j]) - angle
                votes[i, j] = size * max(np.cos(turn), 0) ** 4
        for a, i in enumerate(rows):
            for b, j in enumerate(columns):
                tall = _gaussian(i, range(height), pool)
                found[a, b, direction] = tall @ votes @ _gaussian(j, range(width), pool)
    energy = (found**2).sum(axis=-1)
    for a, i in enumerate(rows):
        for b, j in enumerate(columns):
            tall, wide = _gaussian(i, rows, 1.5 * cell), _gaussian(j, columns, 1.5 * cell)
            found[a, b] /= np.sqrt(tall @ energy @ wide + contrast**2)
    return np.sqrt(found)


def test_gradients_are_those_of_plain_loops():
    images = np.random.default_rng(0).random((2, 11, 8))
    fields = {"orientations": 5, "cell": 3, "blur": 0.8, "pool": 2.0, "contrast": 0.02}
    found = jax.jit(functools.partial(model.oriented_gradients, **fields))(np.float32(images))
    assert found.shape == (2, 4, 3, 5)
    expected = np.stack([_expected(image, **fields) for image in images])
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_an_edge_is_found_in_its_direction_whatever_the_light():
    ramp = np.tile(np.linspace(0, 1, 24, dtype=np.float32), (24, 1))  # brighter to the right
    for image, direction in ((ramp, 0), (ramp.T, 2), (1 - ramp, 4), (1 - ramp.T, 6)):
        found = np.asarray(oriented_gradients(image[None]))
        assert (found.argmax(axis=-1) == direction).all()
        # Half as bright, and lit from behind.
        dimmed = oriented_gradients(np.float32(0.5) * image[None] + np.float32(0.3))
        np.testing.assert_allclose(found, dimmed, atol=0.15)


@pytest.mark.parametrize("side", [2, 6, 13])
def test_a_gray_wall_has_none(side):
    found = oriented_gradients(np.full((1, side, side), 0.7, np.float32))
    np.testing.assert_allclose(found, 0, atol=1e-2)  # of rounding
    assert np.isfinite(found).all()
