import numpy as np
import pytest

from jaxemb import contrastive_images, io
from jaxemb.errors import InputError

OPTIONS = contrastive_images.Options(patterns=64, patch_dim=16, cells=2, dim=16)


def stripes(count: int, seed: int, *, color: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Stripes down, across or aslant, of any colors, widths and places; and which they are."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:20, :20]
    labels = rng.integers(3, size=count)
    images = []
    for label in labels:
        place = (row, column, row + column)[label] + rng.uniform(0, 9)
        wave = np.sin(place * rng.uniform(0.9, 1.4))[..., None]
        ends = rng.integers(0, 256, (2, 3))
        noise = rng.normal(0, 6, (20, 20, 3))
        images.append(ends.mean(axis=0) + wave * (ends[0] - ends[1]) / 2 + noise)
    found = np.clip(images, 0, 255).astype(np.uint8)
    return (found if color else found.mean(axis=3).astype(np.uint8)), labels


@pytest.mark.parametrize("color", [True, False])
def test_what_looks_alike_is_near(color):
    images, labels = stripes(300, 0, color=color)
    new, expected = stripes(60, 1, color=color)
    model = contrastive_images.fit(0, images, OPTIONS).model
    known, asked = (contrastive_images.encode(model, x) for x in (images, new))
    assert asked.shape == (60, 16)

    def right(known: np.ndarray, asked: np.ndarray) -> float:
        known, asked = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (known, asked))
        return float((labels[(asked @ known.T).argmax(axis=1)] == expected).mean())

    flat = [
        x.reshape(len(x), -1) - images.reshape(len(images), -1).mean(axis=0) for x in (images, new)
    ]
    assert right(known, asked) > 0.95 > right(*flat)


def test_the_same_seed_the_same_bits_and_another_others():
    images, _ = stripes(60, 2)
    first, again, other = (
        contrastive_images.encode(contrastive_images.fit(key, images, OPTIONS).model, images)
        for key in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_batch_does_not_change_a_picture(monkeypatch):
    images, _ = stripes(50, 5)
    model = contrastive_images.fit(0, images, OPTIONS).model
    whole = contrastive_images.encode(model, images)
    monkeypatch.setattr(contrastive_images, "_AT_A_TIME", 7)
    np.testing.assert_allclose(contrastive_images.encode(model, images), whole, atol=1e-4)


def test_learns_from_a_part_of_many(monkeypatch):
    images, _ = stripes(80, 6)
    monkeypatch.setattr(contrastive_images, "_LEARNED_FROM", 40)
    model = contrastive_images.fit(0, images, OPTIONS).model
    assert contrastive_images.encode(model, images).shape == (80, 16)


def test_saved_and_loaded(tmp_path):
    images, _ = stripes(40, 7)
    fitted = contrastive_images.fit(0, images, OPTIONS)
    io.save(tmp_path / "model", fitted)
    loaded = io.load(tmp_path / "model")
    np.testing.assert_array_equal(
        contrastive_images.encode(loaded.model, images),
        contrastive_images.encode(fitted.model, images),
    )


def test_few_pictures_have_short_vectors():
    images, _ = stripes(20, 8)
    model = contrastive_images.fit(
        0, images, contrastive_images.Options(patterns=200, patch_dim=64)
    ).model
    vectors = contrastive_images.encode(model, images)
    assert vectors.shape[1] <= 20
    assert np.isfinite(vectors).all()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((30, 16, 16, 3)), "images must be .* uint8, found .* float64"),
        (np.zeros((30, 16, 16, 4), np.uint8), r"images must be .*\[30, 16, 16, 4\]"),
        (np.zeros((30, 16), np.uint8), "images must be"),
        (np.zeros((19, 16, 16), np.uint8), "20 or more, found 19"),
        (np.zeros((30, 16, 6), np.uint8), "7 pixels a side or more.*6 x 16 pixels in gray"),
        (np.zeros((30, 16, 16, 3), np.uint8), "images must differ"),
    ],
)
def test_refuses_what_is_no_picture(images, message):
    with pytest.raises(InputError, match=message):
        contrastive_images.fit(0, images, OPTIONS)


def test_refuses_pictures_of_another_size():
    images, _ = stripes(40, 9)
    model = contrastive_images.fit(0, images, OPTIONS).model
    with pytest.raises(InputError, match="20 x 20 pixels in color.*found 20 x 20 pixels in gray"):
        contrastive_images.encode(model, images[..., 0])
    with pytest.raises(InputError, match="model must be that of a Fitted"):
        contrastive_images.encode(None, images)


@pytest.mark.parametrize(
    ("field", "value"),
    [("patch", 1), ("patterns", 1), ("threshold", 1.0), ("floor", 0.0), ("power", 0.6), ("dim", 1)],
)
def test_refuses_fields(field, value):
    with pytest.raises(InputError, match=field):
        contrastive_images.Options(**{field: value})


def test_patches_have_fewer_numbers_than_patterns():
    with pytest.raises(InputError, match="patch_dim must be less than patterns, found 64 and 64"):
        contrastive_images.Options(patterns=64, patch_dim=64)
