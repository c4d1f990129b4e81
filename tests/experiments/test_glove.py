import dataclasses
import json
import re
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments import glove
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words import text as word_text
from jaxemb.experiments.harness.words import vectors as word_vectors

from jaxemb import io
from jaxemb.evaluation.neighbors import nearest

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def finished(planted, tmp_path_factory, private_cache):
    config = dataclasses.replace(
        glove.SMOKE,
        text=word_text.TextFlags(corpus=(str(planted),)),
        # A checkpoint after each call.
        common=command.Common(
            out=tmp_path_factory.mktemp("runs") / "finished", checkpoint_seconds=0
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        # Any map: t-SNE would take longer than all else.
        patch.setattr(word_vectors, "lay_out", lambda key, vectors: vectors[:, :2])
        glove.run(config)
    return config


def elsewhere(config, out):
    return dataclasses.replace(config, common=dataclasses.replace(config.common, out=out))


def test_a_run_leaves_its_results(finished):
    out = finished.common.out
    assert sorted(path.name for path in out.iterdir()) == [
        "checkpoints",
        "config.json",
        "map.html",
        "map.parquet",
        "map.png",
        "metrics.jsonl",
        "summary.json",
        "vectors.txt",
        "vocabulary.txt",
    ]
    found = io.read(out / "vectors.txt")
    words, vectors = found.words, found.vectors
    table = jnp.asarray(vectors)
    ids, _ = nearest(table, table, k=3, exclude=jnp.arange(len(table))[:, None])
    topics = np.array([word.split("w")[0] for word in words])
    assert (topics[np.asarray(ids)] == topics[:, None]).mean() > 0.95
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"] / 2
    summary = json.loads((out / "summary.json").read_text())
    assert summary["words"] == 60_000
    assert summary["vocabulary"] == 72
    assert summary["steps"] == lines[-1]["step"]
    assert summary["pairs"] <= 72 * 72
    assert {"pairs_per_second", "count_seconds", "train_seconds", "final_loss"} <= summary.keys()
    config = json.loads((out / "config.json").read_text())["config"]
    assert (config["first_squares"], config["pieces"], config["dim"]) == (None, 128, 16)


def test_a_run_killed_midway_goes_on_to_the_same_bits(finished, tmp_path, capsys):
    """Accumulators, order of the pairs and all."""
    config = elsewhere(finished, tmp_path / "run")
    out, text = config.common.out, word_text.open_run(config)
    step = sorted((finished.common.out / "checkpoints").glob("[0-9]*"))[-2].name
    assert 0 < int(step) < json.loads((finished.common.out / "summary.json").read_text())["steps"]
    shutil.copytree(finished.common.out / "checkpoints" / step, out / "checkpoints" / step)
    # What a killed run has left is written over, and taken away.
    (out / "counts").mkdir()
    (out / "counts" / "columns").write_bytes(b"half")
    fitted, _ = glove.train(config, text, 0.0)
    assert fitted.history.steps - len(fitted.history.loss) == int(step)
    expected = io.read(finished.common.out / "vectors.txt").vectors
    np.testing.assert_array_equal(fitted.vectors.vectors, expected)
    assert not (out / "counts").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--window", 0), "--window must be at least 1 and at most 40, found 0"),
        (("--x-max", "nan"), "--x-max must be more than 0"),
        (("--alpha", -1), "--alpha must be at least 0 and at most 10, found -1"),
        (("--learning-rate", 0), "--learning-rate must be more than 0 and at most 10, found 0"),
        (("--memory-limit", 1), "--memory-limit of 1.0 MB is too small to count in"),
        (("--pieces", 3), "--pieces must be at least 4"),
    ],
)
def test_bad_flags(planted, tmp_path, capsys, flags, message):
    always = ["--corpus", str(planted), "--dim", "16", "--out", str(tmp_path / "run")]
    status = command.main(glove.Config, glove.run, [*always, *map(str, flags)])
    # Progress bars aside.
    lines = capsys.readouterr().err.splitlines()
    lines = [line for line in lines if not re.search(r"\[\d+:\d+[<,].*/s", line)]
    assert (status, len(lines)) == (2, 1)
    assert lines[0].startswith(f"error: {message}")
    assert not (tmp_path / "run").exists()


def test_a_text_shorter_than_a_window(tmp_path, capsys):
    (tmp_path / "few.txt").write_text("here there " * 5)
    flags = ["--corpus", str(tmp_path / "few.txt"), "--dim", "2", "--out", str(tmp_path / "run")]
    assert command.main(glove.Config, glove.run, flags) == 2
    assert "the text has 10 words of the vocabulary, no more than a win" in capsys.readouterr().err
