import unicodedata

import numpy as np
import pytest
from jaxemb.experiments.harness.spaces import pictured
from PIL import Image

from jaxemb.data.sets import emoji
from jaxemb.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Thirty pictures, ten of them in a subfolder."""
    (tmp_path / "pictures" / "more").mkdir(parents=True)
    for number in range(30):
        name = f"more/é{number}.png" if number >= 20 else f"a{number}.png"
        Image.new("RGB", (40, 50), (8 * number, 0, 0)).save(tmp_path / "pictures" / name)
    return tmp_path / "pictures"


def lines(**changes):
    said = {f"a{number}.png": f"A dog, number{number}" for number in range(20)}
    said |= {f"more/é{number}.png": "cat" for number in range(20, 28)}
    return "".join(f"{name}\t{words}\n" for name, words in (said | changes).items())


def test_what_lacks_the_other_is_counted_and_told(folder, tmp_path, capsys):
    listed = tmp_path / "words.tsv"
    extra = {"lost.png": "x", "a3.png": "...", "é28.png": "mouse"}
    listed.write_text("\ufeff" + lines(**extra) + "\na0.png\tbig Dog\n", encoding="utf-8")
    found = pictured.read_own(folder, listed)
    told = capsys.readouterr().out
    assert "1 of 30 names in" in told
    assert "lost.png" in told
    assert "2 of 30 pictures have no words; they are placed by their looks: a3.png" in told
    assert len(found.names) == 28
    assert found.names[0] == "a0.png"
    assert found.words[0] == ["a", "dog", "number0", "big"]
    assert found.words[-1] == ["mouse"]  # alone with its name, so without its folder
    assert found.others == ["a3.png", "more/é29.png"]
    assert found.images["pictures"].shape == (28, 32, 32, 3)
    assert found.other_images[0, 0, 0].tolist() == [24, 0, 0]


def test_names_are_the_same_in_both_forms_of_unicode(folder, tmp_path):
    listed = tmp_path / "words.tsv"
    listed.write_text(unicodedata.normalize("NFD", lines()), encoding="utf-8")
    assert len(pictured.read_own(folder, listed).names) == 28


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a0.png a dog\n", "words.tsv: line 1: expected a picture's name, a tab and words"),
        ("a0.png\ta dog\n", "has words of 1 of 30 pictures in .*, 20 are needed"),
        ("", "has words of 0 of 30 pictures"),
    ],
)
def test_a_list_of_something_else_is_one_error(folder, tmp_path, text, message):
    (tmp_path / "words.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        pictured.read_own(folder, tmp_path / "words.tsv")


def test_an_unreadable_picture_is_one_error(folder, tmp_path):
    (folder / "a7.png").write_bytes(b"no picture")
    (tmp_path / "words.tsv").write_text(lines(), encoding="utf-8")
    with pytest.raises(InputError, match=r"a7.png: cannot be read as a picture"):
        pictured.read_own(folder, tmp_path / "words.tsv")


def test_emoji_of_both_styles_without_flags(tmp_path):
    images = np.arange(4, dtype=np.uint8)[:, None, None, None] * np.ones((4, 32, 32, 3), np.uint8)
    np.savez(
        tmp_path / emoji.FILE,
        noto=images,
        emojitwo=images + 10,
        has_noto=np.ones(4, bool),
        has_emojitwo=np.array([True, False, True, True]),
        name=np.array(["red_heart", "alone", "flag", "star"]),
        keywords=np.array(["Love|heart", "x", "y", "night|left arrow"]),
        codepoints=np.array(["2764", "1f600", "1f1eb-1f1f7", "2b50"]),
    )
    found = pictured.read_emoji(tmp_path)
    assert found.names == ["red heart", "star"]
    assert found.texts == [["red", "heart"], ["star"]]
    assert found.keywords == [["love", "heart"], ["night", "left arrow"]]
    assert found.words[0] == ["red", "heart", "love"]
    assert found.images["emojitwo"][:, 0, 0, 0].tolist() == [10, 13]
