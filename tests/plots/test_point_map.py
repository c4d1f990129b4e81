import base64
import io

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from jaxemb.errors import InputError
from jaxemb.plots import point_map
from jaxemb.plots.style import COLORS

CLASSES = ["cat", "</script>", "dog & co"]
N = 12


def _arrays(channels=()):
    rng = np.random.default_rng(2)
    # Far apart, so that the pointer hits one.
    points = np.column_stack([np.arange(N) % 4 * 50, np.arange(N) // 4 * 50]) + rng.normal(
        size=(N, 2)
    )
    labels = np.arange(N) % 3
    images = rng.integers(256, size=(N, 6, 5, *channels), dtype=np.uint8)
    ids = np.array([[(i + 5) % N, (i + 2) % N] for i in range(N)])
    return points, labels, images, ids, np.tile([0.75, -0.5], (N, 1))


def _open(browser, path, **options):
    points, labels, images, ids, cosines = _arrays()
    options = {
        "labels": labels,
        "classes": CLASSES,
        "images": images,
        "near": point_map.Near(ids, 1 - cosines, "cosine"),
        **options,
    }
    point_map.write_html(path, points, title="Images", **options)
    _show(browser, path)
    return points


def _show(browser, path):
    browser.get(path.as_uri())
    _wait(browser, lambda shown: "ready" in shown)


def _shown(browser) -> dict[str, str]:
    return browser.execute_script("return {...document.body.dataset}")


def _wait(browser, reached) -> dict[str, str]:
    WebDriverWait(browser, 30).until(lambda _: reached(_shown(browser)))
    return _shown(browser)


def _move_to(browser, point) -> ActionChains:
    x0, x1, y0, y1 = map(float, _shown(browser)["view"].split())
    plot = browser.find_element(By.ID, "map")
    right = ((point[0] - x0) / (x1 - x0) - 0.5) * plot.size["width"]
    down = ((y1 - point[1]) / (y1 - y0) - 0.5) * plot.size["height"]
    return ActionChains(browser).move_to_element_with_offset(plot, round(right), round(down))


def _pixels(browser, canvas: str, i: int, width: int = 5) -> np.ndarray:
    """What a canvas shows of image i, once it does, a pixel for each of the image's."""
    script = f"return document.querySelector('{canvas}').dataset.shown"
    WebDriverWait(browser, 30).until(lambda _: browser.execute_script(script) == str(i))
    # Reading pixels one by one would make the browser complain.
    shown = browser.execute_script(f"return document.querySelector('{canvas}').toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2]))).convert("RGB")
    zoom = picture.width // width
    return np.asarray(picture)[::zoom, ::zoom]


@pytest.mark.browser
@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "color"])
def test_a_point_under_the_pointer_shows_its_image(browser, tmp_path, channels):
    images = _arrays(channels)[2]
    points = _open(browser, tmp_path / "map.html", images=images)
    for i in (0, 7, N - 1):
        _move_to(browser, points[i]).perform()
        assert _wait(browser, lambda shown: "over" in shown)["over"] == str(i)
        tip = browser.find_element(By.ID, "tip")
        assert tip.text == CLASSES[i % 3]
        # Noise is smaller as PNG, which keeps every value.
        expected = images[i] if channels else np.repeat(images[i][..., None], 3, axis=2)
        np.testing.assert_array_equal(_pixels(browser, "#tip-image", i), expected)
        _move_to(browser, points[i] + 20 * np.sign([75, 50] - points[i])).perform()
        _wait(browser, lambda shown: "over" not in shown)
        assert not tip.is_displayed()


@pytest.mark.browser
def test_a_click_shows_image_and_neighbors(browser, tmp_path):
    _, _, images, ids, _ = _arrays()
    points = _open(browser, tmp_path / "map.html")
    _move_to(browser, points[6]).click().perform()
    shown = _wait(browser, lambda shown: shown.get("point") == "6")
    assert shown["nearest"] == " ".join(map(str, ids[6]))
    assert browser.find_element(By.ID, "name").text == CLASSES[0]
    assert browser.find_element(By.ID, "facts").text == "point 6"
    np.testing.assert_array_equal(_pixels(browser, "#image", 6)[..., 0], images[6])
    rows = browser.find_elements(By.CSS_SELECTOR, "#neighbors button")
    assert [row.text.split("\n") for row in rows] == [
        [CLASSES[ids[6, 0] % 3], "0.750"],
        [CLASSES[ids[6, 1] % 3], "-0.500"],
    ]
    np.testing.assert_array_equal(
        _pixels(browser, "#neighbors li:nth-child(2) canvas", ids[6, 1])[..., 0], images[ids[6, 1]]
    )
    rows[1].click()
    _wait(browser, lambda shown: shown.get("point") == str(ids[6, 1]))


