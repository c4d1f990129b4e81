import matplotlib.image
import numpy as np
import pytest

from jaxemb.plots import intervals, substructure
from jaxemb.plots.style import new_figure


def _relation(order):
    points = np.random.default_rng(0).normal(size=(4, 2, 2))
    pairs = [("a", "b"), ("c", "d$"), ("e", "f"), ("g", "h")]
    return substructure.Relation("some $", pairs, points, np.array(order), "note")


def test_lines_join_the_words_of_a_pair_or_of_another():
    relation = _relation([1, 2, 3, 0])
    axes = new_figure(4, 4).add_subplot()
    substructure.draw_substructure(axes, relation)
    assert sorted(text.get_text() for text in axes.texts) == ["a", "b", "c", "d$", *"efgh"]
    for i, line in enumerate(axes.lines):
        ends = [relation.points[i, 0], relation.points[(i + 1) % 4, 1]]
        np.testing.assert_allclose(line.get_xydata(), ends)


def test_names_stand_away_from_the_other_word():
    points = np.array([[[0.0, 0], [5, 1]], [[9, 0], [2, 1]]])
    relation = substructure.Relation("x", [("a", "b"), ("c", "d")], points, np.arange(2))
    axes = new_figure(4, 4).add_subplot()
    substructure.draw_substructure(axes, relation)
    sides = {text.get_text(): text.get_ha() for text in axes.texts}
    assert sides == {"a": "right", "b": "left", "c": "left", "d": "right"}


def test_pictures(tmp_path):
    relations = 3 * [_relation([0, 1, 2, 3])]
    substructure.write_substructures(tmp_path / "a.png", relations, title="$")
    height, width, _ = matplotlib.image.imread(tmp_path / "a.png").shape
    assert (height, width) == (round(150 * (2 * 5.2 + 0.4)), round(150 * 2 * 5.6))


def test_intervals(tmp_path):
    values, low, high = np.array([1.0, 2, np.nan]), np.array([0, np.nan, np.nan]), np.ones(3)
    one = intervals.Series("one", values, low, high)
    intervals.write_intervals(tmp_path / "b.png", ["x$", "y", "z"], [one, one], x="score $")
    assert matplotlib.image.imread(tmp_path / "b.png").shape == (round(150 * 2.3), 1200, 4)


def test_interval_panels(tmp_path):
    values = np.array([1.0, 2, np.nan])
    one = intervals.Series("one", values, values - 1, values + 1)
    panels = [intervals.Panel("score $", 4 * [one]), intervals.Panel("seconds", [one])]
    intervals.write_interval_panels(tmp_path / "c.png", ["x$", "y", "z"], panels, title="$")
    shape = matplotlib.image.imread(tmp_path / "c.png").shape
    assert shape == (round(150 * (1.8 + 3 * 0.5)), round(150 * (2 + 2 * 3.4)), 4)
    short = one._replace(low=values[:2])
    with pytest.raises(AssertionError):
        intervals.write_interval_panels(
            tmp_path / "d.png", ["x", "y", "z"], [panels[0], intervals.Panel("", [short])]
        )
