import dataclasses
import gzip
import json
import shutil

import numpy as np
import pytest
from jaxemb.experiments import same_object
from jaxemb.experiments.harness import command

from jaxemb import io

pytestmark = pytest.mark.usefixtures("private_cache")

PICTURES = {"train": 60, "val": 12, "test_2016": 12}


def small(common, **fields):
    return dataclasses.replace(
        same_object.SMOKE, common=common, min_count=1, most_words=5, **fields
    )


@pytest.fixture(scope="module")
def captions(tmp_path_factory):
    """Captions whose words are of the picture's topic; five people know different ones."""
    folder = tmp_path_factory.mktemp("data") / "multi30k" / "task2"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, pictures in PICTURES.items():
        for person in range(1, 6):
            lines = [
                "The " + " ".join(f"t{picture % 12}w{word}" for word in rng.integers(10, size=3))
                for picture in range(pictures)
            ]
            path = folder / f"{split}.{person}.en.gz"
            path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return folder.parents[1]


@pytest.fixture(scope="module")
def finished(captions, tmp_path_factory, private_cache):
    out = tmp_path_factory.mktemp("runs") / "run"
    config = small(command.Common(data_dir=captions, out=out, checkpoint_seconds=0))
    same_object.run(config)
    return config


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def test_what_a_picture_is_about_is_learned(finished):
    summary = summary_of(finished)
    assert summary["auc"] > 0.9
    for name in ("tfidf", "untrained"):
        assert summary["auc"] > summary[f"{name}_auc"]
        assert summary["map"] > summary[f"{name}_map"]
    assert 0 <= summary["false_accept_rate"] < 0.1
    assert summary["recall_at_1"] <= summary["recall_at_5"] <= summary["recall_at_10"]
    assert (finished.common.out / "roc.png").read_bytes().startswith(b"\x89PNG")
    lines = [
        json.loads(line)
        for line in (finished.common.out / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == [25, 50, 75, 100, 125, 150, 160]
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert lines[0]["terms"] == 24


def test_an_interrupted_run_goes_on_to_the_same_figures(finished, tmp_path, capsys):
    common = dataclasses.replace(finished.common, out=tmp_path / "run")
    config = dataclasses.replace(finished, common=common)
    shutil.copytree(finished.common.out, config.common.out)
    (config.common.out / "summary.json").unlink()
    shutil.rmtree(config.common.out / "checkpoints" / "00000160")
    same_object.run(config)
    one, other = summary_of(finished), summary_of(config)
    assert {name for name in one if one[name] != other[name]} <= {
        "seconds",
        "peak_memory_mb",
        "run_minutes",
    }
    same_object.run(config)
    assert "holds this run, finished" in capsys.readouterr().out


@pytest.mark.parametrize(
    "fields",
    [
        {"loss": "triplet", "encoder": "gru"},
        {"loss": "sigmoid"},
    ],
    ids=lambda fields: fields["loss"],
)
def test_other_losses_and_encoders(captions, tmp_path, fields, capsys):
    words = [f"t{topic}w{word}" for topic in range(12) for word in range(9)]
    # Given vectors know the topics.
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.normal(size=(12, 8)), 9, axis=0).astype(np.float32)
    io.write(tmp_path / "vectors.txt", words, vectors)
    config = small(
        command.Common(data_dir=captions, out=tmp_path / "run"),
        vectors=tmp_path / "vectors.txt",
        width=None,
        **fields,
    )
    same_object.run(config)
    summary = summary_of(config)
    assert summary["auc"] > 0.9
    assert summary["untrained_auc"] > 0.9
    assert "108 of 121 words begin with the vectors given" in capsys.readouterr().out


def test_bad_input_is_named(captions, tmp_path, capsys):
    io.write(tmp_path / "v.txt", ["no", "such"], np.ones((2, 8), np.float32))
    for flags, message in (
        (["--temperature", "0"], "--temperature must be more than 0 and at most 100"),
        (["--margin", "nan"], "--margin must be at least 0 and at most 4, found nan"),
        (["--language", "de"], "train.1.de.gz: no such file"),
        (["--min-count", "99999"], "no word has a count of at least min_count = 99999"),
        (["--vectors", str(tmp_path / "v.txt")], "none of the 2 words with given vectors is among"),
        (
            ["--vectors", str(tmp_path / "v.txt"), "--width", "9"],
            "the word vectors given are 8 wide, 9 are needed",
        ),
        (["--batch", "61"], "a batch of 61 identities needs as many, found 60"),
    ):
        arguments = [*flags, "--data-dir", str(captions), "--out", str(tmp_path / "run")]
        assert command.main(same_object.Config, same_object.run, arguments) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "run").exists()
