import dataclasses
import json

import numpy as np
import pytest
from gensim.models.fasttext import load_facebook_model
from jaxemb.experiments import query, subwords
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words.text import TextFlags

from jaxemb import io
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.evaluation.word_scores import evaluate
from jaxemb.io import fasttext_binary
from jaxemb.models.subword_table import word_vectors

pytestmark = pytest.mark.usefixtures("private_cache")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A data folder with pairs of a topic, and of two, in which every other word is unknown."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "wordsim").mkdir()
    rows = [f"{i},t{i % 6}w1,t{i % 6}w{i},{8 + i % 2}" for i in range(24)]
    rows += [f"{i},t{i % 6}w2,t{(i + 1) % 6}w{i},{i % 3}" for i in range(24)]
    header = ",word1,word2,similarity\n"
    (folder / "wordsim" / "sim_rw.csv").write_text(
        header + "\n".join(rows) + "\n,t0w1,\N{EM DASH},1"
    )
    known = ["0,t0w1,t0w2,9", "1,t0w1,t1w1,2", "2,t0w3,t5w1,1"]
    (folder / "wordsim" / "sim_known.csv").write_text(header + "\n".join(known))
    return folder


@pytest.fixture(scope="module")
def finished(planted, sets, tmp_path_factory, private_cache):
    config = subwords.Config(
        # In parts a step takes ten times as long to compile.
        dataclasses.replace(subwords.SMOKE.options, parts=1),
        TextFlags(corpus=(str(planted),)),
        command.Common(data_dir=sets, out=tmp_path_factory.mktemp("runs") / "finished"),
    )
    subwords.run(config)
    return config


@pytest.fixture
def model(finished):
    """The vocabulary, the table of rows and the words' vectors."""
    table = fasttext_binary.read_model(finished.common.out / "model.bin")
    counts = np.arange(len(table.words), 0, -1)
    return Vocabulary(table.words, counts), table, word_vectors(table, table.words)


def test_a_run_leaves_its_results(finished):
    names = {path.name for path in finished.common.out.iterdir()}
    assert names >= {"model.bin", "vectors.txt", "map.html", "map.png", "summary.json"}
    found = io.read(finished.common.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    np.testing.assert_array_equal(io.read(finished.common.out / "model.bin").vectors, vectors)
    peer = load_facebook_model(str(finished.common.out / "model.bin")).wv
    assert peer.index_to_key == words
    np.testing.assert_allclose(peer["t3w33"], of("t3w33", finished), rtol=0, atol=1e-6)
    assert peer.bucket == 1 << 16


def of(word, config):
    return word_vectors(fasttext_binary.read_model(config.common.out / "model.bin"), [word])[0]


def test_unknown_words_lie_near_words_that_share_their_n_grams(finished):
    found = io.read(finished.common.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for topic in range(6):
        nearest = np.argsort(-unit @ of(f"t{topic}w99", finished))[:5]
        assert [words[i][:2] for i in nearest] == [f"t{topic}"] * 5


def test_pairs_of_unknown_words_are_scored(finished):
    summary = json.loads((finished.common.out / "summary.json").read_text())
    # The corpus has w0 to w11; a dash alone has an n-gram of three, its brackets with it.
    assert summary["rare_words_missing"] == 25
    assert summary["rare_words_with_unknown_pairs"] == 49
    assert summary["rare_words_unknown_pairs"] == 25
    found = io.read(finished.common.out / "vectors.txt")
    words, vectors = found.words, found.vectors
    more = sorted({*(f"t{t}w{i}" for t in range(6) for i in range(24)), "—"} - set(words))
    both = np.concatenate([vectors, [of(word, finished) for word in more]])
    expected, _ = evaluate([*words, *more], both, finished.common.data_dir)
    assert summary["rare_words_with_unknown"] == pytest.approx(expected["rare_words"])
    assert summary["rare_words_with_unknown"] > 0.6
    assert summary["rare_words_unknown"] > 0.6
    # Of a set whose words are all known there is nothing to add.
    assert [name for name in summary if name.startswith("known_")] == ["known_missing"]


def test_words_without_n_grams_stay_missing(finished, model):
    vocabulary, table, vectors = model
    table = table._replace(shortest=5, longest=5)
    found = subwords.score_unknown(finished.common.data_dir, vocabulary, table, vectors)
    assert found["rare_words_with_unknown_pairs"] == 48


def test_unknown_words_are_shown(model, capsys, monkeypatch):
    monkeypatch.setattr(subwords, "UNKNOWN", {"t3w33": "t3w3", "t3w4": "t3w3", "x1": "x"})
    subwords.show_unknown(*model)
    out = capsys.readouterr().out
    assert out.startswith("  t3w33, unknown: t3w")
    assert out.count("\n") == 1


def test_a_finished_run_is_only_shown(finished, capsys, monkeypatch):
    monkeypatch.setattr(subwords, "train", None)
    subwords.run(finished)
    assert capsys.readouterr().out.startswith(f"{finished.common.out} holds this run, finished:\n")


def ask(capsys, path, *words):
    status = command.main(query.Config, query.run, ["--vectors", str(path), *words])
    return status, *capsys.readouterr()


def test_a_query_composes_unknown_words(finished, capsys):
    path = finished.common.out / "model.bin"
    told = "t3w33: none of the 72 words; its vector is that of its character n-grams\n"
    status, out, _ = ask(capsys, path, "neighbors", "t3w33", "--count", "72")
    assert status == 0
    assert out.startswith(told)
    lines = out.splitlines()[2:]
    assert len(lines) == 72
    assert all(line.startswith("  t3w") for line in lines[:5])
    cosine = float(lines[0].split()[1])
    status, out, _ = ask(capsys, path, "similarity", "t3w33", lines[0].split()[0])
    assert out == told + f"cos(t3w33, {lines[0].split()[0]}) = {cosine:.4f}\n"
    status, out, _ = ask(capsys, path, "odd-one-out", "t3w33", "t0w1", "t3w1")
    assert "odd one out: t0w1" in out
    status, out, _ = ask(capsys, path, "neighbors", "t3w3")
    assert "none of the" not in out
    assert ask(capsys, path, "neighbors", "t3w33", "--count", "73")[0] == 2


def test_a_query_of_what_no_n_gram_tells(finished, capsys):
    path = finished.common.out / "model.bin"
    status, out, err = ask(capsys, path, "neighbors", "ööö")
    assert (status, out) == (2, "")
    assert "the vector of 'ööö' is zero" in err
    status, out, err = ask(capsys, path, "neighbors", "")
    assert (status, out) == (2, "")
    assert "'' is not among the 72 words" in err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--longest", "2"], "--longest must be at least shortest, 3, found 2"),
        (["--longest", "0"], "--longest must be at least shortest, 3, found 0"),
        (["--shortest", "0"], "--shortest must be at least 1, found 0"),
        (["--buckets", "0"], "--buckets must be at least 1"),
        (["--buckets", str(1 << 31)], "--buckets must be at least 1 and at most 2,147,483,647"),
        (["--learning-rate", "nan"], "--learning-rate must be"),
        (["--objective", "nce"], "Unrecognized options: --objective"),
        (["--optimizer", "adam"], "Unrecognized options: --optimizer"),
    ],
)
def test_bad_flags_are_refused(capsys, tmp_path, flags, message):
    out = tmp_path / "run"
    assert command.main(subwords.Config, subwords.run, [*flags, "--out", str(out)]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not out.exists()
