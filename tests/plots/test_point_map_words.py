import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from jaxemb.errors import InputError
from jaxemb.plots import point_map

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
    near = point_map.Near(ids, 1 - cosines, "cosine")
    point_map.write_html(
        path, points, names=WORDS, near=near, counts=COUNTS, total=1234, title="A <map> & more"
    )
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


def _suggested(page) -> list[str]:
    return [button.text for button in page.find_elements(By.CSS_SELECTOR, "#suggestions button")]


@pytest.mark.browser
def test_unknown_word_is_told_with_suggestions(page):
    _search(page, "frogs")
    message = page.find_element(By.ID, "message").text
    assert message == "“frogs” is not among the words here. These contain “frog”:"
    (frog,) = page.find_elements(By.CSS_SELECTOR, "#suggestions button")
    frog.click()
    _assert_shows(page, 1)
    assert page.find_element(By.ID, "message").text == ""
    _search(page, "qqq")
    assert page.find_element(By.ID, "message").text == "“qqq” is not among the words here."
    assert "word" not in _shown(page)


@pytest.mark.browser
def test_parts_of_words_are_suggested_whatever_their_case(page):
    box = page.find_element(By.ID, "word")
    box.send_keys("FRO")
    assert _suggested(page) == ["frog", "fromage"]
    box.clear()
    box.send_keys("oA")
    assert _suggested(page) == ["toad"]
    _search(page, "ARI")  # there is but one
    _assert_shows(page, 3)
    _search(page, "a")
    assert page.find_element(By.ID, "message").text == "4 contain “a”:"
    assert _suggested(page) == ["toad", "Paris", "fromage", "&amp;"]
    _search(page, "FROG")
    _assert_shows(page, 1)


@pytest.mark.browser
def test_words_are_found_in_either_normal_form(browser, tmp_path):
    points, _, _ = _arrays()
    names = [*WORDS[:7], "cafe\u0301"]
    point_map.write_html(tmp_path / "map.html", points, names=names)
    browser.get((tmp_path / "map.html").as_uri())
    _search(browser, "caf\u00e9")
    assert _wait(browser, lambda shown: "word" in shown)["word"] == names[7]


@pytest.mark.browser
def test_keys_lead_through_the_suggestions_and_escape_clears(page):
    page.find_element(By.ID, "canvas").send_keys("/")
    box = page.switch_to.active_element
    assert box.get_attribute("id") == "word"
    box.send_keys("fro" + Keys.ARROW_DOWN)
    page.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    page.switch_to.active_element.send_keys(Keys.ENTER)
    _assert_shows(page, 4)
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert "word" not in _shown(page)
    assert not page.find_element(By.ID, "details").is_displayed()
    assert box.get_attribute("value") == ""
    assert _suggested(page) == []


@pytest.mark.browser
def test_keys_move_the_map_and_select(page):
    canvas = page.find_element(By.ID, "canvas")
    before = np.array(_shown(page)["view"].split(), float)
    unit = (before[1] - before[0]) / page.find_element(By.ID, "map").size["width"]
    canvas.send_keys(Keys.ARROW_RIGHT + Keys.ARROW_UP)
    moved = np.array(_shown(page)["view"].split(), float)
    np.testing.assert_allclose(moved - before, np.full(4, 80 * unit), rtol=1e-6)
    canvas.send_keys("+")
    zoomed = np.array(_shown(page)["view"].split(), float)
    assert np.ptp(zoomed[:2]) == pytest.approx(np.ptp(before[:2]) / 1.4)
    canvas.send_keys("-0")
    assert np.array(_shown(page)["view"].split(), float) == pytest.approx(before)
    canvas.send_keys(Keys.ENTER)  # in the middle lie words 3 and 4
    assert _wait(page, lambda shown: "point" in shown)["point"] in "34"


@pytest.mark.browser
def test_names_do_not_cover_one_another(browser, tmp_path):
    rng = np.random.default_rng(0)
    size = 400
    points = rng.normal(size=(size, 2))
    # Neighbors of the first lie on top of one another.
    points[:11] = rng.normal(size=(11, 2)) * 0.003
    ids = np.stack([np.roll(np.arange(size), -i - 1)[:10] for i in range(size)])
    near = point_map.Near(ids, np.ones((size, 10)), "cosine")
    names = [f"rather a long word {i}" for i in range(size)]
    path = tmp_path / "map.html"
    point_map.write_html(path, points, names=names, near=near)
    browser.get(path.as_uri())
    _wait(browser, lambda shown: "ready" in shown)
    script = "return arranged(labelings).map(({text, box}) => [text, box])"
    for act in ("select(0)", "view.zoom(4)", "view.zoom(0.2)", "select(undefined)"):
        browser.execute_script(act)  # what is written is looked at before it is chosen anew
        written = browser.execute_script(script)
        assert written
        boxes = np.array([[b[k] for k in ("left", "right", "top", "bottom")] for _, b in written])
        apart = (
            (boxes[:, None, 0] > boxes[:, 1])
            | (boxes[:, None, 1] < boxes[:, 0])
            | (boxes[:, None, 2] > boxes[:, 3])
            | (boxes[:, None, 3] < boxes[:, 2])
        )
        assert (apart | np.eye(len(boxes), dtype=bool)).all()
        if act != "select(undefined)":
            assert written[0][0] == names[0]


@pytest.mark.browser
def test_how_many_of_the_words_there_are_is_told(page):
    about = page.find_element(By.ID, "about").text
    assert about.startswith("8 of 1,234 words, the most frequent.")


@pytest.mark.browser
def test_names_without_a_rank_are_no_words(browser, tmp_path):
    points, ids, cosines = _arrays()
    near = point_map.Near(ids, 1 - cosines, "cosine")
    path = tmp_path / "map.html"
    point_map.write_html(path, points, names=WORDS, ranked=False, near=near)
    browser.get(path.as_uri())
    _search(browser, "FROG")
    assert _wait(browser, lambda shown: "word" in shown)["word"] == "frog"
    assert browser.find_element(By.ID, "facts").text == "point 1"
    assert browser.find_element(By.ID, "about").text == "8 points."
    assert browser.execute_script("return new Set(view.radius).size") == 1
    assert len(browser.execute_script("return [...new Set(view.shade)]")) == 1


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
    near = point_map.Near(ids, rng.uniform(size=(10_000, 10)), "cosine")
    point_map.write_html(path, points, names=words, near=near)
    assert path.stat().st_size < 1.2e6
    browser.get(path.as_uri())
    _wait(browser, lambda shown: "ready" in shown)
    _search(browser, "word9876")
    _wait(browser, lambda shown: shown.get("word") == "word9876")
    assert browser.find_element(By.ID, "facts").text == "number 9,877 by frequency"


def test_page_refuses_neighbors_of_another_table(tmp_path):
    points, ids, cosines = _arrays()
    near = point_map.Near(ids + (ids == 7), 1 - cosines, "cosine")
    with pytest.raises(InputError, match=r"neighbors 0\.\.8 are outside 0\.\.7"):
        point_map.write_html(tmp_path / "map.html", points, names=WORDS, near=near)
    assert not list(tmp_path.iterdir())
