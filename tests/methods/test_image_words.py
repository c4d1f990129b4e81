import numpy as np
import pytest

from jaxemb import image_words, io
from jaxemb.errors import InputError

COLORS = {"red": (200, 30, 30), "blue": (30, 30, 200), "green": (30, 160, 30)}
SHAPES = ("square", "bar", "frame")


def drawn(shape: str, color: str, shift: int, size: int = 32) -> np.ndarray:
    image = np.full((size, size, 3), 255, np.uint8)
    low, high = 4 + shift, size - 8 + shift
    if shape == "bar":
        image[low:high, size // 2 - 2 : size // 2 + 3] = COLORS[color]
    else:
        image[low:high, low:high] = COLORS[color]
    if shape == "frame":
        image[low + 4 : high - 4, low + 4 : high - 4] = 255
    return image


THINGS = [(shape, color, shift) for shape in SHAPES for color in COLORS for shift in range(4)]
IMAGES = np.stack([drawn(*thing) for thing in THINGS])
WORDS = [[shape, color] for shape, color, _ in THINGS]
NEW = [(shape, color) for shape in SHAPES for color in COLORS]
NEW_IMAGES = np.stack([drawn(shape, color, 5) for shape, color in NEW])


@pytest.fixture(scope="module")
def fitted():
    return image_words.fit(IMAGES, WORDS)


def test_new_pictures_and_words_find_one_another(fitted):
    seen = image_words.encode(fitted.model, NEW_IMAGES)
    read = image_words.encode_words(fitted.model, [f"A {color} {shape}!" for shape, color in NEW])
    np.testing.assert_allclose(np.linalg.norm(seen, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(read, axis=1), 1, rtol=1e-5)
    cosines = read @ seen.T
    assert (cosines.argmax(axis=1) == np.arange(9)).mean() > 0.8
    assert (cosines.argmax(axis=0) == np.arange(9)).mean() > 0.8


def test_words_may_be_texts_or_lists_and_unknown_ones_are_nan(fitted):
    texts = image_words.fit(IMAGES, [" ".join(own) for own in WORDS])
    asked = ["red square", "nothing known"]
    found = image_words.encode_words(fitted.model, asked)
    np.testing.assert_allclose(image_words.encode_words(texts.model, asked), found, atol=1e-5)
    assert np.isnan(found[1]).all()
    assert not np.isnan(found[0]).any()


def test_two_drawings_of_the_same_things(fitted):
    other = 255 - (255 - IMAGES) // 2  # paler
    both = image_words.fit((IMAGES, other), WORDS)
    assert len(both.model.means) == 2
    seen = [
        image_words.encode(both.model, images, drawing=number)
        for number, images in enumerate((IMAGES, other))
    ]
    assert np.sum(seen[0] * seen[1], axis=1).mean() > 0.9


def test_a_fit_is_saved(fitted, tmp_path):
    io.save(tmp_path, fitted)
    again = image_words.encode(io.load(tmp_path).model, NEW_IMAGES)
    np.testing.assert_array_equal(again, image_words.encode(fitted.model, NEW_IMAGES))


@pytest.mark.parametrize(
    ("images", "words", "message"),
    [
        (IMAGES[:3], WORDS[:2], "images and words must be as many"),
        (IMAGES.astype(np.float32), WORDS, "images must be .N, H, H, 3. uint8"),
        (IMAGES[:, :8, :8], WORDS, "H at least 16"),
        (IMAGES, "red", "words must be a list"),
        (IMAGES, [[1]] * len(IMAGES), "words must be strings, found 1"),
        (IMAGES[:3], [[]] * 3, "words must be of two pictures or more"),
        ((IMAGES, IMAGES[:2]), WORDS, "must be as many"),
    ],
)
def test_what_cannot_be_learned_from(images, words, message):
    with pytest.raises(InputError, match=message):
        image_words.fit(images, words)


def test_what_cannot_be_encoded(fitted):
    with pytest.raises(InputError, match="images must have 32 pixels a side"):
        image_words.encode(fitted.model, NEW_IMAGES[:, :16, :16])
    with pytest.raises(InputError, match="drawing must be from 0 to 0, found 1"):
        image_words.encode(fitted.model, NEW_IMAGES, drawing=1)
    with pytest.raises(InputError, match="model must be that of a Fitted"):
        image_words.encode_words(fitted, ["red"])


@pytest.mark.parametrize(("field", "value"), [("dim", 1), ("penalty", 0.0), ("rarity", -1.0)])
def test_options_out_of_range(field, value):
    with pytest.raises(InputError, match=field):
        image_words.Options(**{field: value})
