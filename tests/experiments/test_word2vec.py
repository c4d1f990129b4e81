import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments import word2vec
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words.text import TextFlags

from jaxemb import io
from jaxemb.evaluation.neighbors import nearest
from jaxemb.models import word2vec as model

pytestmark = pytest.mark.usefixtures("private_cache")

SMALL = {"dim": 16, "epochs": 5, "subsample": 0.0}


def options(config, **changes):
    """The configuration with other options."""
    return dataclasses.replace(config, options=dataclasses.replace(config.options, **changes))


def at(config, out, **changes):
    """The configuration with another folder."""
    common = dataclasses.replace(config.common, out=out, **changes)
    return dataclasses.replace(config, common=common)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A data folder with a set that the planted corpus answers, and one of unknown words."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "wordsim").mkdir()
    header = ",word1,word2,similarity\n"
    pairs = [("t0w0", "t0w1", 9), ("t1w0", "t1w2", 8), ("t0w0", "t1w0", 1), ("t3w3", "t2w2", 2)]
    rows = "".join(f"{i},{a},{b},{score}\n" for i, (a, b, score) in enumerate(pairs))
    (folder / "wordsim" / "sim_planted.csv").write_text(header + rows)
    (folder / "wordsim" / "sim_unknown.csv").write_text(header + "0,motel,hotel,9\n1,cat,car,1\n")
    return folder


@pytest.fixture(scope="module")
def finished(planted, sets, tmp_path_factory, private_cache):
    """A run of the default method."""
    config = word2vec.Config(
        dataclasses.replace(word2vec.SMOKE.options, **SMALL),
        TextFlags(corpus=(str(planted),)),
        command.Common(
            data_dir=sets,
            out=tmp_path_factory.mktemp("runs") / "finished",
            checkpoint_seconds=0,
        ),
    )
    word2vec.run(config)
    return config


def purity(words, vectors) -> float:
    """Share of the three nearest neighbors that are of the word's topic."""
    table = jnp.asarray(vectors)
    ids, _ = nearest(table, table, k=3, exclude=jnp.arange(len(table))[:, None])
    topics = np.array([word.split("w")[0] for word in words])
    return float((topics[np.asarray(ids)] == topics[:, None]).mean())


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def read_json(path):
    def refuse(name):
        raise AssertionError(f"{path}: {name} is no JSON")

    return json.loads(path.read_text(), parse_constant=refuse)


