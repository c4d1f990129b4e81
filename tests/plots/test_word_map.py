import matplotlib.image
import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from jaxemb.errors import InputError
from jaxemb.plots import word_map

# The last ones would break a page or a picture that took them for markup.
WORDS = ["the", "frog", "toad", "Paris", "fromage", "</script><b>", "&amp;", "$x"]
COUNTS = np.array([90_000, 800, 70, 60, 50, 40, 30, 20])


def _arrays():
    rng = np.random.default_rng(4)
    # Far apart, so that a click hits one; wider than high, in units far from pixels.
    points = np.column_stack([np.arange(8.0) * 900, rng.normal(size=8)]) - 100
    ids = np.array([[(i + 1) % 8, (i + 3) % 8, (i + 6) % 8] for i in range(8)])
    cosines = np.sort(rng.uniform(-0.2, 1, size=(8, 3)))[:, ::-1]
    return points, ids, cosines


@pytest.fixture
def page(browser, tmp_path):
    points, ids, cosines = _arrays()
    path = tmp_path / "map.html"
    word_map.write_html(path, WORDS, points, ids, cosines, counts=COUNTS, title="A <map> & more")
    browser.get(path.as_uri())
    _wait(browser, lambda shown: "ready" in shown)
    return browser


def _shown(page) -> dict[str, str]:
    return page.execute_script("return {...document.body.dataset}")


def _wait(page, reached) -> dict[str, str]:
    WebDriverWait(page, 30).until(lambda _: reached(_shown(page)))
    return _shown(page)


def _search(page, text: str) -> None:
    box = page.find_element(By.ID, "word")
    box.clear()
    box.send_keys(text + Keys.ENTER)


def _neighbors(page) -> list[list[str]]:
    rows = page.find_elements(By.CSS_SELECTOR, "#neighbors button")
    return [[s.text for s in row.find_elements(By.TAG_NAME, "span")] for row in rows]


def _assert_shows(page, i: int) -> None:
    """The page shows word i at its point, with its neighbors in the map and in the list."""
    points, ids, cosines = _arrays()
    shown = _wait(page, lambda shown: shown.get("word") == WORDS[i])
    assert [float(shown["x"]), float(shown["y"])] == points[i].astype(np.float32).tolist()
    assert page.find_element(By.ID, "name").text == WORDS[i]
    rank = f"number {i + 1} by frequency, seen {COUNTS[i]:,} times"
    assert page.find_element(By.ID, "facts").text == rank
    expected = [[WORDS[j], f"{c:.3f}"] for j, c in zip(ids[i], cosines[i], strict=True)]
    assert _neighbors(page) == expected
    assert shown["nearest"] == " ".join(map(str, ids[i]))


@pytest.mark.browser
@pytest.mark.parametrize("i", range(len(WORDS)))
def test_search_highlights_and_centers(page, i):
    points, _, _ = _arrays()
    _search(page, WORDS[i])
    _assert_shows(page, i)

    def is_centered(shown):
        x0, x1, y0, y1 = map(float, shown["view"].split())
        # A thousandth of a pixel.
        return np.allclose([(x0 + x1) / 2, (y0 + y1) / 2], points[i], atol=1e-6 * (x1 - x0))

    _wait(page, is_centered)


@pytest.mark.browser
def test_neighbor_in_the_list_leads_to_it(page):
    _, ids, _ = _arrays()
    _search(page, "frog")
    _assert_shows(page, 1)
    page.find_elements(By.CSS_SELECTOR, "#neighbors button")[2].click()
    _assert_shows(page, ids[1, 2])


@pytest.mark.browser
def test_click_on_a_point_and_beside_it(page):
    points, _, _ = _arrays()
    x0, x1, y0, y1 = map(float, _shown(page)["view"].split())
    plot = page.find_element(By.ID, "map")
    size = plot.size
    right = ((points[4, 0] - x0) / (x1 - x0) - 0.5) * size["width"]
    down = ((y1 - points[4, 1]) / (y1 - y0) - 0.5) * size["height"]
    ActionChains(page).move_to_element_with_offset(plot, right, down).click().perform()
    _assert_shows(page, 4)
    # The same scale along both axes.
    assert np.isclose((x1 - x0) / size["width"], (y1 - y0) / size["height"], rtol=1e-9)
    ActionChains(page).move_to_element_with_offset(plot, right, down + 150).click().perform()
    _wait(page, lambda shown: "word" not in shown)
    assert not page.find_element(By.ID, "details").is_displayed()


