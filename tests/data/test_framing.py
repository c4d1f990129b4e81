import numpy as np
import pytest

from jaxemb.data.framing import frame_ink, shrink
from jaxemb.errors import InputError

RNG = np.random.default_rng(0)
# Blank around, so that squares around the ink stay inside.
DRAWINGS = np.pad(RNG.integers(256, size=(5, 4, 4), dtype=np.uint8), ((0, 0), (9, 7), (6, 10)))


def mean_over(image, low, high):
    """The mean of an image of square pixels, 0 outside, over the box from low to high."""
    pixel = np.arange(len(image))
    down, right = (
        np.clip(np.minimum(end, pixel + 1) - np.maximum(start, pixel), 0, None)
        for start, end in zip(low, high, strict=True)
    )
    return down @ image.astype(np.float64) @ right / np.prod(np.subtract(high, low))


@pytest.mark.parametrize("side", [4, 7, 20, 23])
def test_a_new_pixel_is_the_mean_over_its_area(side):
    found = shrink(DRAWINGS, side=side)
    assert found.shape == (5, side, side)
    assert found.dtype == np.uint8
    for at in np.ndindex(found.shape):
        low = np.array(at[1:]) * 20 / side
        assert abs(found[at] - mean_over(DRAWINGS[at[0]], low, low + 20 / side)) < 0.51


def test_a_square_around_the_ink():
    found = frame_ink(DRAWINGS, side=5, extent=3.5)
    for number, image in enumerate(DRAWINGS):
        ink = image / image.sum()
        at = np.stack(np.meshgrid(np.arange(20) + 0.5, np.arange(20) + 0.5, indexing="ij"))
        middle = (ink * at).sum(axis=(1, 2))
        variance = (ink * np.square(at - middle[:, None, None])).sum(axis=(1, 2))
        length = 3.5 * np.sqrt(variance.mean())
        for cell in np.ndindex(5, 5):
            low = middle - length / 2 + np.array(cell) * length / 5
            expected = mean_over(image, low, low + length / 5)
            assert abs(found[number][cell] - expected) < 0.51


def test_place_and_size_no_longer_matter():
    small = DRAWINGS[:, 9:13, 6:10]
    large = np.pad(small.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (8, 0), (2, 6)))
    expected = frame_ink(DRAWINGS, side=9, extent=4)
    found = frame_ink(large, side=9, extent=4)
    # A pixel of the large one is a ninth of one: its corners add to the spread.
    assert np.abs(found.astype(int) - expected).max() < 40
    moved = np.roll(DRAWINGS, (-5, 3), axis=(1, 2))
    np.testing.assert_array_equal(frame_ink(moved, side=9, extent=4), expected)


def test_without_ink_the_whole_stays():
    blank = np.zeros((2, 6, 6), np.uint8)
    blank[1, 2, 3] = 255
    found = frame_ink(blank, side=6, extent=4)
    assert not found[0].any()
    assert found[1].astype(int).sum() == pytest.approx(255, abs=3)


def test_bad_values_are_named():
    for call, message in (
        (lambda: shrink(DRAWINGS, side=0), "at least 1 pixel, found 0"),
        (lambda: shrink(DRAWINGS[:, 1:], side=4), r"square pictures \[N, S, S\], found \[5, 19,"),
        (lambda: frame_ink(DRAWINGS, side=4, extent=np.nan), "extent must be finite"),
        (lambda: frame_ink(DRAWINGS, side=4, extent=0.0), "extent must be finite and more than 0"),
    ):
        with pytest.raises(InputError, match=message):
            call()
