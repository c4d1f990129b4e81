import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.sampling import augment

KEY = jax.random.key(3)
IMAGES = jnp.asarray(np.random.default_rng(0).random((6, 9, 7, 2)), jnp.float32)


def compiled(function, *arguments, **options):
    """Calls a function as one program: operation by operation, each would be compiled."""
    return jax.jit(functools.partial(function, **options))(*arguments)


def test_no_change_asked_is_none_made():
    places = compiled(augment.affine_places, KEY, shape=(6, 9, 7))
    np.testing.assert_allclose(compiled(augment.resample, IMAGES, places), IMAGES, atol=1e-6)
    still = compiled(augment.elastic_offsets, KEY, shape=(6, 9, 7), amplitude=0.0)
    assert not np.any(still)
    np.testing.assert_array_equal(compiled(augment.shift_crop, KEY, IMAGES, padding=0), IMAGES)
    np.testing.assert_array_equal(compiled(augment.erase, KEY, IMAGES, side=0.0), IMAGES)


def test_places_invert_the_map_that_was_drawn(monkeypatch):
    # Every draw takes its largest value: 30 degrees, 1.25 and 1.25 times, 0.2, a tenth of a side.
    monkeypatch.setattr(
        jax.random, "uniform", lambda key, shape, minval, maxval: jnp.full(shape, maxval)
    )
    largest = {"rotation": 30.0, "scale": 0.25, "shear": 0.2, "shift": 0.1}
    found = np.asarray(compiled(augment.affine_places, KEY, shape=(1, 9, 7), **largest))
    cos, sin = np.cos(np.pi / 6), np.sin(np.pi / 6)
    for row in range(9):
        for column in range(7):
            # Forward: shift, stretch, lean, turn.
            old = found[0, row, column] - [4, 3]
            down, right = (old[0] + 0.9) * 1.25, (old[1] + 0.7) * 1.25
            right = right + 0.2 * down
            new = np.array([cos * down - sin * right, sin * down + cos * right])
            np.testing.assert_allclose(new, [row - 4, column - 3], atol=1e-5)


def test_a_quarter_turn(monkeypatch):
    monkeypatch.setattr(
        jax.random, "uniform", lambda key, shape, minval, maxval: jnp.full(shape, maxval)
    )
    square = IMAGES[:, :7]
    places = compiled(augment.affine_places, KEY, shape=(6, 7, 7), rotation=90.0)
    turned = np.rot90(np.asarray(square), axes=(1, 2))
    np.testing.assert_allclose(compiled(augment.resample, square, places), turned, atol=1e-4)


def test_draws_fill_their_range_and_differ_between_pictures():
    places = np.asarray(compiled(augment.affine_places, KEY, shape=(2000, 3, 3), shift=0.5))
    moves = (places[:, 1, 1] - 1) / 3
    assert np.abs(moves).max() <= 0.5
    for axis in range(2):
        deciles = np.quantile(moves[:, axis], [0.1, 0.5, 0.9])
        # Standard error of a decile of 2,000 even draws over [-.5, .5]: below 0.012.
        np.testing.assert_allclose(deciles, [-0.4, 0, 0.4], atol=0.05)
    assert abs(np.corrcoef(moves.T)[0, 1]) < 0.1


def test_elastic_offsets_are_smooth_and_as_large_as_asked():
    options = {"shape": (400, 25, 25), "amplitude": 2.0, "knots": 5}
    offsets = np.asarray(compiled(augment.elastic_offsets, KEY, **options))
    # At the pixels that are knots, every fifth from the third on.
    knots = offsets[:, 2::5, 2::5]
    assert abs(knots.std() - 2.0) < 0.1
    assert abs(knots.mean()) < 0.1
    steps = np.abs(np.diff(offsets, axis=1))
    assert steps.mean() < 0.3 * np.abs(offsets).mean()
    assert np.abs(offsets[0] - offsets[1]).max() > 1


def test_pixels_between_are_interpolated_and_outside_is_zero():
    image = jnp.array([[1.0, 3.0], [5.0, 7.0]])[None, :, :, None]
    places = jnp.array([[[0.5, 0.5], [0.0, 0.25], [-5.0, 0.0]]])[None]
    found = np.asarray(compiled(augment.resample, image, places))
    np.testing.assert_allclose(found[0, 0, :, 0], [4.0, 1.5, 0.0])


def test_shift_crop_moves_by_whole_pixels_evenly():
    one = np.zeros((900, 5, 5, 1), np.float32)
    one[:, 2, 2] = 1
    moved = np.asarray(compiled(augment.shift_crop, KEY, one, padding=1))
    assert (moved.sum(axis=(1, 2, 3)) == 1).all()
    counts = moved.sum(axis=0)[1:4, 1:4, 0]
    assert counts.sum() == 900
    # 100 each; five standard deviations of a binomial count.
    assert np.abs(counts - 100).max() < 5 * np.sqrt(100 * 8 / 9)
    out = compiled(augment.shift_crop, KEY, IMAGES, padding=3)
    assert out.shape == IMAGES.shape


