import dataclasses
import json
import re
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from jaxemb.experiments import lsa
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words import vectors as word_vectors

from jaxemb import io
from jaxemb.evaluation.neighbors import nearest

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def finished(planted, tmp_path_factory, private_cache):
    config = lsa.Config(
        corpus=(str(planted),), dim=16, window=5, out=tmp_path_factory.mktemp("runs") / "finished"
    )
    lsa.run(config)
    return config


@pytest.fixture
def make(finished, tmp_path):
    """Makes vectors without a map, which takes longer than all else."""

    def run(**changes):
        config = dataclasses.replace(finished, out=tmp_path / "run", **changes)
        shutil.rmtree(config.out, ignore_errors=True)
        text = word_vectors.prepare(config, check=lambda text: lsa.check(config, text))
        vectors, _, figures = lsa.make(config, text)
        return text.vocabulary.words, vectors, figures

    return run


def purity(words, vectors) -> float:
    """Share of the three nearest neighbors that are of the word's topic."""
    table = jnp.asarray(vectors)
    ids, _ = nearest(table, table, k=3, exclude=jnp.arange(len(table))[:, None])
    topics = np.array([word.split("w")[0] for word in words])
    return float((topics[np.asarray(ids)] == topics[:, None]).mean())


def test_a_run_leaves_its_results(finished, planted):
    assert sorted(path.name for path in finished.out.iterdir()) == [
        "config.json",
        "map.html",
        "map.png",
        "singular_values.png",
        "summary.json",
        "vectors.txt",
        "vocabulary.txt",
    ]
    found = io.read(finished.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    assert (len(words), vectors.shape) == (72, (72, 16))
    assert sorted(words) == sorted(set(planted.read_text().split()))
    # Singular vectors: power 0.
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(16), atol=1e-5)
    assert purity(words, vectors) == 1.0
    summary = json.loads((finished.out / "summary.json").read_text())
    assert summary["vocabulary"] == 72
    assert summary["peak_memory_mb"] > 50


def reference(planted, words, window):
    """PPMI of harmonic windows by plain loops, and the rest of LSA in float64."""
    ids = {word: i for i, word in enumerate(words)}
    counts = np.zeros((72, 72))
    for line in planted.read_text().splitlines():
        row = [ids[word] for word in line.split()]
        for i, word in enumerate(row):
            for j in range(max(0, i - window), min(len(row), i + window + 1)):
                if i != j:
                    counts[word, row[j]] += 1 / abs(i - j)
    context = counts.sum(axis=0) ** 0.75
    chance = np.outer(counts.sum(axis=1), context / context.sum())
    with np.errstate(divide="ignore"):
        return counts, np.maximum(np.log(counts / chance), 0)


def test_vectors_agree_with_loops(make, planted):
    words, vectors, figures = make(window=2, eigenvalue_power=1.0)
    counts, matrix = reference(planted, words, 2)
    left, values, _ = np.linalg.svd(matrix)
    assert figures["words"] == 60_000
    assert figures["pairs"] == np.count_nonzero(counts)
    assert figures["positive_pairs"] == np.count_nonzero(matrix)
    assert figures["words_without_contexts"] == 0
    assert figures["largest_singular_value"] == pytest.approx(values[0], rel=1e-5)
    assert figures["smallest_singular_value"] == pytest.approx(values[15], rel=1e-5)
    # Inner products don't depend on signs.
    scaled = left[:, :16] * values[:16]
    np.testing.assert_allclose(vectors @ vectors.T, scaled @ scaled.T, atol=1e-3)


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


def test_the_same_bits_in_little_memory_and_after_a_kill(finished, make, tmp_path, monkeypatch):
    expected = io.read(finished.out / "vectors.txt").vectors
    _, vectors, _ = make(memory_limit=5)
    np.testing.assert_array_equal(vectors, expected)
    # What a killed run has left is written over, and taken away.
    prepare = word_vectors.prepare

    def leave_half(config, **options):
        text = prepare(config, **options)
        (config.out / "counts").mkdir()
        (config.out / "counts" / "columns").write_bytes(b"half")
        return text

    monkeypatch.setattr(word_vectors, "prepare", leave_half)
    _, vectors, _ = make()
    np.testing.assert_array_equal(vectors, expected)
    assert not (tmp_path / "run" / "counts").exists()


def test_a_finished_run_is_only_shown(finished, capsys):
    lsa.run(finished)
    out = capsys.readouterr().out
    assert out.startswith(f"{finished.out} holds this run, finished:\n")
    assert out.split("\n", 1)[1] == (finished.out / "summary.json").read_text()


def test_words_without_contexts_are_told(make, planted, tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("alone\n" * 9 + planted.read_text())
    words, vectors, figures = make(corpus=(str(text),), dim=6)
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
        (("--memory-limit", 1), "--memory-limit 1: a memory limit of 1.0 MB is too small to coun"),
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
    assert (status, told) == (
        2,
        ["error: no pair occurs more than --shift 3 times as often as by chance"],
    )
