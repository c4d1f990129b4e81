import dataclasses
import json
import re

import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments import glove
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words import vectors as word_vectors

from jaxemb import io
from jaxemb.data import cooccurrence, sparse_counts
from jaxemb.evaluation.neighbors import nearest

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def config(planted):
    return glove.Config(
        corpus=(str(planted),), dim=16, window=5, epochs=300, checkpoint_every=40, learning_rate=0.5
    )


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory, private_cache):
    config = dataclasses.replace(config, out=tmp_path_factory.mktemp("runs") / "finished")
    with pytest.MonkeyPatch.context() as patch:
        # Any map: t-SNE would take longer than all else.
        patch.setattr(word_vectors, "lay_out", lambda key, vectors: vectors[:, :2])
        glove.run(config)
    return config


def test_a_run_leaves_its_results(finished):
    assert sorted(path.name for path in finished.out.iterdir()) == [
        "checkpoints",
        "config.json",
        "map.html",
        "map.png",
        "metrics.jsonl",
        "summary.json",
        "vectors.txt",
        "vocabulary.txt",
    ]
    found = io.read(finished.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    table = jnp.asarray(vectors)
    ids, _ = nearest(table, table, k=3, exclude=jnp.arange(len(table))[:, None])
    topics = np.array([word.split("w")[0] for word in words])
    assert (topics[np.asarray(ids)] == topics[:, None]).mean() > 0.95
    lines = [json.loads(line) for line in (finished.out / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[0]["loss"] / 2
    summary = json.loads((finished.out / "summary.json").read_text())
    assert summary["words"] == 60_000
    assert summary["vocabulary"] == 72
    assert summary["steps"] == lines[-1]["step"]
    assert summary["pairs"] <= 72 * 72
    assert {"pairs_per_second", "count_seconds", "train_seconds", "final_loss"} <= summary.keys()


@pytest.mark.parametrize(("dim", "expected"), [(50, 1.0), (400, 0.25)])
def test_wide_vectors_learn_slower_by_default(config, tmp_path, monkeypatch, dim, expected):
    monkeypatch.setattr(word_vectors, "lay_out", lambda key, vectors: vectors[:, :2])
    config = dataclasses.replace(
        config, dim=dim, epochs=1, learning_rate=None, out=tmp_path / "run"
    )
    glove.run(config)
    lines = (config.out / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["learning_rate"] == expected


def test_a_run_stopped_midway_goes_on_to_the_same_bits(finished, config, tmp_path, monkeypatch):
    """Accumulators, order of the pairs and all."""
    config = dataclasses.replace(config, out=tmp_path / "run")
    monkeypatch.setattr(glove.word_training, "CALL_STEPS", 7)
    train = glove.word_training.loop.train

    def stop_midway(*arguments, report, **options):
        def stop(done, metrics, seconds):
            report(done, metrics, seconds)
            if done == 80:
                raise KeyboardInterrupt

        return train(*arguments, report=stop, **options)

    with monkeypatch.context() as patch:
        patch.setattr(glove.word_training.loop, "train", stop_midway)
        with pytest.raises(KeyboardInterrupt):
            glove.train(config, word_vectors.prepare(config), 0.0)
    assert not (config.out / "counts").exists()
    vectors, figures = glove.train(config, word_vectors.prepare(config), 0.0)
    np.testing.assert_array_equal(vectors, io.read(finished.out / "vectors.txt").vectors)


def test_the_loss_of_zeros_is_the_mean_over_pairs(config, planted, tmp_path, monkeypatch):
    text = word_vectors.prepare(dataclasses.replace(config, out=tmp_path / "run"))
    pairs = cooccurrence.windows(text.corpus, text.vocabulary, window=5)
    counts = sparse_counts.count(pairs, tmp_path, memory_limit=10**8)
    monkeypatch.setattr(glove, "BLOCK", 1000)
    config = dataclasses.replace(config, x_max=20.0, alpha=0.5)
    expected = np.mean(
        [0.5 * min(1, (count / 20) ** 0.5) * np.log(count) ** 2 for count in counts.data]
    )
    assert glove.loss_of_zeros(config, counts) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--window", 0), "--window must be at least 1 and at most 40, found 0"),
        (("--window", 41), "--window must be at least 1 and at most 40, found 41"),
        (("--x-max", 0), "--x-max must be more than 0"),
        (("--x-max", "nan"), "--x-max must be more than 0"),
        (("--alpha", -1), "--alpha must be at least 0 and at most 10, found -1"),
        (("--learning-rate", 0), "--learning-rate must be more than 0 and at most 10, found 0"),
        (("--memory-limit", 1), "--memory-limit 1: a memory limit of 1.0 MB is too small to coun"),
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
