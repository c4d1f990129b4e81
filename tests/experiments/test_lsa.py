import dataclasses
import json
import re
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments import lsa
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words import text as word_text

from jaxemb import io
from jaxemb.evaluation.neighbors import nearest

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def finished(planted, tmp_path_factory, private_cache):
    config = dataclasses.replace(
        lsa.SMOKE,
        text=word_text.TextFlags(corpus=(str(planted),)),
        common=command.Common(out=tmp_path_factory.mktemp("runs") / "finished"),
    )
    lsa.run(config)
    return config


@pytest.fixture
def make(finished, tmp_path):
    """Makes vectors without a map, which takes longer than all else."""

    def run(corpus=None, **changes):
        out = tmp_path / "run"
        config = dataclasses.replace(
            finished,
            options=dataclasses.replace(finished.options, **changes),
            text=finished.text if corpus is None else word_text.TextFlags(corpus=(str(corpus),)),
            common=dataclasses.replace(finished.common, out=out),
        )
        shutil.rmtree(out, ignore_errors=True)
        text = word_text.open_run(config)
        # What a killed run has left is written over, and taken away.
        (out / "counts").mkdir()
        (out / "counts" / "columns").write_bytes(b"half")
        fitted, figures = lsa.make(config, text)
        assert not (out / "counts").exists()
        return text.vocabulary.words, fitted.vectors.vectors, figures

    return run


def purity(words, vectors) -> float:
    """Share of the three nearest neighbors that are of the word's topic."""
    table = jnp.asarray(vectors)
    ids, _ = nearest(table, table, k=3, exclude=jnp.arange(len(table))[:, None])
    topics = np.array([word.split("w")[0] for word in words])
    return float((topics[np.asarray(ids)] == topics[:, None]).mean())


def test_a_run_leaves_its_results(finished, planted):
    assert sorted(path.name for path in finished.common.out.iterdir()) == [
        "config.json",
        "map.html",
        "map.parquet",
        "map.png",
        "singular_values.png",
        "summary.json",
        "vectors.txt",
        "vocabulary.txt",
    ]
    found = io.read(finished.common.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    assert (len(words), vectors.shape) == (72, (72, 16))
    assert sorted(words) == sorted(set(planted.read_text().split()))
    # Singular vectors: power 0.
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(16), atol=1e-5)
    assert purity(words, vectors) == 1.0
    summary = json.loads((finished.common.out / "summary.json").read_text())
    assert summary["vocabulary"] == 72
    assert summary["peak_memory_mb"] > 50


@pytest.mark.parametrize(
    "changes",
    [
        {"counts": "documents"},
        {"side": "left", "weighting": "flat", "shift": 2.0, "smoothing": 1.0},
        {"eigenvalue_power": 0.5, "dim": 6, "space": 8},
    ],
    ids=["documents", "left flat", "narrow"],
)
def test_other_counts_tell_topics_too(make, changes):
    words, vectors, _ = make(**changes)
    assert purity(words, vectors) > 0.95


def test_the_same_bits_in_little_memory(finished, make):
    expected = io.read(finished.common.out / "vectors.txt").vectors
    _, vectors, _ = make(memory_limit=5)
    np.testing.assert_array_equal(vectors, expected)


def test_a_finished_run_is_only_shown(finished, capsys):
    lsa.run(finished)
    out = capsys.readouterr().out
    assert out.startswith(f"{finished.common.out} holds this run, finished:\n")
    assert out.split("\n", 1)[1] == (finished.common.out / "summary.json").read_text()


def test_words_without_contexts_are_told(make, planted, tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("alone\n" * 9 + planted.read_text())
    words, vectors, figures = make(corpus=text, dim=6)
    assert "1 words have no contexts, so that their vectors are 0" in capsys.readouterr().out
    assert not vectors[words.index("alone")].any()
    assert np.count_nonzero(vectors.any(axis=1)) == 72
    assert figures["words_without_contexts"] == 1


@pytest.fixture
def ask(planted, tmp_path, capsys):
    def run(*flags):
        always = ["--corpus", str(planted), "--dim", "16", "--out", str(tmp_path / "run")]
        status = command.main(lsa.Config, lsa.run, [*always, *map(str, flags)])
        # Progress bars aside.
        lines = capsys.readouterr().err.splitlines()
        return status, [line for line in lines if not re.search(r"\[\d+:\d+[<,].*/s", line)]

    return run


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--window", 0), "--window must be at least 1 and at most 100, found 0"),
        (("--window", 101), "--window must be at least 1 and at most 100, found 101"),
        (("--window", 41), "harmonic weights have no exact sums in a window of 41"),
        (("--shift", 0), "--shift must be more than 0 and at most 1,000,000"),
        (("--shift", "nan"), "--shift must be more than 0"),
        (("--smoothing", -0.1), "--smoothing must be at least 0 and at most 1, found -0.1"),
        (("--eigenvalue-power", -1), "--eigenvalue-power must be at least 0 and at most 10"),
        (("--memory-limit", 0), "--memory-limit must be at least 1, found 0"),
        (("--memory-limit", 1), "--memory-limit of 1.0 MB is too small to count in"),
        (("--space", 9), "--space must be at least 16, found 9"),
        (("--dim", 73), "--dim must be at most 72, the number of words, found 73"),
        (("--counts", "letters"), "invalid choice 'letters' for argument '--counts'"),
    ],
)
def test_bad_flags(ask, tmp_path, flags, message):
    status, lines = ask(*flags)
    assert (status, len(lines)) == (2, 1)
    assert lines[0].startswith(f"error: {message}")
    # Nothing was begun that would be in the way of the next try.
    assert not (tmp_path / "run").exists()


def test_corpora_that_cannot_be_counted(ask, tmp_path):
    few, lines, same = (tmp_path / name for name in ("few.txt", "lines.txt", "same.txt"))
    few.write_text("here there " * 5)
    lines.write_text("one\ntwo\n" * 50)
    same.write_text("one two\n" * 50)
    cases = [
        (
            few,
            ("--dim", 2, "--window", 10),
            "the text has 10 words of the vocabulary, no more than",
        ),
        (
            few,
            ("--counts", "documents", "--dim", 2),
            "--dim must be at most 1, the number of docum",
        ),
        (lines, ("--dim", 2), f"{lines}: every document is a single word, so none has neighbors"),
    ]
    for path, flags, message in cases:
        status, told = ask("--corpus", path, *flags)
        assert (status, len(told)) == (2, 1), told
        assert told[0].startswith(f"error: {message}")
        assert not (tmp_path / "run").exists()
    # Each word has the other as its only neighbor, which is twice as often as by chance.
    status, told = ask("--corpus", same, "--dim", 2, "--shift", 3)
    assert (status, len(told)) == (2, 1)
    assert told[0].startswith("error: --shift of 3 is too large: no pair occurs more than so many")