@pytest.mark.browser
def test_points_beyond_the_images_have_none(browser, tmp_path):
    _, _, images, ids, _ = _arrays()
    names = [f"picture {i}" if i < 7 else f"word {i}" for i in range(N)]
    points = _open(browser, tmp_path / "map.html", images=images[:7], names=names, ranked=False)
    _move_to(browser, points[8]).perform()
    assert _wait(browser, lambda shown: "over" in shown)["over"] == "8"
    assert not browser.find_element(By.ID, "tip-image").is_displayed()
    _move_to(browser, points[8]).click().perform()
    _wait(browser, lambda shown: shown.get("point") == "8")
    assert not browser.find_element(By.ID, "image").is_displayed()
    shown = [
        len(row.find_elements(By.TAG_NAME, "canvas"))
        for row in browser.find_elements(By.CSS_SELECTOR, "#neighbors button")
    ]
    assert shown == [int(i < 7) for i in ids[8]]
    _move_to(browser, points[2]).click().perform()
    _wait(browser, lambda shown: shown.get("point") == "2")
    assert browser.find_element(By.ID, "image").is_displayed()


@pytest.mark.browser
def test_the_legend_hides_and_shows_classes(browser, tmp_path):
    points = _open(browser, tmp_path / "map.html")
    entries = browser.find_elements(By.CSS_SELECTOR, "#legend button")
    assert [entry.text.split("\n") for entry in entries] == [[name, "4"] for name in CLASSES]
    entries[1].click()
    assert _shown(browser)["classes"] == "cat dog & co"
    # A hidden point is not under the pointer, nor anywhere in the picture.
    _move_to(browser, points[1]).perform()
    assert "over" not in _shown(browser)
    _move_to(browser, points[3]).perform()
    assert _wait(browser, lambda shown: "over" in shown)["over"] == "3"

    def drawn(i):
        return browser.execute_script(
            """view.draw()
            const place = view.place(x[arguments[0]], y[arguments[0]])
            const [left, top] = place.map((value) => Math.round(value * view.ratio))
            const pixel = top * view.image.width + left
            return [...view.image.data.slice(4 * pixel, 4 * pixel + 4)]""",
            i,
        )

    assert drawn(1) == [255, 255, 255, 255]
    assert drawn(3) != drawn(5) != [255, 255, 255, 255]
    entries[1].click()
    assert drawn(1) != [255, 255, 255, 255]
    ActionChains(browser).double_click(entries[2]).perform()
    assert _shown(browser)["classes"] == "dog & co"
    entries[2].click()  # the last one: all come back
    assert _shown(browser)["classes"] == "cat </script> dog & co"


@pytest.mark.browser
def test_wheel_and_drag_move_the_map(browser, tmp_path):
    def view():
        return np.array(_shown(browser)["view"].split(), float)

    _open(browser, tmp_path / "map.html")
    before = view()
    plot = browser.find_element(By.ID, "map")
    browser.execute_script(
        """const canvas = document.getElementById("canvas"), box = canvas.getBoundingClientRect()
        const where = {clientX: box.left + 90, clientY: box.top + 60}
        canvas.dispatchEvent(new WheelEvent("wheel", {...where, deltaY: -500, cancelable: true}))"""
    )
    zoomed = view()
    assert np.ptp(zoomed[:2]) == pytest.approx(np.exp(-0.8) * np.ptp(before[:2]))
    # What lay under the pointer stays.
    for axis, share in ((0, 90 / plot.size["width"]), (1, 1 - 60 / plot.size["height"])):
        low, high = before[2 * axis :][:2], zoomed[2 * axis :][:2]
        kept = low[0] + share * np.ptp(low)
        assert kept == pytest.approx(high[0] + share * np.ptp(high))
    drag = ActionChains(browser).move_to_element(plot).click_and_hold()
    drag.move_by_offset(50, -30).release().perform()
    unit = np.ptp(zoomed[:2]) / plot.size["width"]
    np.testing.assert_allclose(view() - zoomed, unit * np.array([-50, -50, -30, -30]), rtol=1e-6)
    assert "point" not in _shown(browser)  # a drag is no click
    browser.find_element(By.ID, "whole").click()
    np.testing.assert_allclose(view(), before)


