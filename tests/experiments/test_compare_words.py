import dataclasses
import json
import logging
import math
import shutil
import time

import numpy as np
import pytest
from jaxemb.experiments import compare_words, lsa, word2vec
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words import text as word_text
from jaxemb.experiments.harness.words.systems import SYSTEMS
from jaxemb.experiments.harness.words.text import TextFlags

from jaxemb import io
from jaxemb.errors import InputError
from jaxemb.methods.lsa import Options as LsaOptions
from jaxemb.methods.word2vec.objectives import OBJECTIVES

pytestmark = pytest.mark.usefixtures("private_cache")

TOPICS, WORDS = 20, 15
SEEDS = (7, 8)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Text in which words of a topic share their contexts, and those of a number their place."""
    rng = np.random.default_rng(3)
    topics = rng.integers(TOPICS, size=(2000, 1))
    chosen = rng.integers(WORDS, size=(2000, 10))
    path = tmp_path_factory.mktemp("corpus") / "topics.txt"
    lines = (
        " ".join(f"t{topic}w{word}" for word in row)
        for topic, row in zip(topics.ravel(), chosen, strict=True)
    )
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Sets of the corpus's words; "own-set" is of a name that no table knows."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "wordsim").mkdir()
    rng = np.random.default_rng(0)
    for name in ("men", "own-set", "wordsim353-sim"):
        rows = []
        for i in range(40):
            a, b = rng.integers(TOPICS, size=2) if i % 2 else 2 * [rng.integers(TOPICS)]
            first, second = rng.integers(WORDS, size=2)
            rows.append(f"{i},t{a}w{first},t{b}w{second},{9.0 * (a == b) + rng.random():.3f}")
        text = "\n".join([",word1,word2,similarity", *rows, "40,motel,hotel,9"]) + "\n"
        (folder / "wordsim" / f"sim_{name}.csv").write_text(text)
    (folder / "questions-words.txt").write_text(
        ": gram1\nt0w0 t0w1 t1w0 t1w1\n: other\nt2w0 t2w1 t3w0 t3w1\nmotel hotel t1w0 t1w1\n"
    )
    return folder


@pytest.fixture(scope="module")
def finished(corpus, sets, tmp_path_factory, private_cache):
    config = dataclasses.replace(
        compare_words.SMOKE,
        seeds=len(SEEDS),
        text=TextFlags(corpus=(str(corpus),)),
        common=command.Common(
            data_dir=sets, seed=SEEDS[0], out=tmp_path_factory.mktemp("runs") / "run"
        ),
    )
    compare_words.run(config)
    return config


@pytest.fixture
def again(finished, tmp_path):
    """A copy of the comparison, as it was before its end."""
    common = dataclasses.replace(finished.common, out=tmp_path / "run")
    config = dataclasses.replace(finished, common=common)
    shutil.copytree(finished.common.out, common.out)
    for name in ("summary.json", "table.md", "compare_words.png"):
        (common.out / name).unlink()
    return config


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text())


def files_of(folder):
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def test_a_comparison_leaves_its_runs_and_results(finished):
    made = ["config.json", "summary.json", "vectors.txt"]
    expected = ["config.json", "summary.json", "vocabulary.txt", "compare_words.png", "table.md"]
    expected += [f"one_hot/seed{SEEDS[0]}/{name}" for name in made[:2]]
    expected += [f"lsa/seed{seed}/{name}" for seed in SEEDS for name in made]
    # Its checkpoint is taken away.
    expected += [
        f"skipgram/seed{seed}/{name}" for seed in SEEDS for name in [*made, "metrics.jsonl"]
    ]
    assert sorted(files_of(finished.common.out)) == sorted(expected)
    assert (finished.common.out / "compare_words.png").read_bytes().startswith(b"\x89PNG")
    for seed in SEEDS:
        held = json.loads((finished.common.out / f"skipgram/seed{seed}/config.json").read_text())[
            "config"
        ]
        assert (held["seed"], held["dim"], held["epochs"], held["model"]) == (
            seed,
            8,
            1,
            "skipgram",
        )


def test_means_and_intervals_are_those_of_the_runs(finished):
    summary = summary_of(finished.common.out)
    names = ("wordsim353_sim", "men", "analogies", "analogies_syntactic", "own_set", "seconds")
    for system in ("lsa", "skipgram"):
        runs = [summary_of(finished.common.out / system / f"seed{seed}") for seed in SEEDS]
        for name in names:
            a, b = (run[name] for run in runs)
            assert summary[f"{system}_{name}"] == pytest.approx((a + b) / 2)
            # 12.706: Student's t, one degree of freedom; the mean's standard error is |a - b| / 2.
            half = 12.7062 * abs(a - b) / 2
            assert summary[f"{system}_{name}_interval"] == pytest.approx(half, rel=1e-5)
    # Chance makes two tables of few words differ.
    assert summary["skipgram_men_interval"] > 0
    assert summary["lsa_men"] > 0.5
    # Nothing to repeat, and nothing was trained.
    assert summary["one_hot_men"] is not None
    assert summary["one_hot_men_interval"] is None
    assert summary["one_hot_seconds"] is None
    assert (summary["words"], summary["vocabulary"]) == (20_000, TOPICS * WORDS)
    assert (summary["men_missing"], summary["own_set_missing"]) == (1, 1)
    assert summary["analogies_missing"] == 1


def test_the_table_has_all_systems_and_sets(finished):
    table, told = (finished.common.out / "table.md").read_text().split("\n\n")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert cells[0] == [
        "system",
        "WordSim-353 similarity",
        "MEN",
        "analogies",
        "semantic analogies",
        "syntactic analogies",
        "own_set",
        "seconds",
    ]
    assert {len(row) for row in cells} == {len(cells[0])}
    assert [row[0] for row in cells[2:]] == ["one-hot", "LSA", "skip-gram, negative sampling"]
    summary = summary_of(finished.common.out)
    mean, half = (summary[f"skipgram_men{end}"] for end in ("", "_interval"))
    assert cells[4][2] == f"{mean:.3f} ± {half:.3f}"
    assert cells[2][1] == f"{summary['one_hot_wordsim353_sim']:.3f}"
    assert cells[2][-1] == "–"
    assert "by Student's t with 2 - 1 degrees of freedom" in told
    assert "1 of WordSim-353 similarity, 1 of MEN, 1 of analogies, 1 of own_set" in told


def test_a_run_is_that_of_its_own_experiment(finished, tmp_path):
    expected = io.read(finished.common.out / f"lsa/seed{SEEDS[1]}/vectors.txt")
    common = dataclasses.replace(finished.common, seed=SEEDS[1], out=tmp_path / "run")
    config = lsa.Config(LsaOptions(dim=8), finished.text, common)
    text = word_text.open_run(config)
    fitted, _ = lsa.make(config, text)
    np.testing.assert_array_equal(fitted.vectors.vectors, expected.vectors)
    assert text.vocabulary.words == expected.words


def test_an_interrupted_comparison_goes_on(finished, again, capsys, caplog):
    caplog.set_level(logging.INFO, logger="jaxemb")
    # Stopped after the training of the last run, before its scores.
    own = compare_words.config_of(again, "skipgram", SEEDS[1])
    shutil.rmtree(own.common.out)
    text = word_text.read(again.text, again.common)
    assert compare_words.run_folder.open_run(own.common.out, own, text.corpus.sha256)
    word2vec.train(own, text, time.perf_counter())
    capsys.readouterr()
    before = {name: path.stat().st_mtime_ns for name, path in files_of(again.common.out).items()}
    compare_words.run(again)
    after = {name: path.stat().st_mtime_ns for name, path in files_of(again.common.out).items()}
    changed = {name for name in before if before[name] != after.get(name)}
    last = f"skipgram/seed{SEEDS[1]}"
    assert all(name == "vocabulary.txt" or name.startswith(last) for name in changed)
    out = capsys.readouterr().out
    assert any(message.startswith("going on from step") for message in caplog.messages)
    assert out.count(", seed ") == 1
    # The same to the last bit, but that nobody knows how long the last run took.
    vectors = [folder.common.out / last / "vectors.txt" for folder in (again, finished)]
    assert vectors[0].read_bytes() == vectors[1].read_bytes()
    found, expected = summary_of(again.common.out), summary_of(finished.common.out)
    assert summary_of(again.common.out / last)["seconds"] is None
    other = summary_of(again.common.out / f"skipgram/seed{SEEDS[0]}")["seconds"]
    expected |= {"skipgram_seconds": other, "skipgram_seconds_interval": None}
    for name in ("peak_memory_mb", "run_minutes"):
        del found[name], expected[name]
    assert found == expected


def test_a_finished_comparison_is_only_shown(finished, capsys, monkeypatch):
    monkeypatch.setattr(compare_words, "run_once", None)
    compare_words.run(finished)
    assert capsys.readouterr().out.startswith(f"{finished.common.out} holds this run, finished:\n")


def test_a_run_of_other_settings_is_refused(again):
    path = again.common.out / f"lsa/seed{SEEDS[0]}/config.json"
    held = json.loads(path.read_text())
    held["config"]["window"] = 3
    path.write_text(json.dumps(held))
    with pytest.raises(InputError, match="window is 3 there and 8 here"):
        compare_words.run(again)


def test_runs_of_other_word_sets_are_refused(again):
    path = again.common.out / f"lsa/seed{SEEDS[1]}/summary.json"
    summary = json.loads(path.read_text())
    path.write_text(json.dumps({name: summary[name] for name in summary if name != "own_set"}))
    with pytest.raises(InputError, match="only some of the runs there were scored by own_set; did"):
        compare_words.run(again)


def test_a_failure_names_system_and_seed(again, monkeypatch):
    def fail(config, text):
        raise InputError("the loss is not finite")

    (again.common.out / f"lsa/seed{SEEDS[1]}/summary.json").unlink()
    monkeypatch.setitem(SYSTEMS, "lsa", SYSTEMS["lsa"]._replace(make=fail))
    with pytest.raises(InputError, match=f"^LSA, seed {SEEDS[1]}: the loss is not finite$"):
        compare_words.run(again)


def test_each_system_is_asked_for_as_it_is_named():
    config = compare_words.Config(
        dim=30, epochs=2, text=TextFlags(min_count=3), common=command.Common(seed=1)
    )
    assert config.systems == tuple(SYSTEMS)
    for system in SYSTEMS:
        own = command.flat_fields(compare_words.config_of(config, system, 2))
        assert (own["dim"], own["min_count"], own["seed"]) == (30, 3, 2)
        assert own["out"] == config.common.out / system / "seed2"
        # GloVe's passes are over its pairs.
        assert own.get("epochs", 2) == (8 if system == "glove" else 2)
        assert own.get("model") in (None, "cbow" if system == "cbow" else "skipgram")
        objective = system if system in OBJECTIVES else "negative_sampling"
        assert own.get("objective", objective) == objective


def test_random_vectors_are_normal_and_differ_by_seed(again):
    text = word_text.read(again.text, again.common)
    make = SYSTEMS["random"].make
    one, other = (make(compare_words.config_of(again, "random", seed), text)[0] for seed in SEEDS)
    assert one.shape == other.shape == (TOPICS * WORDS, 8)
    # Within four standard errors of 2,400 numbers.
    assert abs(one.mean()) < 4 / math.sqrt(one.size)
    assert abs(one.std() - 1) < 4 / math.sqrt(2 * one.size)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 4 / math.sqrt(one.size)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--systems", "elmo"], "invalid choice 'elmo' for argument '--systems'"),
        (["--systems", "lsa", "lsa"], "--systems must name one system or more, each once"),
        (["--seeds", "1"], "--seeds must be at least 2 and at most 100, found 1"),
        (["--seed", "4294967295"], "--seed must be at most 4,294,967,293, found 4294967295"),
        (["--seed", "-1"], "--seed must be at least 0"),
        (["--epochs", "0"], "--epochs must be at least 1"),
        (["--dim", "301"], "--dim must be at most 300, the number of words, found 301"),
        (["--min-count", "99999"], "no word has a count of at least min_count"),
        (["--data-dir", "EMPTY"], "no wordsim/sim_*.csv and no questions-words.txt, so there is"),
    ],
)
def test_bad_input_is_told(corpus, sets, tmp_path, capsys, flags, message):
    (tmp_path / "empty").mkdir()
    flags = [flag.replace("EMPTY", str(tmp_path / "empty")) for flag in flags]
    always = ["--corpus", str(corpus), "--data-dir", str(sets), "--out", str(tmp_path / "run")]
    arguments = [*always, *flags]
    assert command.main(compare_words.Config, compare_words.run, arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    # What is mended may go into the same folder.
    assert not (tmp_path / "run").exists()