@pytest.mark.browser
def test_unknown_word_is_told_with_suggestions(page):
    _search(page, "frogs")
    message = page.find_element(By.ID, "message").text
    assert message == "“frogs” is not among the words here. These begin with “frog”:"
    (frog,) = page.find_elements(By.CSS_SELECTOR, "#suggestions button")
    frog.click()
    _assert_shows(page, 1)
    assert page.find_element(By.ID, "message").text == ""
    _search(page, "qqq")
    assert page.find_element(By.ID, "message").text == "“qqq” is not among the words here."
    assert "word" not in _shown(page)


@pytest.mark.browser
def test_prefixes_are_suggested_while_typing_and_case_is_forgiven(page):
    page.find_element(By.ID, "word").send_keys("fro")
    suggested = page.find_elements(By.CSS_SELECTOR, "#suggestions button")
    assert [button.text for button in suggested] == ["frog", "fromage"]
    _search(page, "FROG")
    _assert_shows(page, 1)


@pytest.mark.browser
def test_title_is_text(page):
    assert page.title == "A <map> & more"
    assert page.find_element(By.TAG_NAME, "h1").text == "A <map> & more"


@pytest.mark.browser
def test_ten_thousand_words(browser, tmp_path):
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(10_000)]
    points, ids = rng.normal(size=(10_000, 2)), rng.integers(10_000, size=(10_000, 10))
    path = tmp_path / "map.html"
    word_map.write_html(path, words, points, ids, rng.uniform(size=(10_000, 10)))
    assert path.stat().st_size < 4e6
    browser.get(path.as_uri())
    _wait(browser, lambda shown: "ready" in shown)
    _search(browser, "word9876")
    _wait(browser, lambda shown: shown.get("word") == "word9876")
    assert browser.find_element(By.ID, "facts").text == "number 9,877 by frequency"


def test_page_refuses_neighbors_of_another_table(tmp_path):
    points, ids, cosines = _arrays()
    with pytest.raises(InputError, match=r"neighbors 0\.\.8 are outside 0\.\.7"):
        word_map.write_html(tmp_path / "map.html", WORDS, points, ids + (ids == 7), cosines)
    assert not list(tmp_path.iterdir())


def test_points_that_are_not_finite_are_refused(tmp_path):
    points, ids, cosines = _arrays()
    points[3, 1] = np.nan
    message = "1 of 8 points are not finite, the first that of 'Paris'"
    with pytest.raises(InputError, match=message):
        word_map.write_html(tmp_path / "map.html", WORDS, points, ids, cosines)
    with pytest.raises(InputError, match=message):
        word_map.write_png(tmp_path / "map.png", WORDS, points)


@pytest.fixture
def written(monkeypatch):
    """The names that a picture was given."""
    names = []
    annotate = word_map.Axes.annotate

    def note(*args, **kwargs):
        names.append(annotate(*args, **kwargs))
        return names[-1]

    monkeypatch.setattr(word_map.Axes, "annotate", note)
    return names


def test_picture_names_the_frequent_words_where_there_is_room(tmp_path, written):
    points, _, _ = _arrays()
    points[2] = points[0]  # "toad" would cover the more frequent "the"
    path = tmp_path / "map.png"
    word_map.write_png(path, WORDS, points, labeled=6, title="$x$")
    named = [name.get_text() for name in written]
    assert named == ["the", "frog", "Paris", "fromage", "</script><b>", "&amp;"]
    picture = matplotlib.image.imread(path)
    assert picture.shape == (1350, 1800, 4)
    assert picture[..., :3].min() < 0.5 < picture[..., :3].max()


def test_names_in_the_picture_do_not_overlap(tmp_path, written):
    points = np.random.default_rng(1).normal(size=(900, 2))
    word_map.write_png(tmp_path / "map.png", [f"w{i:03}" for i in range(900)], points, labeled=900)
    # The crowd in the middle has no room for all, the rest has for many.
    assert 200 < len(written) < 900
    boxes = [name.get_window_extent() for name in written]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
