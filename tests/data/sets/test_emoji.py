import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from jaxemb.data.prepare import prepare
from jaxemb.data.sets import emoji
from jaxemb.errors import InputError


def small_set():
    rng = np.random.default_rng(1)
    pictures = rng.integers(256, size=(2, 3, 32, 32, 3), dtype=np.uint8)
    return {
        "noto": pictures[0],
        "emojitwo": pictures[1],
        "has_noto": np.array([True, True, False]),
        "has_emojitwo": np.array([True, True, True]),
        "name": np.array(["grinning_face", "flag_france", "keycap_"]),
        "keywords": np.array(["face|smile|face|:D", "", "star|blue-square"]),
        "codepoints": np.array(["1f600", "1f1eb-1f1f7", "2a-20e3"]),
    }


def test_names_keywords_and_styles(tmp_path):
    arrays = small_set()
    np.savez(tmp_path / emoji.FILE, **arrays)
    found = emoji.read(tmp_path)
    assert found.names == ["grinning face", "flag france", "keycap"]
    assert found.keywords == [("face", "smile", ":D"), (), ("star", "blue-square")]
    assert found.flags().tolist() == [False, True, False]
    assert found.there["noto"].tolist() == [True, True, False]
    np.testing.assert_array_equal(found.images["emojitwo"], arrays["emojitwo"])
    assert found.files == (tmp_path / emoji.FILE,)


@pytest.mark.parametrize(
    "changes",
    [
        {"noto": np.zeros((2, 32, 32, 3), np.uint8)},
        {"has_noto": np.ones(3)},
        {"name": np.arange(3)},
        {"codepoints": np.array(["1f600", "", "xyz"])},
    ],
)
def test_another_layout_is_refused(tmp_path, changes):
    np.savez(tmp_path / emoji.FILE, **small_set() | changes)
    with pytest.raises(InputError, match="emoji.npz: arrays of other shapes or kinds than expect"):
        emoji.read(tmp_path)


def test_what_is_missing_is_told(tmp_path):
    with pytest.raises(InputError, match=r"emoji.npz: no such file.*NumPy archive of noto and"):
        emoji.read(tmp_path)


def png(color, side=40):
    file = io.BytesIO()
    image = Image.new("RGBA", (side, side), color)
    image.putpixel((0, 0), (0, 0, 0, 0))
    image.save(file, format="png")
    return file.getvalue()


def write_sources(folder, words):
    with zipfile.ZipFile(folder / "noto.zip", "w") as archive:
        archive.writestr("png/32/emoji_u1f600.png", png((255, 0, 0, 255)))
        archive.writestr("png/32/emoji_u002a_fe0f_20e3.png", png((0, 255, 0, 255)))
        archive.writestr("png/128/emoji_u1f600.png", png((9, 9, 9, 255)))
    (folder / "two").mkdir()
    (folder / "two" / "1f600.png").write_bytes(png((0, 0, 255, 255)))
    (folder / "emoji-en-US.json").write_text(words)
    return [folder / "noto.zip", folder / "two", folder / "emoji-en-US.json"]


WORDS = {"😀": ["grinning_face", "smile", ":D"], "*️⃣": ["keycap_"], "🦄": ["unicorn"]}


def test_pictures_and_words_of_their_authors_are_converted(tmp_path):
    fetched = write_sources(tmp_path, json.dumps(WORDS))
    prepare(emoji.SOURCE, tmp_path / "data", fetched)
    found = emoji.read(tmp_path / "data")
    # None has drawn the unicorn.
    assert found.codepoints == ["1f600", "2a-20e3"]
    assert found.names == ["grinning face", "keycap"]
    assert found.keywords == [("smile", ":D"), ()]
    assert found.there["emojitwo"].tolist() == [True, False]
    assert found.images["noto"][:, 16, 16].tolist() == [[255, 0, 0], [0, 255, 0]]
    assert found.images["emojitwo"][:, 16, 16].tolist() == [[0, 0, 255], [255, 255, 255]]


@pytest.mark.parametrize(
    ("words", "given", "message"),
    [
        ("{", 3, "emoji-en-US.json: is no JSON"),
        ('{"😀": "smile"}', 3, "a list of name and keywords for each emoji"),
        (json.dumps(WORDS), 2, "emoji-en-US.json of emojilib is missing"),
        (json.dumps({"🦄": ["unicorn"]}), 3, "has no picture of the style noto"),
    ],
)
def test_other_sources_are_refused(tmp_path, words, given, message):
    fetched = write_sources(tmp_path, words)[:given]
    with pytest.raises(InputError, match=message):
        emoji.convert(fetched, tmp_path)


def test_a_damaged_picture_is_named(tmp_path):
    fetched = write_sources(tmp_path, json.dumps(WORDS))
    (tmp_path / "two" / "1f600.png").write_bytes(png((1, 2, 3, 255))[:-30])
    with pytest.raises(InputError, match=r"two/1f600.png: is no picture"):
        emoji.convert(fetched, tmp_path)


@pytest.mark.data
def test_the_real_set(data_dir):
    found = emoji.read(data_dir)
    assert len(found.names) == 1906
    assert found.flags().sum() == 262
    both = ~found.flags() & found.there["noto"] & found.there["emojitwo"]
    assert both.sum() == 1094
