import csv
import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import align
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.spaces import languages
from pyarrow import parquet

from jaxemb import alignment, io

pytestmark = pytest.mark.usefixtures("private_cache")

COUNT = 200


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two languages, of which the second is the first, turned and disturbed."""
    folder = tmp_path_factory.mktemp("languages")
    rng = np.random.default_rng(4)
    english = (rng.normal(size=(20, 10)) * 2)[rng.integers(20, size=COUNT)]
    english = (english + rng.normal(size=(COUNT, 10))).astype(np.float32)
    turn = np.linalg.qr(rng.normal(size=(10, 10)))[0]
    french = (english @ turn + 0.05 * rng.normal(size=(COUNT, 10))).astype(np.float32)
    io.write(folder / "english.npz", [f"word{i}" for i in range(COUNT)], english)
    io.write(folder / "french.npz", [f"mot{i}" for i in range(COUNT)], french)
    lines = [f"word{i}\tmot{i}\n" for i in range(COUNT)]
    (folder / "pairs.tsv").write_text("".join(lines[:80]) + "nix\trien\n")
    (folder / "test.tsv").write_text("".join(lines[70:]))
    return folder


@pytest.fixture(scope="module")
def ran(files, private_cache, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    config = dataclasses.replace(
        align.SMOKE,
        source=files / "english.npz",
        target=files / "french.npz",
        dictionary=files / "pairs.tsv",
        test=files / "test.tsv",
        common=command.Common(out=out),
    )
    align.run(config)
    return config


def test_translations_of_a_test_are_scored(ran):
    figures = json.loads((ran.common.out / "summary.json").read_text())
    assert figures["pairs"] == 80
    assert figures["test_words"] == 130
    assert figures["test_words_known"] == 10
    assert figures["precision_csls"] > 0.95
    assert figures["found_again"] > 0.9


def test_each_part_is_changed_by_itself(files, tmp_path):
    french = io.read(files / "french.npz")
    noise = np.random.default_rng(7).normal(size=french.vectors.shape).astype(np.float32)
    io.write(tmp_path / "french.npz", french.words, french.vectors + 0.8 * noise)
    config = dataclasses.replace(
        align.SMOKE,
        source=files / "english.npz",
        target=tmp_path / "french.npz",
        dictionary=files / "pairs.tsv",
        test=files / "test.tsv",
        ablate=True,
        options=alignment.Options(ridge=0.1, power=0.5),
        common=command.Common(out=tmp_path / "run"),
    )
    align.run(config)
    lines = (tmp_path / "run" / "ablation.md").read_text().splitlines()
    names, shares, intervals = zip(
        *([cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]), strict=True
    )
    # What is as given stands there once.
    assert names == (
        "as given",
        *("map: procrustes", "map: least squares", "map: ridge"),
        *("normalized: none", "normalized: unit", "normalized: unit, center"),
        *("looked up: nearest", "looked up: inverted_softmax"),
    )
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert shares[0] == f"{summary['precision_csls']:.1%}"
    low, high = (float(end.rstrip("%")) for end in intervals[-1].split(" to "))
    assert low <= float(shares[-1].rstrip("%")) <= high
    assert low < high


def test_both_files_share_a_space(ran):
    source, target = (io.read(ran.common.out / f"{name}.txt") for name in ("source", "target"))
    cosines = source.vectors @ target.vectors.T
    assert np.mean(cosines.argmax(axis=1) == np.arange(COUNT)) > 0.95


def test_a_dictionary_with_scores(ran):
    with (ran.common.out / "dictionary.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["word"] for row in rows[:4]] == ["word0", "word0", "word0", "word1"]
    assert len(rows) == 3 * ran.listed
    assert rows[0]["translation"] == "mot0"
    assert float(rows[0]["score"]) > float(rows[1]["score"])


def test_a_map_has_both_languages(ran):
    table = parquet.read_table(ran.common.out / "map.parquet").to_pydict()
    assert table["label"][:4] == ["word0", "mot0", "word1", "mot1"]
    assert table["class"] == ["english", "french"] * ran.drawn
    # Thirty words of each: by chance a third would have it.
    assert json.loads((ran.common.out / "summary.json").read_text())["near_on_map"] > 0.8


def test_translations_among_the_nearest_on_the_map():
    places = np.stack([np.arange(40.0), np.zeros(40)], axis=1)
    links = np.array([[0, 10], [0, 39], [1, 39], [20, 24]])
    assert languages.near_on_map(places, links) == pytest.approx(2 / 3)
    assert np.isnan(languages.near_on_map(places, links[:0]))


def ask(capsys, *words):
    status = command.main(align.Config, align.run, list(map(str, words)))
    return status, capsys.readouterr().err


def test_bad_input_is_one_line(files, tmp_path, capsys):
    languages = (files / "english.npz", files / "french.npz")
    other = tmp_path / "other.tsv"
    other.write_text("hund\tdog\n")
    out = ("--out", tmp_path / "run")
    status, err = ask(capsys, *languages, "--dictionary", other, *out)
    assert (status, err.count("\n")) == (2, 1)
    assert "none of 1 pairs has vectors for both words" in err
    status, err = ask(capsys, *languages, *out)
    assert (status, err.count("\n")) == (2, 1)
    assert "no word is spelled alike in both languages" in err
    status, err = ask(capsys, *languages, "--ablate", *out)
    assert (status, err.count("\n")) == (2, 1)
    assert "ablate needs a dictionary and a test" in err
    status, err = ask(capsys, *languages, "--test", tmp_path / "missing.tsv", *out)
    assert (status, err.count("\n")) == (2, 1)
    status, err = ask(capsys, *languages, "--dictionary", files / "pairs.tsv", "--drawn", 20, *out)
    assert status == 0
