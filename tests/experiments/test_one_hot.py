import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments import one_hot
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words.one_hot_scores import score
from jaxemb.experiments.harness.words.text import TextFlags

from jaxemb.evaluation.word_scores import evaluate

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Sets of the planted corpus's words; one pair is of equal words."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "wordsim").mkdir()
    header = ",word1,word2,similarity\n"
    (folder / "wordsim" / "sim_some.csv").write_text(
        header + "0,t0w0,t0w1,9\n1,t1w0,t2w2,1\n2,t1w0,t1w0,10\n3,motel,hotel,9\n"
    )
    (folder / "wordsim" / "sim_none.csv").write_text(header + "0,t0w0,t0w1,9\n1,t1w0,t2w2,1\n")
    rows = [f"{t}{i},topic {t},t{t}w{i}" for t in range(3) for i in range(4)]
    (folder / "wordsim" / "cat_topics.csv").write_text(",category,word\n" + "\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def finished(planted, sets, tmp_path_factory, private_cache):
    config = dataclasses.replace(
        one_hot.SMOKE,
        text=TextFlags(corpus=(str(planted),)),
        common=command.Common(data_dir=sets, out=tmp_path_factory.mktemp("runs") / "run"),
    )
    one_hot.run(config)
    return config


def summary_of(config):
    return json.loads((config.common.out / "summary.json").read_text())


def test_no_two_words_are_alike(tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("the motel and the hotel\n" * 7)
    flags = ["--corpus", str(text), "--out", str(tmp_path / "run"), "--data-dir", str(tmp_path)]
    assert command.main(one_hot.Config, one_hot.run, flags) == 0
    out = capsys.readouterr().out
    assert "  motel . hotel = 0, their cosine too; distance 1.414" in out
    assert "  motel: the, and, hotel, ... (all equally far" in out
    assert "no wordsim/sim_*.csv" in out
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["dot_motel_hotel"] == 0
    assert summary["distance_motel_hotel"] == pytest.approx(2**0.5)
    assert summary["vocabulary"] == 4
    assert (tmp_path / "run" / "vocabulary.txt").read_text().split()[::2] == [
        *("the", "and", "hotel", "motel")
    ]


def test_scores_are_of_chance(finished):
    summary = summary_of(finished)
    assert summary["vocabulary"] == 72
    # Nothing is ordered but the pair of equal words, in the right place.
    assert summary["none"] is None
    assert summary["some"] == pytest.approx(np.corrcoef([2, 1, 3], [1.5, 1.5, 3])[0, 1])
    assert (summary["some_missing"], summary["none_missing"]) == (1, 0)
    assert summary["purity_topics"] < 0.7
    assert abs(summary["none_random"]) <= 1


def test_a_finished_run_is_only_shown(finished, capsys, monkeypatch):
    monkeypatch.setattr(one_hot, "score", None)
    one_hot.run(finished)
    assert capsys.readouterr().out.startswith(f"{finished.common.out} holds this run, finished:\n")


@pytest.mark.parametrize("most_frequent", [5, 9, 30])
def test_scores_are_those_of_the_whole_table(sets, tmp_path, most_frequent):
    words = ["The", "of", "t0w0", "and", *(f"t{t}w{i}" for t in range(3) for i in range(4)), "x"]
    words = list(dict.fromkeys(words))
    for name in ("sim_some", "sim_none", "cat_topics"):
        (tmp_path / "wordsim").mkdir(exist_ok=True)
        path = f"wordsim/{name}.csv"
        (tmp_path / path).write_text((sets / path).read_text())
    (tmp_path / "questions-words.txt").write_text(
        ": a\nt0w0 t0w1 t1w0 t1w1\nt0w1 t0w2 of the\nt0w1 t0w2 the of\n: b\nx t0w1 x t0w0\n"
    )
    whole = evaluate(words, jnp.eye(len(words)), tmp_path, most_frequent=most_frequent)
    found = score(words, tmp_path, most_frequent=most_frequent)
    assert found.report == whole.report
    np.testing.assert_equal(found.scores, whole.scores)


def test_phrases_become_words(tmp_path, capsys):
    text = tmp_path / "text.txt"
    rng = np.random.default_rng(0)
    fill = [" ".join(f"f{i}" for i in rng.integers(40, size=20)) for _ in range(60)]
    text.write_text("".join(f"{line} new york\n" for line in fill))
    flags = ["--corpus", text, "--phrases", 1, "--phrase-threshold", 10, "--out", tmp_path / "run"]
    assert command.main(one_hot.Config, one_hot.run, list(map(str, flags))) == 0
    assert "1 phrases joined, such as new_york\n" in capsys.readouterr().out
    assert (tmp_path / "run" / "vocabulary.txt").read_text().startswith("new_york 60\n")


def test_mistakes_are_told(planted, tmp_path, capsys):
    for flags, message in (
        (["--min-count", "0"], "--min-count must be at least 1"),
        (["--random-tables", "0"], "--random-tables must be at least 1"),
        (["--phrases", "-1"], "--phrases must be at least 0"),
        (["--phrase-discount", "-1"], "--phrase-discount must be at least 0"),
        (["--phrase-threshold", "nan"], "--phrase-threshold must be at least 0"),
        (["--max-vocab", "1"], "only the word"),
        (["--min-count", "60001"], "no word has a count of at least min_count"),
    ):
        arguments = ["--corpus", str(planted), *flags, "--out", str(tmp_path / "run")]
        assert command.main(one_hot.Config, one_hot.run, arguments) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