def test_flip_mirrors_half():
    pictures = np.tile(IMAGES[:1], (600, 1, 1, 1))
    flipped = np.asarray(compiled(augment.flip, KEY, pictures))
    mirrored = (flipped == pictures[:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (flipped == pictures).all(axis=(1, 2, 3))
    assert (mirrored ^ kept).all()
    assert abs(mirrored.mean() - 0.5) < 5 * 0.5 / np.sqrt(600)


def test_erase_blanks_one_rectangle():
    white = np.ones((500, 20, 10, 1), np.float32)
    erased = np.asarray(compiled(augment.erase, KEY, white, side=0.5))[..., 0] == 0
    rows, columns = erased.any(axis=2), erased.any(axis=1)
    # The product of its sides: nothing but a rectangle.
    assert (erased == rows[:, :, None] & columns[:, None, :]).all()
    for sides, length in ((rows, 20), (columns, 10)):
        starts = np.abs(np.diff(np.pad(sides, ((0, 0), (1, 1))).astype(int), axis=1)).sum(axis=1)
        assert (starts <= 2).all()
        # Even lengths up to half of a side: a quarter of it on average.
        assert abs(sides.sum(axis=1).mean() / length - 0.25) < 0.03
        assert sides.sum(axis=1).max() <= length / 2 + 1


@pytest.mark.parametrize(
    "change",
    [
        lambda key, x: augment.resample(
            x,
            augment.affine_places(key, x.shape[:3], rotation=9.0, scale=0.1, shear=0.1, shift=0.1)
            + augment.elastic_offsets(key, x.shape[:3], amplitude=1.0),
        ),
        lambda key, x: augment.shift_crop(key, x, padding=2),
        augment.flip,
        lambda key, x: augment.erase(key, x, side=0.5),
    ],
)
def test_same_key_same_bits_and_dtype_kept(change):
    change = jax.jit(change)
    first, again = change(KEY, IMAGES), change(KEY, IMAGES)
    np.testing.assert_array_equal(first, again)
    assert first.dtype == IMAGES.dtype
    assert first.shape == IMAGES.shape
    assert (np.asarray(first) != change(jax.random.key(4), IMAGES)).any()


def test_shapes_are_checked():
    with pytest.raises(AssertionError):
        augment.resample(IMAGES, jnp.zeros((5, 9, 7, 2)))


def test_turns_are_by_quarters_and_mirrored():
    squares = np.tile(IMAGES[:1, :7], (8, 1, 1, 1))
    found = np.asarray(compiled(augment.turn, squares, np.arange(8)))
    for turns in range(8):
        expected = np.rot90(squares[turns], turns % 4)
        np.testing.assert_array_equal(found[turns], expected[:, ::-1] if turns >= 4 else expected)
    # All differ: eight classes of one.
    assert len(np.unique(found.reshape(8, -1), axis=0)) == 8
    with pytest.raises(AssertionError):
        augment.turn(IMAGES, jnp.zeros(6, int))  # 9 x 7 pixels


def test_beyond_the_edge_a_picture_may_go_on():
    places = jnp.array([[[[-3.0, 1.0], [1.0, 40.0]]]])
    image = IMAGES[:1]
    height, width = image.shape[1:3]
    found = augment.resample(image, places, edge=True)
    np.testing.assert_allclose(found[0, 0, 0], image[0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(found[0, 0, 1], image[0, 1, width - 1], atol=1e-6)
    assert not augment.resample(image, places).any()


def test_recolor_changes_brightness_contrast_and_saturation():
    images = np.random.default_rng(4).uniform(0.3, 0.6, (200, 6, 5, 3)).astype(np.float32)
    kept = np.asarray(
        compiled(augment.recolor, jax.random.key(0), jnp.asarray(images), strength=0.0, gray=0.0)
    )
    np.testing.assert_allclose(kept, images, atol=1e-6)
    colorless = np.asarray(
        compiled(augment.recolor, jax.random.key(1), jnp.asarray(images), strength=0.0, gray=1.0)
    )
    luma = images @ np.array([0.299, 0.587, 0.114], np.float32)
    np.testing.assert_allclose(colorless, np.repeat(luma[..., None], 3, axis=3), atol=1e-5)
    changed = np.asarray(
        compiled(augment.recolor, jax.random.key(2), jnp.asarray(images), strength=0.4, gray=0.25)
    )
    assert changed.min() >= 0
    assert changed.max() <= 1
    gray = np.ptp(changed, axis=3).max(axis=(1, 2)) < 1e-6
    assert 0.15 < gray.mean() < 0.35
    factor = changed.mean(axis=(1, 2, 3)) / images.mean(axis=(1, 2, 3))
    assert factor.min() < 0.7
    assert factor.max() > 1.3
    assert 0.9 < factor.mean() < 1.1
