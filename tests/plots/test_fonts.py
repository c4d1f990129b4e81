import logging
import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from jaxemb.errors import InputError
from jaxemb.plots import fonts, scatter
from jaxemb.plots.style import new_figure

# Letters that Matplotlib's usual font lacks: Devanagari, Hangul, CJK.
HINDI, KOREAN, CHINESE = "नम", "한국", "中文"


def make_font(path, letters, name):
    """A font whose letters are black boxes."""
    builder = FontBuilder(1000)
    names = {ord(letter): f"u{ord(letter):X}" for letter in letters}
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    pen = TTGlyphPen(None)
    for move, point in zip("lll", [(0, 700), (600, 700), (600, 0)], strict=True):
        if move == "l" and point == (0, 700):
            pen.moveTo((0, 0))
        pen.lineTo(point)
    pen.closePath()
    builder.setupGlyf(dict.fromkeys([".notdef", *names.values()], pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (700, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": name, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A system with two fonts."""
    found = [
        make_font(tmp_path / "HindiSans-Regular.ttf", HINDI, "Test Hindi"),
        make_font(tmp_path / "Chinese.ttf", CHINESE, "Test Chinese"),
        tmp_path / "LastResort.ttf",
    ]
    make_font(found[2], HINDI + KOREAN + CHINESE, "Last Resort")
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: list(map(str, found)))
    monkeypatch.setattr(fonts, "_named", [])
    return tmp_path


def test_fonts_are_found_by_what_they_have(system):
    assert fonts.families_for("frog, Ελλάδα, сыр")[0] == ["DejaVu Sans"]
    families, missing = fonts.families_for(HINDI + KOREAN + CHINESE + "frog\u200d")
    assert families == ["DejaVu Sans", "Test Chinese", "Test Hindi"]
    assert missing == set(KOREAN)


def test_a_named_font_comes_first(system):
    path = make_font(system / "mine.otf", HINDI + KOREAN, "Mine")
    fonts.add_font(path)
    families, missing = fonts.families_for(HINDI + KOREAN)
    assert families == ["DejaVu Sans", "Mine"]
    assert not missing
    with pytest.raises(InputError, match=r"font: .*none\.ttf: no such file"):
        fonts.add_font(system / "none.ttf")
    (system / "text.ttf").write_text("no font")
    with pytest.raises(InputError, match=r"text\.ttf is no font that can be scaled"):
        fonts.add_font(system / "text.ttf")


@pytest.mark.parametrize("dim", [1, 2])
def test_classes_and_titles_in_any_script_are_drawn(system, caplog, dim):
    points = np.random.default_rng(0).normal(size=(30, dim))
    classes = ["cat", HINDI, KOREAN]
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING, "jaxemb"):
        warnings.simplefilter("error")  # Matplotlib warns of each letter without a glyph
        scatter.write_map(
            system / "map.png", points, labels=np.arange(30) % 3, classes=classes, title=CHINESE
        )
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("map.png: no font here has the letters of Hangul; they are drawn as")
    assert "\n" not in line


def test_text_keeps_its_letters_where_a_font_has_them(system):
    figure = new_figure(3, 3)
    text = figure.text(0.5, 0.5, CHINESE + KOREAN)
    fonts.fit_fonts(figure, "it")
    assert text.get_text() == CHINESE + "??"
    assert text.get_fontfamily() == ["DejaVu Sans", "Test Chinese"]
