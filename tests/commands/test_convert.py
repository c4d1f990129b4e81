import numpy as np
import pytest

from jaxemb import io
from jaxemb.commands.main import main

VECTORS = io.WordVectors(["a", "b", "c"], np.float32([[3, 4], [0, 2], [-1, 0.1]]))


@pytest.fixture
def source(tmp_path):
    io.write(tmp_path / "v.npz", VECTORS)
    return tmp_path / "v.npz"


@pytest.mark.parametrize("name", ["v.txt", "v.vec", "v.bin", "v.safetensors", "v.npy", "folder"])
def test_any_format(source, name, capsys):
    target = source.with_name(name)
    assert main(["convert", str(source), str(target)]) == 0
    assert capsys.readouterr().out == f"wrote {target}: 3 words of width 2\n"
    found = io.read(target)
    assert found.words == VECTORS.words
    np.testing.assert_array_equal(found.vectors, VECTORS.vectors)
    assert main(["convert", str(target), str(source), "--overwrite"]) == 0
    np.testing.assert_array_equal(io.read(source).vectors, VECTORS.vectors)


def test_glove_s_text(source):
    target = source.with_name("g.txt")
    assert main(["convert", str(source), str(target), "--glove"]) == 0
    assert target.read_text().splitlines()[0].split()[0] == "a"
    np.testing.assert_array_equal(io.read(target).vectors, VECTORS.vectors)


def test_few_words_of_length_1(source):
    target = source.with_name("v.vec")
    assert main(["convert", str(source), str(target), "--unit", "--most", "2"]) == 0
    found = io.read(target)
    assert found.words == ["a", "b"]
    np.testing.assert_allclose(found.vectors, [[0.6, 0.8], [0, 1]], rtol=1e-6)


def test_what_is_forgiven(source, capsys):
    dup = source.with_name("dup.txt")
    dup.write_text("a 1.5 2\nb 3 4\na 5 6\n")
    target = source.with_name("v.vec")
    assert main(["convert", str(dup), str(target)]) == 2
    assert "Reading with --lenient keeps the first" in capsys.readouterr().err
    assert main(["convert", str(dup), str(target), "--lenient"]) == 0
    assert capsys.readouterr().err == f"{dup}: repeated words left out: 1\n"
    assert io.read(target).words == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["v.npz", "v.npz"], "v.npz is there already; --overwrite replaces it"),
        (["v.npz", "v.pdf"], "v.pdf: the name must end in one of .txt .vec"),
        (["none.vec", "v.txt"], "none.vec: No such file"),
        (["v.npz", "v.bin", "--glove"], "--glove needs a name that ends in .txt"),
        (["v.npz", "v.bin", "--most", "-1"], "--most must be at least 0"),
        (["v.npz"], "OUT"),
    ],
)
def test_mistakes_are_told_in_one_line(source, words, message, capsys, monkeypatch):
    monkeypatch.chdir(source.parent)
    assert main(["convert", *words]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err
