import csv
import dataclasses
import json

import jax
import numpy as np
import pytest
from jaxemb.experiments import relations
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words import relation_report
from sklearn.neighbors import NearestNeighbors

from jaxemb import io
from jaxemb.data.word_pairs import parse_relations
from jaxemb.evaluation.analogies import AnalogyScore
from jaxemb.evaluation.parallelism import parallelism

pytestmark = pytest.mark.usefixtures("private_cache")

PAIRS = ": made up\n" + "".join(f"a{i} b{i}\n" for i in range(8)) + "a1 zzz\nyyy xxx\n"
PAIRS += ": odd/one\na0 b1\na2 b3\n: two\nzzz a1\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Vectors in which each b is its a and a common offset, and a file of pairs."""
    folder = tmp_path_factory.mktemp("relations")
    rng = np.random.default_rng(2)
    first = rng.normal(size=(8, 12))
    second = first + 1.5 * rng.normal(size=12) + 0.1 * rng.normal(size=(8, 12))
    classic = [f"{i}" for i in range(6)]
    words = [f"a{i}" for i in range(8)] + [f"B{i}" for i in range(8)] + classic
    words += ["big", "bigger", "small", "smaller", "frog"]
    small = rng.normal(size=(6, 12))
    rest = [small[0], small[0] + 2, small[1], small[1] + 2, small[2]]
    vectors = np.concatenate([first, second, rng.normal(size=(6, 12)), rest])
    vectors *= rng.gamma(5, size=(len(vectors), 1))
    io.write(folder / "vectors.npz", words, vectors.astype(np.float32))
    (folder / "pairs.txt").write_text(PAIRS)
    return folder


@pytest.fixture(scope="module")
def ran(files, private_cache, tmp_path_factory):
    config = dataclasses.replace(
        relations.SMOKE,
        vectors=files / "vectors.npz",
        pairs=(files / "pairs.txt",),
        words=("frog", "B2"),
        common=command.Common(out=tmp_path_factory.mktemp("runs") / "run"),
    )
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *words: printed.append(" ".join(map(str, words))))
        relations.run(config)
    return config, "\n".join(printed)


