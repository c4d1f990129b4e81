import os
import subprocess
import sys

import gensim
import numpy as np
import pytest

from jaxemb import io
from jaxemb.commands import command_line, query
from jaxemb.commands.main import main

WORDS = ["king", "queen", "man", "woman", "frog", "toad", "friend", "Paris", "empty"]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory):
    rng = np.random.default_rng(2)
    royal, male, female, animal = rng.normal(size=(4, 6))
    rows = [royal + male, royal + female, male, female, animal, animal, *rng.normal(size=(2, 6))]
    table = np.array([*rows, np.zeros(6)]) + 0.05 * rng.normal(size=(9, 6))
    table[-1] = 0
    path = tmp_path_factory.mktemp("query") / "vectors.npz"
    io.write(path, WORDS, (table * rng.gamma(5, size=(9, 1))).astype(np.float32))
    return path


@pytest.fixture
def ask(vectors, capsys):
    def run(*words: str) -> tuple[int, str, str]:
        status = command_line.main(query.Config, query.run, ["--vectors", str(vectors), *words])
        return status, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def peer(vectors):
    found = io.read(vectors)
    words, table = found.words, found.vectors
    peer = gensim.models.KeyedVectors(vector_size=table.shape[1])
    peer.add_vectors(words[:-1], table[:-1])  # Gensim divides by the norm of "empty"
    return peer


def _rows(text: str) -> list[tuple[str, float]]:
    return [
        (word, float(cosine))
        for line in text.splitlines()
        if line.startswith("  ")
        for word, cosine in [line.split()]
    ]


def _assert_same(ours, theirs):
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    # Four digits are printed.
    np.testing.assert_allclose([c for _, c in ours], [c for _, c in theirs], atol=6e-5)


def test_neighbors(ask, peer):
    status, out, err = ask("neighbors", "frog", "--count", "4")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "frog: word 5 of 9"
    assert _rows(out)[0][0] == "toad"
    _assert_same(_rows(out), peer.most_similar("frog", topn=4))


def test_analogy(ask, peer):
    status, out, _ = ask("analogy", "man", "king", "woman", "--count", "3")
    assert status == 0
    assert out.splitlines()[:2] == [
        "man is to king as woman is to ?",
        "cos(?, king - man + woman), each word's vector of length 1",
    ]
    assert _rows(out)[0][0] == "queen"
    _assert_same(
        _rows(out), peer.most_similar(positive=["king", "woman"], negative=["man"], topn=3)
    )


def test_similarity(ask, peer):
    status, out, _ = ask("similarity", "king", "queen")
    assert status == 0
    assert out == f"cos(king, queen) = {peer.similarity('king', 'queen'):.4f}\n"


def test_odd_one_out(ask, peer):
    asked = ["king", "man", "frog", "queen"]
    status, out, _ = ask("odd-one-out", *asked)
    assert status == 0
    assert out.splitlines()[0] == "odd one out: frog" == f"odd one out: {peer.doesnt_match(asked)}"
    _assert_same(_rows(out), [(word, c) for c, word in peer.rank_by_centrality(asked)[::-1]])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["neighbors", "freind"], "'freind' is not among the 9 words; did you mean friend?"),
        (["neighbors", "paris"], "'paris' is not among the 9 words; did you mean Paris?"),
        (["similarity", "king", "zzz"], "'zzz' is not among the 9 words; no word is spelled like"),
        (["neighbors", "empty", "--count", "3"], "the vector of 'empty' is zero"),
        (["neighbors", "frog", "--count", "9"], "--count 9 is outside 1..8"),
        (["neighbors", "frog", "--count", "0"], "--count 0 is outside 1..8"),
        (["odd-one-out", "frog", "toad"], "three or more words, each given once, got 'frog toad'"),
        (["odd-one-out", "red", "red", "red"], "each given once, got 'red red red'"),
        (
            ["neighbors", "frog", "--count", "many"],
            "invalid literal for int() with base 10: 'many'",
        ),
        (["neighbors", "frog", "--cuont", "3"], "Unrecognized options: --cuont, 3; Perhaps you"),
        (["neighbors"], "neighbors: WORD"),
        (
            ["rhymes", "frog"],
            "Unrecognized options: rhymes, frog; Available subcommands: neighbors,",
        ),
        ([], "Expected one of {neighbors, analogy, similarity, odd-one-out}"),
    ],
)
def test_mistakes_are_told_in_one_line(ask, words, message):
    status, out, err = ask(*words)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
    assert not set(err) & set("│─╭╰")


