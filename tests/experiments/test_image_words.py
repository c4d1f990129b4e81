import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import image_words
from jaxemb.experiments.harness import command
from PIL import Image

from jaxemb import io
from jaxemb.commands.main import main
from jaxemb.data.sets import emoji

pytestmark = pytest.mark.usefixtures("private_cache")

# Each shape is a word, and each color.
COLORS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 220)}
SHAPES = {"bar": (4, 20, 12, 30), "block": (8, 24, 8, 24), "pole": (12, 20, 2, 30)}


def drawing(rng, shape, color, *, style=0):
    image = np.full((32, 32, 3), 255, np.uint8)
    top, bottom, left, right = np.array(SHAPES[shape]) + rng.integers(-2, 3, size=4)
    image[max(top, 0) : bottom, max(left, 0) : right] = COLORS[color]
    # The other style has an edge around it.
    if style:
        image[max(top + 2, 0) : bottom - 2, max(left + 2, 0) : right - 2] = 255
    return image


def things(count):
    pairs = [(shape, color) for shape in SHAPES for color in COLORS]
    return [pairs[at % len(pairs)] for at in range(count)]


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    shown = things(60)
    images = [np.stack([drawing(rng, *one, style=style) for one in shown]) for style in range(2)]
    np.savez(
        folder / emoji.FILE,
        noto=images[0],
        emojitwo=images[1],
        has_noto=np.ones(60, bool),
        has_emojitwo=np.ones(60, bool),
        name=np.array([f"{color}_{shape}" for shape, color in shown]),
        keywords=np.array([f"{color}|{shape}|{color} {shape}" for shape, color in shown]),
        codepoints=np.array([f"{0x1F400 + at:x}" for at in range(60)]),
    )
    return folder


@pytest.fixture(scope="module")
def ran(small_set, private_cache, tmp_path_factory):
    common = command.Common(out=tmp_path_factory.mktemp("runs") / "run", data_dir=small_set)
    config = dataclasses.replace(image_words.SMOKE, common=common)
    image_words.run(config)
    return config


def test_pictures_and_words_find_one_another(ran):
    figures = json.loads((ran.common.out / "summary.json").read_text())
    assert figures["held_out"] == 12
    assert figures["keywords"] == 6 + 9
    assert figures["precision"] > 0.8
    assert figures["found_at_1"] > 0.7
    assert figures["told_at_1"] > 0.7
    assert "styles_inverted_softmax" in figures
    assert figures["precision_interval"] >= 0
    table = (ran.common.out / "table.md").read_text().splitlines()
    assert [line.split(" | ")[0] for line in table[2:4]] == ["| keywords, P@1", "| keywords, mAP"]


def test_vectors_of_both_lie_in_one_space(ran):
    words, found = (io.read(ran.common.out / f"{name}.npz") for name in ("words", "pictures"))
    assert found.words[0] == "noto/red bar"
    assert found.words[9] == "noto/red bar (2)"
    assert "red bar" in words  # a keyword with a blank
    cosines = found.vectors @ (words["red"] + words["bar"])
    nearest = [found.words[at] for at in np.argsort(-cosines)[:5]]
    assert all("red bar" in name for name in nearest)


def test_a_picture_is_placed_by_the_command(ran, tmp_path):
    image = drawing(np.random.default_rng(5), "bar", "red")
    Image.fromarray(image).save(tmp_path / "one.png")
    out = str(tmp_path / "v.npy")
    assert main(["predict", str(ran.common.out), str(tmp_path / "one.png"), "--out", out]) == 0
    words = io.read(ran.common.out / "words.npz")
    near = words.vectors @ np.load(out)[0]
    assert near[words.words.index("red")] > near[words.words.index("green")]


def test_the_page_and_the_map_have_both(ran):
    page = (ran.common.out / "search.html").read_text()
    assert '"red bar"' in page
    assert "120 pictures and 15 words in one space" in page
    assert (ran.common.out / "map.png").stat().st_size > 1000
    assert '"pictured": 40' in (ran.common.out / "map.html").read_text()


def ask(capsys, *words):
    status = command.main(image_words.Config, image_words.run, list(map(str, words)))
    return status, *capsys.readouterr()


@pytest.fixture
def own(tmp_path):
    rng = np.random.default_rng(1)
    (tmp_path / "pictures").mkdir()
    lines = []
    for at, (shape, color) in enumerate(things(50)):
        Image.fromarray(drawing(rng, shape, color)).save(tmp_path / "pictures" / f"{at}.png")
        if at < 48:
            lines.append(f"{at}.png\tA {color} {shape}.")
    (tmp_path / "words.tsv").write_text("\n".join([*lines, "gone.png\tnothing"]))
    return "--pictures", tmp_path / "pictures", "--words", tmp_path / "words.tsv"


def test_pictures_of_ones_own(own, tmp_path, capsys):
    numbers = ("--dim", 8, "--splits", 2, "--penalties", 0.3, "--drawn", 20)
    status, out, err = ask(capsys, *own, *numbers, "--out", tmp_path / "run")
    assert status == 0, err
    assert "1 of 49 names in" in out
    assert "2 of 50 pictures have no words" in out
    figures = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert figures["found_at_10"] > 0.9
    assert "styles_nearest" not in figures
    # What has no words is found by its looks.
    found = io.read(tmp_path / "run" / "pictures.npz")
    words = io.read(tmp_path / "run" / "words.npz")
    shape, color = things(50)[48]
    cosines = found.vectors @ (words[shape] + words[color])
    assert found.words[48] == "48.png"
    assert (cosines > cosines[48]).mean() < 0.3


def test_bad_input_is_one_line(own, tmp_path, capsys):
    out = ("--out", tmp_path / "run")
    status, _, err = ask(capsys, *own[:2], *out)
    assert (status, err.count("\n")) == (2, 1), err
    assert "--words must be given, too" in err
    status, _, err = ask(capsys, *own, "--penalties", 0, *out)
    assert (status, err.count("\n")) == (2, 1), err
    assert "--penalties must be some numbers of more than 0" in err
    (tmp_path / "pictures" / "3.png").write_bytes(b"")
    status, _, err = ask(capsys, *own, *out)
    assert (status, err.count("\n")) == (2, 1), err
    assert "3.png: cannot be read as a picture" in err
    assert not (tmp_path / "run").exists()