def test_each_relation_has_its_figures(ran):
    config, out = ran
    summary = json.loads((config.common.out / "summary.json").read_text())
    assert summary["made_up_pairs"] == 10
    assert summary["made_up_known"] == 8
    # Any of 8 pairs asks for any other.
    assert summary["made_up_asked"] == 56
    assert summary["made_up_percent_add"] > 80
    assert summary["made_up_cosine"] > 0.6
    assert summary["made_up_excess_low"] > 0
    assert summary["odd_one_known"] == 2
    assert summary["odd_one_percent_add"] == 0
    assert summary["two_cosine"] is None
    with (config.common.out / "relations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["relation"] for row in rows] == ["made up", "odd/one", "two"]
    assert float(rows[0]["cosine"]) == summary["made_up_cosine"]


def test_unknown_words_are_counted_and_named(ran):
    config, out = ran
    assert "made up: unknown words (3): xxx, yyy, zzz" in out
    assert "two: unknown words (1): zzz" in out
    assert (config.common.out / "unknown.csv").read_text().split() == [
        *("relation,word", "made", "up,xxx", "made", "up,yyy", "made", "up,zzz", "two,zzz")
    ]


def test_the_classic_table(ran):
    _, out = ran
    (line,) = [line for line in out.splitlines() if line.startswith("  big - bigger")]
    assert line.split()[3:] == ["small:", "smaller"]
    assert "not among the words: apple, au, " not in out
    assert "not among the words: apple, ballmer, " in out


def test_neighbors_are_those_of_other_libraries(ran):
    config, out = ran
    table = io.read(config.vectors)
    block = out[out.index("\nB2, by") :].splitlines()[2:7]
    assert block[0].split() == ["cosine", "Euclidean", "Manhattan", "dot", "product"]
    columns = list(zip(*(line.split() for line in block[1:]), strict=True))
    row = table.words.index("B2")
    for column, metric in zip(columns[:3], ("cosine", "euclidean", "manhattan"), strict=True):
        peer = NearestNeighbors(n_neighbors=5, metric=metric).fit(table.vectors)
        near = peer.kneighbors(table.vectors[[row]], return_distance=False)[0]
        assert list(column) == [table.words[i] for i in near if i != row]
    products = table.vectors @ table.vectors[row]
    products[row] = -np.inf
    assert list(columns[3]) == [table.words[i] for i in np.argsort(-products)[:4]]
    summary = json.loads((config.common.out / "summary.json").read_text())
    assert summary["overlap_cosine"] == 1
    assert 0 < summary["overlap_dot_product"] < 1
    assert 1 <= summary["median_rank_cosine"] <= len(table.words)


def test_pictures(ran):
    config, _ = ran
    assert sorted(path.name for path in (config.common.out / "substructures").iterdir()) == [
        "01_made_up.png"
    ]
    for name in ("parallelism.png", "substructures.png"):
        assert (config.common.out / name).read_bytes().startswith(b"\x89PNG")


def test_a_plane_keeps_the_offset(ran):
    config, _ = ran
    table = io.read(config.vectors)
    rows = np.stack([np.arange(8), 8 + np.arange(8)], axis=1)
    pairs = [(f"a{i}", f"b{i}") for i in range(8)]
    score = AnalogyScore("x", 0, 0, 0, 0)
    measured = parallelism(jax.random.key(0), table.vectors, rows, resamples=40)
    found = relation_report.Found("x", 8, pairs, rows, [], score, measured)
    panel, control = relation_report.project(table, found)
    assert panel.pairs == pairs
    offsets = panel.points[:, 1] - panel.points[:, 0]
    assert (offsets.mean(axis=0) >= 0).all()
    unit = offsets / np.linalg.norm(offsets, axis=1, keepdims=True)
    assert np.linalg.norm(unit.mean(axis=0)) > 0.9
    assert not (control.order == panel.order).any()


def test_a_finished_run_is_only_shown(ran, capsys, monkeypatch):
    config, _ = ran
    monkeypatch.setattr(relations, "measure", None)
    relations.run(config)
    assert capsys.readouterr().out.startswith(f"{config.common.out} holds this run, finished:\n")


def test_without_a_list_the_built_in_one_is_used(files, tmp_path, capsys):
    flags = ["--vectors", str(files / "vectors.npz"), "--out", str(tmp_path / "run")]
    flags += ["--resamples", "40", "--data-dir", str(tmp_path)]
    assert command.main(relations.Config, relations.run, flags) == 0
    out = capsys.readouterr().out
    assert "\nfrog, by\n" in out
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["comparative_superlative_unknown_words"] > 20
    assert summary["city_zip_cosine"] is None
    assert not (tmp_path / "run" / "parallelism.png").exists()


def test_large_lists_are_sampled_and_said(files, capsys):
    table = io.read(files / "vectors.npz")
    config = relations.Config(files / "vectors.npz", compared=5, resamples=40)
    index = {word.lower(): row for row, word in enumerate(table.words)}
    lists = parse_relations("".join(f"a{i} b{i}\n" for i in range(8)), files / "mine.txt")
    (found,) = relations.measure(config, table, index, lists)
    assert capsys.readouterr().out == "mine: 8 pairs, a random 5 of them are compared\n"
    assert (found.asked, len(found.pairs), found.score.asked) == (8, 5, 20)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--count", "27"], "27 words of width 12; count = 27 needs 28 words at least"),
        (["--count", "0"], "--count must be at least 1"),
        (["--most-frequent", "3"], "--most-frequent must be at least 4"),
        (["--resamples", "5"], "--resamples must be at least 40"),
        (["--words", "frog", "toad"], "1 words are not among the vocabulary's 27: 'toad'"),
        (["--pairs", "missing.txt"], "missing.txt: No such file"),
        (["--pairs", "PAIRS", "PAIRS"], "two relations are named 'made_up'"),
        (["--pairs", "VECTORS"], "NUL byte, so this is a binary file"),
    ],
)
def test_mistakes_are_told(files, tmp_path, capsys, flags, message):
    paths = {"PAIRS": str(files / "pairs.txt"), "VECTORS": str(files / "vectors.npz")}
    flags = [paths.get(word, word) for word in flags]
    where = ["--vectors", str(files / "vectors.npz"), "--out", str(tmp_path / "run")]
    assert command.main(relations.Config, relations.run, [*where, *flags]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_too_few_words_for_an_analogy(tmp_path, capsys):
    io.write(tmp_path / "v.npz", ["france", "paris", "italy"], np.eye(3, dtype=np.float32))
    flags = ["--vectors", str(tmp_path / "v.npz"), "--count", "1", "--out", str(tmp_path / "run")]
    assert command.main(relations.Config, relations.run, flags) == 2
    assert "3 words of width 3; count = 1 needs 4 words at least" in capsys.readouterr().err
