import jax
import numpy as np
import pytest

from jaxemb.models import drawings


def drawing(color, *, side=32, low=8, high=24):
    image = np.ones((side, side, 3), np.float32)
    image[low:high, low:high] = color
    return image


def describe(*images):
    return [np.asarray(part) for part in drawings.describe(np.stack(images))]


def test_there_are_six_of_known_widths():
    widths = [part.shape[1] for part in describe(drawing(0))]
    assert widths == [512, 512, 512, 64, 192, 16]
    larger = drawings.describe(np.stack([drawing(0, side=64, low=16, high=48)]))
    assert [part.shape[1] for part in larger] == widths


def test_white_on_black_has_the_lines_of_black_on_white():
    black = drawing(0)
    edges, lines, *_ = describe(black, 1 - black)
    np.testing.assert_allclose(lines[0], lines[1], atol=1e-5)
    assert np.abs(edges[0] - edges[1]).max() > 0.1


def test_the_outline_does_not_see_what_color_the_ink_has():
    _, _, outline, ink, colors, palette = describe(drawing((1, 0, 0)), drawing((0, 0, 0.5)))
    np.testing.assert_allclose(outline[0], outline[1], atol=1e-6)
    np.testing.assert_allclose(ink[0], ink[1], atol=1e-6)
    assert np.abs(colors[0] - colors[1]).max() > 0.5
    # Red is the first hue, blue the ninth of twelve.
    assert palette.argmax(axis=1)[0] == 0
    assert palette[1, :12].argmax() == 8


def test_grays_have_no_hue_and_paper_is_none():
    *_, palette = describe(drawing(1), drawing(0), drawing(1 / 3))
    assert (palette[0] == 0).all()
    assert palette[:, :12].max() < 1e-6
    assert palette[1:, 12:].argmax(axis=1).tolist() == [0, 1]
    assert palette[1, 12] ** 2 == pytest.approx(0.25)


def test_nothing_is_nan_anywhere():
    flat = [np.full((16, 16, 3), value, np.float32) for value in (0, 0.5, 1)]
    assert all(np.isfinite(part).all() for part in describe(*flat))


def test_another_shape_is_refused():
    with pytest.raises(AssertionError):
        jax.eval_shape(drawings.describe, np.ones((2, 32, 30, 3), np.float32))