@pytest.mark.parametrize(
    "words",
    [
        "--vectors V --count 4 neighbors frog",
        "--vectors V neighbors frog --count 4",
        "neighbors frog --count 4 --vectors V",
        "neighbors --vectors V --count 4 frog",
        "neighbors --count 4 frog --vectors V --lenient",
        "--lenient neighbors frog --vectors V --count 4",
    ],
)
def test_flags_stand_in_any_order(ask, vectors, words, capsys):
    expected = ask("neighbors", "frog", "--count", "4")
    status = main(["query", *words.replace("V", str(vectors)).split()])
    assert (status, *capsys.readouterr()) == expected


def test_the_folder_of_a_run(ask, vectors, tmp_path, capsys):
    io.write(tmp_path / "vectors.txt", io.read(vectors))
    assert main(["query", "--vectors", str(tmp_path), "similarity", "king", "queen"]) == 0
    assert capsys.readouterr().out == ask("similarity", "king", "queen")[1]


def test_a_word_in_another_normal_form(tmp_path, capsys):
    io.write(tmp_path / "v.vec", ["cafe\u0301", "tea", "x"], np.float32([[1, 0], [1, 1], [0, 1]]))
    words = ["query", "--vectors", str(tmp_path / "v.vec"), "neighbors", "café", "--count", "2"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "café: word 1 of 3"
    assert [word for word, _ in _rows(out)] == ["tea", "x"]


def test_what_is_forgiven_is_a_flag_and_told(tmp_path, capsys):
    path = tmp_path / "v.vec"
    path.write_bytes("2 2\na 1 2\nä 3 4\na 5 6\n".encode("latin-1"))
    words = ["query", "similarity", "a", "ä", "--vectors", str(path)]
    for flags, message in (
        (["--lenient"], "--encoding latin-1; --errors replace puts U+FFFD there, --errors skip le"),
        (["--encoding", "latin-1"], "line 4: one row more than the 2 that line 1 claims."),
        (["--encoding", "latin1", "--format", "numpy"], "cannot be read: File is not a zip file"),
        (["--encoding", "utf-99"], "error: --encoding must be one that Python knows"),
    ):
        assert main([*words, *flags]) == 2
        err = capsys.readouterr().err
        assert message in err
        assert "=" not in err
        assert err.count("\n") == 1
    assert main([*words, "--encoding", "latin-1", "--lenient"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("cos(a, ä) = ")
    assert err == f"{path}: repeated words left out: 1; rows, where line 1 claims 2: 3\n"


def test_missing_file(ask, tmp_path, capsys):
    missing = tmp_path / "none.txt"
    status = command_line.main(
        query.Config, query.run, ["--vectors", str(missing), "neighbors", "frog"]
    )
    assert status == 2
    assert capsys.readouterr().err == f"error: {missing}: No such file or directory\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("neighbors forg", "'forg' is not among the 9 words; did you mean frog?"),
        (
            "neighbors frog --cuont 3",
            "Unrecognized options: --cuont, 3; Perhaps you meant: --count INT; "
            "--help lists the flags",
        ),
    ],
)
def test_as_a_program(vectors, words, message):
    # tyro draws other boxes where standard output is in UTF-8, which pytest's isn't.
    ran = subprocess.run(
        [sys.executable, "-m", "experiments.query", "--vectors", vectors, *words.split()],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"error: {message}\n")


def test_help_shows_how_to_call_it(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["query", "--help"])
    assert stop.value.code == 0
    assert "usage: jaxemb query" in capsys.readouterr().out
