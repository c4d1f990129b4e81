import dataclasses
import json
import math
import re
import shutil
import time

import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments import window_validity
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words import text as word_text
from jaxemb.experiments.harness.words import windows as window_report

from jaxemb import io
from jaxemb.evaluation.neighbors import nearest

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def finished(planted, tmp_path_factory, private_cache):
    config = dataclasses.replace(
        window_validity.SMOKE,
        text=word_text.TextFlags(corpus=(str(planted),)),
        # A checkpoint after each call.
        common=command.Common(
            out=tmp_path_factory.mktemp("runs") / "finished", checkpoint_seconds=0
        ),
    )
    window_validity.run(config)
    return config


def elsewhere(config, out, **changes):
    return dataclasses.replace(
        config,
        options=dataclasses.replace(config.options, **changes),
        common=dataclasses.replace(config.common, out=out),
    )


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def test_a_run_leaves_its_results(finished):
    assert sorted(path.name for path in finished.common.out.iterdir()) == [
        "checkpoints",
        "config.json",
        "map.html",
        "map.parquet",
        "map.png",
        "metrics.jsonl",
        "neighbors.txt",
        "summary.json",
        "vectors.txt",
        "vocabulary.txt",
    ]
    found = io.read(finished.common.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    assert (len(words), vectors.shape) == (72, (72, 16))
    table = jnp.asarray(vectors)
    ids, _ = nearest(table, table, k=3, exclude=jnp.arange(72)[:, None])
    topics = np.array([word.split("w")[0] for word in words])
    assert (topics[np.asarray(ids)] == topics[:, None]).mean() == 1


def test_windows_held_out_are_told(finished):
    summary = summary_of(finished)
    # Two stretches of 500 words from the middle of every 50, of 60,000; no window crosses the
    # lines of ten. Some random words are the real ones.
    assert 550 < summary["held_out_windows"] <= 2 * 50 * 6
    # A random word is of the same topic in one of six cases, which leaves half of them to chance.
    best = 1 - 1 / 6 / 2
    deviation = math.sqrt(best * (1 - best) / 600)
    assert summary["held_out_ranked"] == pytest.approx(best, abs=3 * deviation)
    assert summary["held_out_auc"] == pytest.approx(best, abs=3 * deviation)
    assert summary["held_out_accuracy"] == pytest.approx(best, abs=4 * deviation)
    lines = (finished.common.out / "metrics.jsonl").read_text().splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < losses[0] < 2 * math.log(2)


def test_the_table_has_a_word_a_column(finished):
    rows = [
        line.split() for line in (finished.common.out / "neighbors.txt").read_text().splitlines()
    ]
    # None of the words to show is known, so the most frequent are shown.
    words = io.read(finished.common.out / "vectors.txt").words
    assert rows[0] == [word.upper() for word in words[:6]]
    assert len(rows) == 1 + window_report.NEIGHBORS
    for row in rows[1:]:
        assert [word.split("w")[0] for word in row] == [word.split("w")[0] for word in words[:6]]


def test_an_interrupted_run_goes_on_to_the_same_bits(finished, tmp_path):
    config = elsewhere(finished, tmp_path / "run")
    text = word_text.open_run(config)
    half = sorted((finished.common.out / "checkpoints").glob("[0-9]*"))[-2].name
    folders = (folder.common.out / "checkpoints" / half for folder in (finished, config))
    shutil.copytree(*folders)
    fitted, figures = window_validity.train(config, text, time.perf_counter())
    assert fitted.history.steps - len(fitted.history.loss) == int(half) > 0
    expected = io.read(finished.common.out / "vectors.txt").vectors
    np.testing.assert_array_equal(fitted.vectors.vectors, expected)
    whole = summary_of(finished)
    for name in ("held_out_windows", "held_out_ranked", "held_out_auc", "held_out_accuracy"):
        assert figures[name] == whole[name]


def test_ranking_the_last_word_of_three(finished, tmp_path):
    changes = {"loss": "ranking", "margin": 0.5, "window": 3, "switch": 3}
    config = elsewhere(finished, tmp_path / "run", **changes)
    text = word_text.open_run(config)
    _, figures = window_validity.train(config, text, time.perf_counter())
    assert figures["held_out_ranked"] > 0.85


def test_a_finished_run_is_only_shown(finished, capsys):
    window_validity.run(finished)
    assert capsys.readouterr().out.startswith(f"{finished.common.out} holds this run, finished:\n")


@pytest.fixture
def ask(planted, tmp_path, capsys):
    def run(*flags):
        always = ["--corpus", planted, "--dim", 4, "--epochs", 1, "--out", tmp_path / "run"]
        status = command.main(
            window_validity.Config, window_validity.run, [*map(str, always), *map(str, flags)]
        )
        # Progress bars aside.
        lines = capsys.readouterr().err.splitlines()
        return status, [line for line in lines if not re.search(r"\[\d+:\d+[<,].*/s", line)]

    return run


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--window", 1), "--window must be at least 3 and at most 101, found 1"),
        (("--window", 6), "--window must be odd, so that one word is the middle, found 6"),
        (("--switch", 0), "--switch must be at least 1 and at most 5, found 0"),
        (("--switch", 6), "--switch must be at least 1 and at most 5, found 6"),
        (("--hidden", 0), "--hidden must be at least 1"),
        (("--noise", 0), "--noise must be at least 1"),
        (("--noise-power", "nan"), "--noise-power must be at least 0 and at most 10"),
        (("--loss", "hinge"), "invalid choice 'hinge' for argument '--loss'"),
        (("--loss", "ranking", "--margin", 0), "--margin must be more than 0 and at most 1,000,"),
        (("--margin", 2), "--margin means nothing to logistic, only to ranking"),
        (("--held-out", 0.6), "--held-out must be at least 0.0001 and at most 0.5, found 0.6"),
        (("--learning-rate", 0), "--learning-rate must be more than 0 and at most 10"),
        (("--epochs", 0), "--epochs must be at least 1"),
        (("--checkpoint-seconds", -1), "--checkpoint-seconds must be at least 0"),
        (("--window", 11), "the text held out has 0 windows of 11 words; are its documents shor"),
        (("--held-out", 1e-4, "--window", 9), "60,000 words are too few to hold out a share of"),
    ],
)
def test_bad_flags(ask, tmp_path, flags, message):
    status, lines = ask(*flags)
    assert (status, len(lines)) == (2, 1)
    assert lines[0].startswith(f"error: {message}")
    # Nothing was begun that would be in the way of the next try.
    assert not (tmp_path / "run").exists()


def test_a_corpus_without_windows(ask, tmp_path):
    few = tmp_path / "few.txt"
    few.write_text("one two three four\n" * 60)
    status, told = ask("--corpus", few)
    assert (status, told) == (
        2,
        [
            "error: 240 words are too few to hold out a share of 0.02, which would be 4 words; 5 "
            "are needed, so that the text must have 250"
        ],
    )
    few.write_text("one two three four\n" * 600)
    status, told = ask("--corpus", few)
    assert told[0].startswith("error: the text held out has 0 windows of 5 words; are its")
    assert not (tmp_path / "run").exists()
