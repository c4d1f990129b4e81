import csv
import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import bilingual
from jaxemb.experiments.harness import command

from jaxemb import io
from jaxemb.errors import InputError

pytestmark = pytest.mark.usefixtures("private_cache")

COUNT = 12


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A second language with the words of the first, in nearly their order."""
    folder = tmp_path_factory.mktemp("sentences")
    rng = np.random.default_rng(2)
    lines = ["\t\n", "alone\t\n"]
    for _ in range(300):
        ids = rng.choice(COUNT, size=rng.integers(2, 6), replace=False)
        lines.append(
            " ".join(f"Word{i}" for i in ids) + "\t" + " ".join(f"mot{i}" for i in ids) + " .\n"
        )
    (folder / "pairs.tsv").write_text("".join(lines[2:]))
    (folder / "test.tsv").write_text(
        "".join(f"Word{i}\tMot{i}\n" for i in range(COUNT)) + "nix\trien\n"
    )
    return folder


@pytest.fixture(scope="module")
def ran(files, private_cache, tmp_path_factory):
    config = dataclasses.replace(
        bilingual.SMOKE,
        pairs=files / "pairs.tsv",
        test=files / "test.tsv",
        common=command.Common(out=tmp_path_factory.mktemp("runs") / "run"),
    )
    bilingual.run(config)
    return config


def test_each_way_is_scored(ran):
    figures = json.loads((ran.common.out / "summary.json").read_text())
    assert figures["pairs"] == 300
    assert figures["test_words"] == COUNT
    for by in ("both", "vectors", "probabilities", "counts"):
        assert figures[f"precision_{by}"] > 0.8


def test_both_languages_and_a_dictionary_are_written(ran):
    first, second = (io.read(ran.common.out / f"{name}.txt") for name in ("first", "second"))
    assert set(first.words) == {f"word{i}" for i in range(COUNT)}
    assert np.mean((first.vectors @ second.vectors.T).argmax(axis=1) >= 0) == 1
    with (ran.common.out / "dictionary.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    best = {row["word"]: row["translation"] for row in reversed(rows)}
    assert np.mean([best[f"word{i}"] == f"mot{i}" for i in range(COUNT)]) > 0.8


def test_a_map_and_a_model(ran):
    for name in ("map.png", "map.html", "first.txt", "metrics.jsonl"):
        assert (ran.common.out / name).stat().st_size
    assert len(io.load(ran.common.out / "model").first) == COUNT


def test_a_file_with_an_empty_side(files, tmp_path):
    (tmp_path / "pairs.tsv").write_text("one two\tun deux\none\t\n")
    config = dataclasses.replace(
        bilingual.SMOKE,
        pairs=tmp_path / "pairs.tsv",
        common=command.Common(out=tmp_path / "run"),
    )
    with pytest.raises(InputError, match="line 2"):
        bilingual.run(config)
    assert not (tmp_path / "run").exists()


def test_text_beside_and_a_test_of_unknown_words(files, tmp_path, capsys):
    (tmp_path / "beside.txt").write_text("Word1 only\n\nonly Word2\n")
    (tmp_path / "test.tsv").write_text("nix\trien\n")
    config = dataclasses.replace(
        bilingual.SMOKE,
        pairs=files / "pairs.tsv",
        beside=tmp_path / "beside.txt",
        test=tmp_path / "test.tsv",
        common=command.Common(out=tmp_path / "run"),
    )
    bilingual.run(config)
    assert "only" in io.read(tmp_path / "run" / "first.txt")
    assert "test.tsv: none of 1 pairs has vectors" in capsys.readouterr().out
    assert "precision_both" not in json.loads((tmp_path / "run" / "summary.json").read_text())
