import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from jaxemb.plots import picture_search

WORDS = ["red", "Blue", "left arrow", ":D", "</script>", "reddish"]
NAMES = ["red one", "blue one", "an arrow", "</script> & co"]


def arrays():
    rng = np.random.default_rng(3)
    images = rng.integers(256, size=(4, 6, 5, 3), dtype=np.uint8)
    pictures = np.eye(4, dtype=np.float32)
    words = np.array(
        [[2, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0.1, 0, 0, 1], [0, 0, 0, 3], [1, 0.5, 0, 0]],
        np.float32,
    )
    return images, pictures, words


def write(path, **options):
    images, pictures, words = arrays()
    picture_search.write_html(path, images, pictures, WORDS, words, names=NAMES, **options)


def held(path):
    page = path.read_text()
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def state(browser):
    return browser.execute_script("return {...document.body.dataset}")


@pytest.fixture
def page(browser, tmp_path):
    write(tmp_path / "search.html", examples=["red"], title="Mine & yours")
    browser.get((tmp_path / "search.html").as_uri())
    WebDriverWait(browser, 30).until(lambda _: "ready" in state(browser))
    return browser


def ask(page, text):
    box = page.find_element(By.ID, "words")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys(text)
    return state(page).get("found")


def text_of(page, name):
    return page.find_element(By.ID, name).text


def test_vectors_survive_as_whole_numbers(tmp_path):
    write(tmp_path / "search.html")
    packed = held(tmp_path / "search.html")["word_vectors"]
    rows = np.frombuffer(base64.b64decode(packed["rows"]), "i1").reshape(6, 4)
    scales = np.frombuffer(base64.b64decode(packed["scales"]), "<f4")
    np.testing.assert_allclose(rows * scales[:, None], arrays()[2], atol=3 / 254)


def test_the_page_needs_no_network(tmp_path):
    write(tmp_path / "search.html")
    assert not re.search(r"https?://|src=|href=", (tmp_path / "search.html").read_text())


def test_arrays_that_do_not_belong_together_leave_no_file(tmp_path):
    images, pictures, words = arrays()
    for bad in ((images[1:], pictures, words), (images, pictures[:, 1:], words)):
        with pytest.raises(AssertionError):
            picture_search.write_html(
                tmp_path / "search.html", bad[0], bad[1], WORDS, bad[2], names=NAMES
            )
    assert not list(tmp_path.iterdir())


@pytest.mark.browser
def test_words_find_pictures_nearest_first(page):
    assert page.find_element(By.TAG_NAME, "h1").text == "Mine & yours"
    assert text_of(page, "suggestions") == "red"
    assert ask(page, "red").split()[0] == "0"
    assert ask(page, "BLUE").split()[0] == "1"
    # The sum counts: the longer vector more.
    assert ask(page, "red blue").split()[:2] == ["0", "1"]
    assert ask(page, "blue blue blue red").split()[:2] == ["1", "0"]
    items = page.find_elements(By.CSS_SELECTOR, "#found button")
    assert items[0].text.split("\n") == ["blue one", "0.83"]


@pytest.mark.browser
def test_words_with_blanks_or_of_signs(page):
    assert ask(page, "left arrow").split()[0] == "2"
    assert ask(page, ":D").split()[0] == "3"
    assert ask(page, "(red),").split()[0] == "0"
    assert text_of(page, "message") == ""


@pytest.mark.browser
def test_an_unknown_word_is_named_and_those_that_begin_so_are_offered(page):
    assert ask(page, "left") is None
    assert "has the word “left”" in text_of(page, "message")
    assert text_of(page, "suggestions") == "left arrow"
    # What is known counts all the same.
    assert ask(page, "blue redd").split()[0] == "1"
    page.find_element(By.CSS_SELECTOR, "#suggestions button").click()
    assert state(page)["asked"] == "reddish"
    assert ask(page, "<b>x") is None
    assert "“<b>x”" in text_of(page, "message")


@pytest.mark.browser
def test_a_picture_tells_its_words(page):
    ask(page, "red")
    page.find_elements(By.CSS_SELECTOR, "#found button")[-1].click()
    assert state(page)["asked"] == "picture 3"
    assert text_of(page, "asked") == "Words nearest to “</script> & co”:"
    words = page.find_elements(By.CSS_SELECTOR, "#suggestions button")
    assert [word.text for word in words[:2]] == ["</script>", ":D"]
    words[1].click()
    assert state(page)["asked"] == ":D"


@pytest.mark.browser
def test_keys_do_it_all(page):
    keys = page.switch_to.active_element
    assert keys.get_attribute("id") == "words"
    keys.send_keys("red", Keys.ENTER)
    first = page.switch_to.active_element
    assert first.text.startswith("red one")
    first.send_keys(Keys.ARROW_RIGHT)
    second = page.switch_to.active_element
    assert second != first
    second.send_keys(Keys.ENTER)
    assert state(page)["asked"].startswith("picture ")
    page.switch_to.active_element.send_keys("/")
    assert page.switch_to.active_element.get_attribute("id") == "words"
    page.switch_to.active_element.send_keys("blue", Keys.ESCAPE)
    assert "found" not in state(page)
    assert text_of(page, "found") == ""


@pytest.mark.browser
def test_pictures_are_drawn_as_they_are(page):
    ask(page, "left arrow")
    canvas = "#found canvas"
    WebDriverWait(page, 30).until(
        lambda _: page.execute_script(f"return document.querySelector('{canvas}').dataset.shown")
    )
    shown = page.execute_script(f"return document.querySelector('{canvas}').toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2]))).convert("RGB")
    np.testing.assert_array_equal(np.asarray(picture), arrays()[0][2])
