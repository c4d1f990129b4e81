import numpy as np

from jaxemb.models.upright import set_upright

RNG = np.random.default_rng(0)


def by_moments(image):
    """`set_upright` of a drawing in plain loops."""
    height, width = image.shape
    at = list(np.ndindex(image.shape))
    total = sum(image[place] for place in at)
    middle = sum(image[place] * np.array(place) for place in at) / total
    variance = sum(image[i, j] * (i - middle[0]) ** 2 for i, j in at) / total
    slant = sum(image[i, j] * (i - middle[0]) * (j - middle[1]) for i, j in at) / total / variance
    padded = np.pad(image, 2 * max(image.shape))
    upright = np.zeros(image.shape)
    for i, j in at:
        old_i = middle[0] + i - (height - 1) / 2
        old_j = middle[1] + j - (width - 1) / 2 + slant * (i - (height - 1) / 2)
        low_i, low_j = int(np.floor(old_i)), int(np.floor(old_j))
        for next_i, next_j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            weight = (1 - abs(old_i - low_i - next_i)) * (1 - abs(old_j - low_j - next_j))
            border = 2 * max(image.shape)
            upright[i, j] += weight * padded[low_i + next_i + border, low_j + next_j + border]
    return upright


def test_upright_drawings_agree_with_loops():
    drawings = np.pad(RNG.random((3, 7, 6)), ((0, 0), (3, 5), (6, 2)))
    found = set_upright(drawings.astype(np.float32))
    for image, upright in zip(drawings, found, strict=True):
        np.testing.assert_allclose(upright, by_moments(image), atol=1e-5)


def test_a_slanted_stroke_is_set_upright():
    stroke = np.zeros((1, 15, 15), np.float32)
    for i in range(3, 12):
        stroke[0, i, i] = 1
    found = np.asarray(set_upright(stroke))[0]
    np.testing.assert_allclose(found.sum(axis=0)[7], 9, atol=1e-4)
    np.testing.assert_allclose(found.sum(), 9, atol=1e-4)


def test_nothing_to_set_upright():
    drawings = np.zeros((3, 6, 6), np.float32)
    drawings[1, 1, 2] = drawings[2, 1, 2:4] = 1
    found = np.asarray(set_upright(drawings))
    assert not found[0].any()
    # A pixel, and a row, in the middle of the picture: between its pixels.
    np.testing.assert_allclose(found[1:].sum(axis=(1, 2)), [1, 2], atol=1e-6)
    np.testing.assert_allclose(found[1, 2:4, 2:4], 0.25, atol=1e-6)
