import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from jaxemb.errors import InputError
from jaxemb.plots import image_map, lines, scatter, style
from jaxemb.plots.style import COLORS, class_style, new_figure


def _points(size=60, dim=2):
    return np.random.default_rng(3).normal(size=(size, dim)) * 40 + 7


def _picture(path):
    return np.round(255 * matplotlib.image.imread(path)[..., :3]).astype(int)


def _has(picture, color, *, alpha=1.0) -> bool:
    """Whether a color is there, laid over white."""
    expected = 255 * (1 - alpha * (1 - np.array(to_rgb(color))))
    return bool((np.abs(picture - expected) <= 2).all(axis=-1).sum() > 20)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_each_class_has_its_color_in_a_map_of_any_dimension(tmp_path, dim):
    labels = np.arange(60) % 3
    path = tmp_path / "map.png"
    scatter.write_map(path, _points(dim=dim), labels=labels, classes=["a", "$b", "c"], title="$x")
    picture = _picture(path)
    for number in range(4):
        assert _has(picture, COLORS[number], alpha=0.85) == (number < 3)
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.png"]


def test_linked_points_have_lines_between_them(tmp_path):
    points = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    pictures = []
    for links in (None, np.zeros((0, 2), int), np.array([[0, 1]])):
        scatter.write_map(tmp_path / "map.png", points, links=links)
        pictures.append(_picture(tmp_path / "map.png"))
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any(axis=-1).sum() > 300


def test_a_map_fills_its_frame(tmp_path):
    path = tmp_path / "map.png"
    for width, height in ((3, 2), (1, 1.8)):
        points = np.random.default_rng(0).uniform(size=(3000, 2)) * [width, height]
        scatter.write_map(path, points, title="a map")
        picture = _picture(path)
        rows, columns = ((picture < 200).any(axis=-1).any(axis=axis) for axis in (1, 0))
        # The points reach from edge to edge, but for the title and a margin.
        assert np.ptp(np.flatnonzero(columns)) > 0.9 * picture.shape[1]
        assert np.ptp(np.flatnonzero(rows)) > 0.9 * picture.shape[0]
        assert picture.shape[0] / picture.shape[1] == pytest.approx(height / width, rel=0.05)


def test_points_that_fly_off_do_not_shrink_the_map_and_are_told(tmp_path, monkeypatch):
    notes = []
    monkeypatch.setattr(scatter, "add_note", lambda axes, note: notes.append(note))
    points = np.random.default_rng(0).uniform(size=(3000, 2))
    points[4] = 40
    axes = new_figure(4, 4).add_subplot()
    scatter.draw_map(axes, points)
    assert axes.get_xlim()[1] < 1.3
    assert len(axes.collections[0].get_offsets()) == 2999
    scatter.write_map(tmp_path / "map.png", points)
    assert notes == ["1 of 3,000 points lies outside"]


def test_axes_have_names_where_they_mean_something(tmp_path):
    for dim in (1, 2, 3):
        figure = new_figure(4, 4)
        axes = scatter.add_axes(figure, 111, _points(dim=dim))
        scatter.name_axes(axes, ["first", "second", "third"][:dim])
        named = [getattr(axes, f"get_{axis}label")() for axis in "xyz"[:dim]]
        assert named == ["first", "second", "third"][:dim]
    scatter.write_map(tmp_path / "map.png", _points(), axes_names=["$1", "2"])


def test_points_without_classes_have_one_color(tmp_path):
    scatter.write_map(tmp_path / "map.png", _points())
    picture = _picture(tmp_path / "map.png")
    assert [_has(picture, color, alpha=0.85) for color in COLORS] == [True] + 9 * [False]


def test_classes_differ_in_color_or_shape():
    styles = [class_style(number) for number in range(80)]
    assert len(set(styles)) == 80
    assert len({color for color, _ in styles[:10]}) == 10


@pytest.mark.parametrize(("count", "named"), [(20, False), (21, True)])
def test_many_classes_are_named_in_the_map(tmp_path, monkeypatch, count, named):
    written = []

    def note(figure, axes, names, points, **options):
        written.extend(zip(names, points, strict=True))

    monkeypatch.setattr(scatter, "write_apart", note)
    labels = np.concatenate([np.arange(60) % count, np.full(9, 4)])
    classes = [f"${i}" for i in range(count)]
    points = _points(69)
    scatter.write_map(tmp_path / "map.png", points, labels=labels, classes=classes)
    assert {name for name, _ in written} == (set(classes) if named else set())
    if named:
        name, place = written[0]  # the largest first
        assert name == "$4"
        np.testing.assert_allclose(place, np.median(points[labels == 4], axis=0))


def test_points_have_their_names_where_there_is_room(tmp_path, monkeypatch):
    written: list[str] = []
    monkeypatch.setattr(scatter, "write_apart", lambda *given, **_: written.extend(given[2]))
    names = [f"name {i}" for i in range(60)]
    labels = np.arange(60) % 3
    path = tmp_path / "map.png"
    scatter.write_map(path, _points(), labels=labels, classes=list("abc"), names=names)
    assert written == names
    assert _has(_picture(path), COLORS[2], alpha=0.85)  # colors are those of the classes