@pytest.mark.browser
def test_bare_numbers_have_neither_search_nor_legend(browser, tmp_path):
    point_map.write_html(tmp_path / "map.html", _arrays()[0])
    _show(browser, tmp_path / "map.html")
    for hidden in ("search", "legend", "details", "tip"):
        assert not browser.find_element(By.ID, hidden).is_displayed()
    _move_to(browser, _arrays()[0][9]).click().perform()
    _wait(browser, lambda shown: shown.get("point") == "9")
    assert browser.find_element(By.ID, "name").text == "point 9"
    assert not browser.find_element(By.ID, "near").is_displayed()


@pytest.mark.browser
def test_all_points_in_one_place(browser, tmp_path):
    point_map.write_html(tmp_path / "map.html", np.full((5, 2), 3.0))
    _show(browser, tmp_path / "map.html")
    _move_to(browser, [3, 3]).perform()
    shown = _wait(browser, lambda shown: "over" in shown)
    assert 0 <= int(shown["over"]) < 5


@pytest.mark.browser
def test_seventy_thousand_images(browser, tmp_path):
    rng = np.random.default_rng(0)
    size = 70_000
    labels = rng.integers(10, size=size)
    points = rng.normal(size=(size, 2)) + 4 * labels[:, None]
    images = np.zeros((size, 28, 28), np.uint8)
    images[:, 8:20, 8:20] = rng.integers(0, 256, size=(size, 12, 1), dtype=np.uint8)
    point_map.write_html(
        tmp_path / "map.html", points, labels=labels, classes=list("0123456789"), images=images
    )
    assert (tmp_path / "map.html").stat().st_size < 25e6
    _show(browser, tmp_path / "map.html")
    # The last image lies in the last sheet.
    browser.execute_script("go(arguments[0])", size - 1)
    script = "return document.getElementById('image').dataset.shown"
    WebDriverWait(browser, 30).until(lambda _: browser.execute_script(script) == str(size - 1))
    shown = _pixels(browser, "#image", size - 1, 28)
    np.testing.assert_array_equal(shown[..., 0], images[-1])


@pytest.mark.browser
def test_a_picture_moved_is_the_same_as_one_drawn_anew(browser, tmp_path):
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(2000, 2)), rng.integers(10, size=2000)
    classes = list("abcdefghij")
    point_map.write_html(tmp_path / "map.html", points, labels=labels, classes=classes)
    _show(browser, tmp_path / "map.html")
    same = browser.execute_script(
        """view.draw()
        const steps = [[7, 0], [0, -5], [-31, 12], [3.3, 8.9], [-2000, 0], [0.2, 0.1]]
        return steps.map(([right, down]) => {
          view.moveBy(right, down)
          view.draw()
          const moved = view.image.data.slice()
          view.drawn = undefined
          view.draw()
          return moved.every((value, at) => value === view.image.data[at])
        })"""
    )
    assert same == 6 * [True]


@pytest.mark.browser
def test_the_tooltip_follows_and_shows_the_columns(browser, tmp_path):
    columns = {"price": np.linspace(0, 1, N) / 3, "town": [f"town {i}" for i in range(N)]}
    points = _open(browser, tmp_path / "map.html", images=None, columns=columns)
    tip = browser.find_element(By.ID, "tip")
    _move_to(browser, points[4]).perform()
    _wait(browser, lambda shown: shown.get("over") == "4")
    assert tip.text.split("\n") == [CLASSES[1], "price", f"{4 / 33:.6g}", "town", "town 4"]
    before = tip.location
    _move_to(browser, points[4]).move_by_offset(2, 1).perform()
    assert tip.location == {"x": before["x"] + 2, "y": before["y"] + 1}
    _move_to(browser, points[4]).click().perform()
    _wait(browser, lambda shown: shown.get("point") == "4")
    facts = browser.find_element(By.ID, "columns").text.split("\n")
    assert facts == ["price", f"{4 / 33:.6g}", "town", "town 4"]


def _colors(browser) -> list[str]:
    return browser.execute_script("return [...view.shade].map((shade) => css(view.palette[shade]))")