def test_a_run_leaves_its_results(finished, planted):
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
    counts = np.unique(planted.read_text().split(), return_counts=True)
    known = dict(zip(*(part.tolist() for part in counts), strict=True))
    listed = [line.split() for line in (out / "vocabulary.txt").read_text().splitlines()]
    assert words == [word for word, _ in listed]
    assert {word: int(count) for word, count in listed} == known
    assert vectors.shape == (72, 16)
    assert np.isfinite(vectors).all()
    assert (out / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "t3w4" in (out / "map.html").read_text()


def test_the_summary_says_how_it_went(finished):
    summary = read_json(finished.common.out / "summary.json")
    assert summary["words"] == 60_000
    assert summary["vocabulary"] == 72
    # 1,024 words a step.
    assert summary["steps"] == 5 * 59
    assert summary["train_seconds"] > 0
    assert summary["words_per_second"] == pytest.approx(300_000 / summary["train_seconds"])
    assert summary["final_loss"] == pytest.approx(np.mean(losses(finished.common.out)[-10:]))
    assert 50 < summary["peak_memory_mb"] < 50_000
    assert summary["planted"] == pytest.approx(2 / np.sqrt(5), abs=0.21)
    assert summary["planted_missing"] == 0


def test_a_score_that_cannot_be_had_is_null(finished):
    summary = read_json(finished.common.out / "summary.json")
    assert summary["unknown"] is None
    assert summary["unknown_missing"] == 2


def test_the_configuration_is_kept(finished, planted):
    held = read_json(finished.common.out / "config.json")
    assert held["config"]["dim"] == 16
    assert held["config"]["corpus"] == [str(planted)]
    fields = command.flat_fields(finished).keys()
    assert held["config"].keys() == fields - {"out", "data_dir", "checkpoint_seconds", "font"}
    assert {"groups", "dtype", "damping", "min_count", "seed"} <= fields
    assert list(held["data_sha256"]) == ["planted.txt"]
    assert held["versions"]["jax"] == jax.__version__


def test_each_call_leaves_a_line(finished):
    lines = [
        json.loads(line)
        for line in (finished.common.out / "metrics.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == [128, 256, 295]
    rates = [line["learning_rate"] for line in lines]
    # Linear from .075 to a ten-thousandth of it; a line tells the mean of its steps.
    expected = [0.075 * (1 - (1 - 1e-4) * step / 295) for step in (63.5, 191.5, 275)]
    np.testing.assert_allclose(rates, expected, rtol=1e-4)
    assert all(line["words_per_second"] > 0 for line in lines)


def test_neighbors_are_poor_before_and_good_after(finished):
    found = io.read(finished.common.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    before = model.init(jax.random.key(3), vocabulary=72, dim=16)["input"]
    # A sixth is chance; 216 draws have a standard deviation of .025.
    assert purity(words, before) < 0.3
    assert purity(words, vectors) == 1.0
    # Random vectors: six scores of 0, ln 2 each. The planted corpus can be told from noise.
    assert losses(finished.common.out)[0] < 6 * np.log(2)
    assert losses(finished.common.out)[-1] < 2


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "cbow"},
        {"model": "cbow", "cbow_mean": False, "optimizer": "adagrad"},
        {"optimizer": "adam"},
    ],
    ids=["cbow mean sgd", "cbow sum adagrad", "skipgram adam"],
)
def test_other_methods_learn_too(finished, tmp_path, changes):
    # In its parts a step takes three times as long to compile.
    config = options(at(finished, tmp_path / "run"), parts=1, **changes)
    word2vec.run(config)
    found = io.read(config.common.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    assert np.isfinite(vectors).all()
    assert purity(words, vectors) > 0.95
    # The first line is the mean of 128 steps, and learning begins with the first.
    told = losses(config.common.out)
    assert told[-1] < 1.6
    assert 1.2 * told[-1] < told[0] < 6 * np.log(2)


@pytest.mark.parametrize(
    ("changes", "guess"),
    [
        ({"objective": "nce"}, 6 * np.log(2)),
        ({"objective": "sampled_softmax", "model": "cbow"}, np.log(33)),
        ({"objective": "hierarchical_softmax"}, np.log(72)),
        ({"objective": "full_softmax", "model": "cbow"}, np.log(72)),
    ],
    ids=lambda value: "" if isinstance(value, float) else value["objective"],
)
def test_other_objectives_learn_too(finished, tmp_path, changes, guess):
    # In its parts a step takes three times as long to compile.
    config = options(at(finished, tmp_path / "run"), parts=1, **changes)
    word2vec.run(config)
    found = io.read(config.common.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    assert vectors.shape == (72, 16)
    assert np.isfinite(vectors).all()
    assert purity(words, vectors) > 0.95
    assert losses(config.common.out)[-1] < losses(config.common.out)[0] < 1.1 * guess


def test_one_seed_gives_the_same_bytes_and_another_does_not(finished, planted, start, tmp_path):
    expected = (finished.common.out / "vectors.txt").read_bytes()
    # A process of its own, and without the checkpoints in between.
    flags = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    where = ["--corpus", planted, "--out", tmp_path / "again"]
    process = start("-m", "experiments.word2vec", *flags, *where)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    assert "60,000 words, vocabulary 72 (count >= 5)\n" in out
    assert "ready after " in out
    assert " after 295 steps, " in out
    assert (tmp_path / "again" / "vectors.txt").read_bytes() == expected
    assert "Warning" not in err

    other = at(finished, tmp_path / "other", seed=1)
    word2vec.run(other)
    assert (other.common.out / "vectors.txt").read_bytes() != expected


def test_a_finished_run_is_only_shown(finished, capsys, monkeypatch):
    monkeypatch.setattr(word2vec, "train", None)
    before = {path: path.stat().st_mtime_ns for path in finished.common.out.iterdir()}
    word2vec.run(finished)
    out = capsys.readouterr().out
    assert out.startswith(f"{finished.common.out} holds this run, finished:\n")
    assert json.loads(out.split("\n", 1)[1]) == read_json(finished.common.out / "summary.json")
    assert {path: path.stat().st_mtime_ns for path in finished.common.out.iterdir()} == before


def test_a_vocabulary_of_two_words_is_enough(planted, tmp_path):
    config = word2vec.Config(
        word2vec.word2vec.Options(model="cbow", dim=2, epochs=1, parts=1),
        TextFlags(corpus=(str(planted),), max_vocab=2),
        command.Common(out=tmp_path / "run"),
    )
    word2vec.run(config)
    assert io.read(config.common.out / "vectors.txt").vectors.shape == (2, 2)


def test_a_corpus_with_few_neighbors_is_no_explosion(finished, planted, tmp_path):
    # Many steps measure no prediction, so that their loss is 0.
    words = planted.read_text().split()
    text = tmp_path / "text.txt"
    text.write_text("\n".join(words[:-3000]) + "\n" + planted.read_text()[-300 * 50 :])
    config = options(at(finished, tmp_path / "run"), model="cbow", epochs=1, parts=1)
    config = dataclasses.replace(config, text=TextFlags(corpus=(str(text),)))
    word2vec.run(config)
    assert losses(config.common.out)[0] < 6 * np.log(2)
