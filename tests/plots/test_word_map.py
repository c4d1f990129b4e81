import logging

import matplotlib.image
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.plots import labels, word_map

# The last ones would break a picture that took them for markup.
WORDS = ["the", "frog", "toad", "Paris", "fromage", "</script><b>", "&amp;", "$x"]


def _points():
    rng = np.random.default_rng(4)
    # Wider than high, in units far from pixels.
    return np.column_stack([np.arange(8.0) * 900, rng.normal(size=8)]) - 100


def test_points_that_are_not_finite_are_refused(tmp_path):
    points = _points()
    points[3, 1] = np.nan
    message = "1 of 8 points are not finite, the first that of 'Paris'"
    with pytest.raises(InputError, match=message):
        word_map.write_png(tmp_path / "map.png", WORDS, points)


@pytest.fixture
def written(monkeypatch):
    """The names that a picture was given."""
    names = []
    annotate = labels.Axes.annotate

    def note(*args, **kwargs):
        names.append(annotate(*args, **kwargs))
        return names[-1]

    monkeypatch.setattr(labels.Axes, "annotate", note)
    return names


def test_picture_names_the_frequent_words_where_there_is_room(tmp_path, written):
    points = _points()
    points[2] = points[0]  # "toad" would cover the more frequent "the"
    path = tmp_path / "map.png"
    word_map.write_png(path, WORDS, points, labeled=6, title="$x$")
    named = [name.get_text() for name in written]
    assert named == ["the", "frog", "Paris", "fromage", "</script><b>", "&amp;"]
    picture = matplotlib.image.imread(path)
    # The map is flat, and so is the picture.
    assert picture.shape[0] / picture.shape[1] == pytest.approx(0.5, rel=0.05)
    assert picture[..., :3].min() < 0.5 < picture[..., :3].max()


def test_names_in_the_picture_do_not_overlap(tmp_path, written):
    points = np.random.default_rng(1).normal(size=(900, 2))
    word_map.write_png(tmp_path / "map.png", [f"w{i:03}" for i in range(900)], points, labeled=900)
    # The crowd in the middle has no room for all, the rest has for many.
    assert 200 < len(written) < 900
    boxes = [name.get_window_extent() for name in written]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_part_of_the_words_and_what_lies_outside_are_told(tmp_path, monkeypatch):
    notes = []
    monkeypatch.setattr(word_map, "add_note", lambda axes, note: notes.append(note))
    rng = np.random.default_rng(0)
    points = rng.normal(size=(3000, 2))
    points[7] = 300
    words = [f"w{i}" for i in range(3000)]
    word_map.write_png(tmp_path / "map.png", words, points, labeled=5, total=70_000)
    assert notes == ["3,000 of 70,000 words, the most frequent; 1 of 3,000 points lies outside"]


def test_words_in_a_script_without_a_font_have_no_boxes_but_a_line(tmp_path, written, caplog):
    # Private fonts apart, no system has these two: Linear A and Egyptian hieroglyphs.
    words = ["frog", "\U00010600\U00010601", "\U00013000", "toad"]
    with caplog.at_level(logging.WARNING, "jaxemb"):
        word_map.write_png(tmp_path / "map.png", words, _points()[:4], title="\U00010600 map")
    assert [name.get_text() for name in written] == ["frog", "toad"]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "map.png: no font here has the letters of Linear; they are drawn as question" in lines[0]
    assert "letters of Egyptian, Linear; 2 of 4 names are left out of the picture" in lines[1]
