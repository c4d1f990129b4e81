import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.models import patch_space
from jaxemb.models.patch_space import PatchSpace

RNG = np.random.default_rng(9)
PATCH, PATTERNS, WIDTH = 3, 7, 4
IMAGES = RNG.random((5, 8, 9, 3)).astype(np.float32)


def unit(vector: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(vector)
    return vector / norm if norm else vector


def space() -> PatchSpace:
    numbers = PATCH * PATCH * 3
    patterns = RNG.normal(size=(PATTERNS, numbers))
    return PatchSpace(
        jnp.asarray(0.1 * RNG.normal(size=numbers), jnp.float32),
        jnp.asarray(RNG.normal(size=(numbers, numbers)), jnp.float32),
        jnp.asarray(patterns / np.linalg.norm(patterns, axis=1, keepdims=True), jnp.float32),
        jnp.asarray(RNG.normal(size=(PATTERNS, WIDTH)), jnp.float32),
    )


def in_loops(given: PatchSpace, image: np.ndarray, threshold: float, cells: int) -> np.ndarray:
    """Embeds one picture as the docstrings say, patch by patch, in float64."""
    mean, whitening, patterns, directions = (np.asarray(one, np.float64) for one in given)
    height, width = image.shape[0] - PATCH + 1, image.shape[1] - PATCH + 1
    placed = np.zeros((height, width, WIDTH))
    for top in range(height):
        for left in range(width):
            patch = image[top : top + PATCH, left : left + PATCH].astype(np.float64)
            patch = (patch - patch.mean(axis=(0, 1))).reshape(-1)
            looks = patterns @ unit((patch - mean) @ whitening) > threshold
            placed[top, left] = unit(looks.astype(float) @ directions)
    down, across = (np.linspace(0, n, cells + 1).round().astype(int) for n in (height, width))
    return np.concatenate(
        [
            unit(
                placed[down[i] : down[i + 1], across[j] : across[j + 1]]
                .reshape(-1, WIDTH)
                .mean(axis=0)
            )
            for i in range(cells)
            for j in range(cells)
        ]
    )


@pytest.mark.parametrize(("threshold", "cells"), [(0.05, 2), (0.2, 3), (0.99, 1)])
def test_as_in_loops(threshold, cells):
    given = space()
    found = patch_space.embed(
        given, jnp.asarray(IMAGES), patch=PATCH, threshold=jnp.float32(threshold), cells=cells
    )
    expected = np.stack([in_loops(given, image, threshold, cells) for image in IMAGES])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.any() == (threshold < 0.9)


def test_brightness_and_contrast_do_not_count():
    given = space()._replace(mean=jnp.zeros(PATCH * PATCH * 3))
    looks = [
        patch_space.codes(given, jnp.asarray(images), patch=PATCH, threshold=jnp.float32(0.1))
        for images in (IMAGES, 0.5 * IMAGES + 0.25)
    ]
    # A cosine that is the threshold up to rounding may fall to either side.
    assert float((looks[0] != looks[1]).mean()) < 0.002
    assert looks[0].shape == (5, 6, 7, PATTERNS)


def test_whitened_patches_are_uncorrelated():
    drawn = RNG.normal(size=(5000, 6)) @ RNG.normal(size=(6, 6)) + 3
    mean, whitening = patch_space.whitening_of(jnp.asarray(drawn, jnp.float32), floor=1e-6)
    white = (drawn - np.asarray(mean)) @ np.asarray(whitening)
    np.testing.assert_allclose(white.T @ white / len(white), np.eye(6), atol=5e-3)
    np.testing.assert_allclose(whitening, np.asarray(whitening).T, atol=1e-4)


def test_a_patch_larger_than_the_picture_is_refused():
    with pytest.raises(AssertionError, match="hold no patch of 10 x 10"):
        patch_space.gather(jnp.asarray(IMAGES), patch=10)