def test_the_input_s_order_does_not_decide_which_class_lies_on_top():
    axes = new_figure(4, 4).add_subplot()
    scatter.draw_map(axes, _points(1000), labels=np.repeat([0, 1], 500))
    (drawn,) = axes.collections
    first = (drawn.get_facecolors()[:, 0] == to_rgb(COLORS[0])[0])[:500]
    assert 150 < first.sum() < 350


def test_a_point_that_is_not_finite_is_named(tmp_path):
    points = _points()
    points[5, 1] = np.nan
    with pytest.raises(InputError, match="1 of 60 points are not finite, the first number 5"):
        scatter.write_map(tmp_path / "map.png", points)
    assert not list(tmp_path.iterdir())


def test_small_multiples(tmp_path):
    labels = np.arange(60) % 3
    panels = [
        scatter.Panel(f"panel {i}", _points(dim=dim), labels, "note $")
        for i, dim in enumerate([2, 3, 1, 2])
    ]
    scatter.write_grid(tmp_path / "grid.png", panels, columns=3, classes=list("abc"), title="$")
    height, width, _ = _picture(tmp_path / "grid.png").shape
    assert (height, width) == (round(150 * (2 * 3.1 + 0.4)), round(150 * (3 * 2.8 + 1)))


def test_images_do_not_overlap_and_fill_the_room():
    corners = np.random.default_rng(0).integers(300, size=(800, 2))
    chosen = image_map.choose_apart(corners, (20, 13))

    def overlap(a, b):
        return (np.abs(corners[a] - corners[b]) < (20, 13)).all()

    assert not any(overlap(a, b) for i, a in enumerate(chosen) for b in chosen[:i])
    # No other has room.
    assert all(any(overlap(i, j) for j in chosen) for i in range(800))
    assert len(chosen) > 100


def test_drawings_become_ink_and_photographs_stay(tmp_path):
    points = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    drawings = np.zeros((4, 8, 8), np.uint8)
    drawings[:, 2:6, 2:6] = 255
    image_map.write_image_map(tmp_path / "ink.png", points, drawings, labels=np.arange(4))
    picture = _picture(tmp_path / "ink.png")
    assert [_has(picture, color) for color in COLORS[:5]] == 4 * [True] + [False]
    assert not _has(picture, "black")
    photographs = np.tile(np.array([40, 160, 90], np.uint8), (4, 8, 8, 1))
    image_map.write_image_map(tmp_path / "photo.png", points, photographs, labels=np.arange(4))
    picture = _picture(tmp_path / "photo.png")
    assert _has(picture, (40 / 255, 160 / 255, 90 / 255))
    assert not any(_has(picture, color) for color in COLORS[:4])
    # A photograph of a gray wall is none of a drawing.
    assert not style.is_drawing(np.full((2, 5, 5), 130, np.uint8))


def test_words_stand_at_their_points_between_images(tmp_path):
    points = np.array([[0.0, 0], [4, 4], [2, 1], [0, 4]])
    gray = np.full((2, 8, 8, 3), 200, np.uint8)
    pictures = []
    for name, words in (("blank", ["", ""]), ("named", ["$word", "other"])):
        image_map.write_image_map(tmp_path / f"{name}.png", points, gray, words=words)
        pictures.append(_picture(tmp_path / f"{name}.png"))
    rows, columns = np.nonzero((pictures[0] != pictures[1]).any(axis=-1))
    height, width, _ = pictures[0].shape
    # One in the middle and a little above the bottom, one at the upper left.
    middle = columns > width / 3
    assert rows[middle].mean() > 0.6 * height
    assert abs(columns[middle].mean() / width - 0.5) < 0.05
    assert rows[~middle].mean() < 0.2 * height


@pytest.mark.parametrize("span", [(1, 400), (400, 1)])
def test_a_thin_map_of_images_makes_no_endless_picture(tmp_path, span):
    points = np.random.default_rng(0).uniform(size=(40, 2)) * span
    image_map.write_image_map(tmp_path / "images.png", points, np.zeros((40, 8, 8), np.uint8))
    assert max(_picture(tmp_path / "images.png").shape) < 2000


def test_curves_are_means_with_the_range_of_runs(tmp_path):
    axes = new_figure(4, 4).add_subplot()
    runs = np.array([[1.0, 4, 9], [3, 4, 5]])
    drawn = [lines.Line("a", np.array([1, 10, 100]), runs), lines.Line("b", np.arange(3), runs[0])]
    lines.draw_lines(axes, drawn, x="points", y="score", log_x=True)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [2, 4, 7])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), runs[0])
    (band,) = axes.collections  # a single run has none
    edges = band.get_paths()[0].vertices
    assert edges[:, 1].min() == 1
    assert edges[:, 1].max() == 9
    lines.write_lines(tmp_path / "lines.png", drawn, x="$", y="score", title="$", log_x=True)
    assert _picture(tmp_path / "lines.png").shape == (750, 1200, 3)