@pytest.mark.browser
def test_points_are_colored_by_any_column(browser, tmp_path):
    numbers = np.arange(N) / 7
    numbers[3] = np.nan
    columns = {
        "size": numbers,
        "kind": np.array(["b", "a"] * (N // 2)),
        "year": np.arange(N) + 1990,
    }
    _open(browser, tmp_path / "map.html", columns=columns)
    choices = Select(browser.find_element(By.ID, "color"))
    assert [option.text for option in choices.options] == ["class", "size", "kind", "year"]
    by_class = _colors(browser)
    assert len(set(by_class)) == 3
    choices.select_by_visible_text("size")
    by_size = _colors(browser)
    assert len(set(by_size)) == N
    legend = browser.find_element(By.ID, "legend")
    assert legend.text.split("\n") == ["0", f"{11 / 7:.6g}"]
    choices.select_by_visible_text("kind")
    by_kind = _colors(browser)
    assert by_kind == by_kind[:2] * (N // 2)
    entries = browser.find_elements(By.CSS_SELECTOR, "#legend button")
    assert [entry.text.split("\n") for entry in entries] == [["b", "6"], ["a", "6"]]
    entries[0].click()
    assert browser.execute_script("return [...view.visible]") == [0, 1] * (N // 2)
    choices.select_by_visible_text("class")
    assert browser.execute_script("return [...view.visible]") == N * [1]
    assert _colors(browser) == by_class


@pytest.mark.browser
def test_the_selection_has_no_class_s_color(browser, tmp_path):
    points = _open(browser, tmp_path / "map.html", images=None)
    _move_to(browser, points[5]).click().perform()
    _wait(browser, lambda shown: shown.get("point") == "5")
    mark = browser.execute_script(
        """view.draw()
        const [left, top] = view.place(x[5], y[5]).map((value) => Math.round(value * view.ratio))
        return [...view.context.getImageData(left + 8, top, 1, 1).data]"""
    )
    assert mark == [16, 20, 24, 255]
    assert not any(to_hex(np.array(mark[:3]) / 255) == color for color in COLORS)


@pytest.mark.browser
def test_classes_are_named_where_most_of_their_points_lie(browser, tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=900)
    middles = np.array([[0, 0], [40, 0], [0, 40]])
    points = middles[labels] + rng.normal(size=(900, 2))
    # A class in two places: not between them.
    points[(labels == 1) & (rng.random(900) < 0.3), 0] += 60
    point_map.write_html(tmp_path / "map.html", points, labels=labels, classes=["x", "y", "z"])
    _show(browser, tmp_path / "map.html")
    named = browser.execute_script("return clusters.map(({name, x, y}) => [name, x, y])")
    places = {name: (x, y) for name, x, y in named}
    for name, middle in zip("xyz", middles, strict=True):
        np.testing.assert_allclose(places[name], middle, atol=1.5)
    written = browser.execute_script("view.draw(); return labelings.map(({text}) => text)")
    assert sorted(written) == ["x", "y", "z"]
    browser.find_elements(By.CSS_SELECTOR, "#legend button")[0].click()
    assert sorted(browser.execute_script("return clusters.map(({name}) => name)")) == ["y", "z"]


@pytest.mark.browser
def test_text_columns_are_searched(browser, tmp_path):
    rng = np.random.default_rng(0)
    towns = [f"Town {i:02}" for i in range(30)]
    point_map.write_html(tmp_path / "map.html", rng.normal(size=(30, 2)), columns={"town": towns})
    _show(browser, tmp_path / "map.html")
    box = browser.find_element(By.ID, "word")
    assert box.get_attribute("placeholder") == "Find in town"
    box.send_keys("town 17" + Keys.ENTER)
    assert _wait(browser, lambda shown: "point" in shown)["point"] == "17"


@pytest.mark.browser
def test_points_far_off_are_told_and_can_be_reached(browser, tmp_path):
    points = np.random.default_rng(0).normal(size=(4000, 2))
    points[9] = [500, 0]
    point_map.write_html(tmp_path / "map.html", points)
    _show(browser, tmp_path / "map.html")
    about = browser.find_element(By.ID, "about").text
    assert "1 of 4,000 points lies outside of this view: zoom out to see them." in about
    whole = np.array(_shown(browser)["view"].split(), float)
    assert np.ptp(whole[:2]) < 20
    browser.execute_script("view.zoom(1e6)")
    x0, x1, _, _ = map(float, _shown(browser)["view"].split())
    assert x0 < 500 < x1


@pytest.mark.browser
def test_light_and_dark(browser, tmp_path):
    def wait_for_paper(theme, shade, color):
        features = [{"name": "prefers-color-scheme", "value": theme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        script = """view.draw()
            return [view.image.data[0], getComputedStyle(document.body).backgroundColor]"""
        WebDriverWait(browser, 30).until(lambda _: browser.execute_script(script) == [shade, color])

    point_map.write_html(tmp_path / "map.html", _arrays()[0], names=[f"w{i}" for i in range(N)])
    try:
        _show(browser, tmp_path / "map.html")
        wait_for_paper("light", 255, "rgb(255, 255, 255)")
        light = _colors(browser)
        wait_for_paper("dark", 20, "rgb(20, 24, 29)")
        brightness = [sum(map(int, color[4:-1].split())) for color in _colors(browser)]
        # What is frequent stands out from either.
        assert brightness[0] > brightness[-1]
        assert sum(map(int, light[0][4:-1].split())) < sum(map(int, light[-1][4:-1].split()))
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.browser
def test_distances_are_shown_as_they_are(browser, tmp_path):
    ids, distances = _arrays()[3], np.tile([2.0, 1234.5678], (N, 1))
    near = point_map.Near(ids, distances, "Euclidean distance")
    _open(browser, tmp_path / "map.html", near=near, axes_names=["size & weight", "b"])
    browser.execute_script("select(2)")
    assert "by Euclidean distance" in browser.find_element(By.ID, "near").text
    rows = browser.find_elements(By.CSS_SELECTOR, "#neighbors button")
    assert [float(row.text.split("\n")[1]) for row in rows] == pytest.approx([2, 1235], rel=0.01)


@pytest.mark.parametrize(
    ("values", "kind", "categories"),
    [
        (np.array([1.5, np.nan, 3]), "f4", None),
        (np.array([1.7e9, 1.7e9 + 1, 1.7e9 + 2]), "f8", None),  # seconds since 1970
        (np.array([3, 1, 3]), "u2", ["1", "3"]),
        (np.array([True, False, True]), "u2", ["False", "True"]),
        (["b", None, "a"], "u2", ["b", "–", "a"]),
        (np.array(["2024-01-05", "2023-01-01"] * 2, "M8[ns]")[1:], "u2", None),
    ],
)
def test_columns_of_any_kind(values, kind, categories):
    column = point_map.pack_column("it", values, 3)
    assert (column["name"], column["kind"]) == ("it", kind)
    assert categories is None or column["categories"] == categories
    held = np.frombuffer(base64.b64decode(column["values"]), f"<{kind}")
    if kind != "u2":
        np.testing.assert_array_equal(held, values)
    else:
        assert [column["categories"][i] for i in held][2] == str(np.asarray(values)[2])


def test_whole_numbers_of_many_values_keep_all_digits():
    column = point_map.pack_column("id", np.arange(30) + 2**25, 30)
    assert column["kind"] == "f8"


def test_a_hundred_thousand_points_make_a_page_below_twelve_megabytes(tmp_path):
    rng = np.random.default_rng(0)
    size = 100_000
    near = point_map.Near(rng.integers(size, size=(size, 10)), rng.random((size, 10)), "cosine")
    names = [f"word{i}" for i in range(size)]
    columns = {"a": rng.normal(size=size), "b": rng.normal(size=size)}
    path = tmp_path / "map.html"
    point_map.write_html(path, rng.normal(size=(size, 2)), names=names, near=near, columns=columns)
    assert path.stat().st_size < 12e6


def test_too_many_pixels_are_thinned_out(monkeypatch):
    images = np.random.default_rng(0).integers(256, size=(40, 9, 7), dtype=np.uint8)
    monkeypatch.setattr(point_map.sprites, "_PIXELS", 40 * 63 // 2)
    packed = point_map.sprites.pack(images)
    assert (packed.height, packed.width) == (5, 4)


def test_faults_are_told_and_leave_no_file(tmp_path):
    points, labels, images, ids, cosines = _arrays()
    path = tmp_path / "map.html"
    wrong = point_map.Near(ids + (ids == 11), 1 - cosines, "cosine")
    with pytest.raises(InputError, match=r"neighbors 0\.\.12 are outside 0\.\.11"):
        point_map.write_html(path, points, near=wrong)
    hole = points.copy()
    hole[4, 0] = np.inf
    with pytest.raises(InputError, match="1 of 12 points are not finite, the first number 4"):
        point_map.write_html(path, hole)
    with pytest.raises(AssertionError):
        point_map.write_html(path, points, labels=labels[1:])
    with pytest.raises(AssertionError):
        point_map.write_html(path, points[1:], images=images)
    assert not list(tmp_path.iterdir())
