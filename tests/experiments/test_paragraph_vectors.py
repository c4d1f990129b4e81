import dataclasses
import json

import numpy as np
import pytest
from jaxemb.experiments import paragraph_vectors
from jaxemb.experiments.harness import command
from jaxemb.experiments.harness.words.text import TextFlags

from jaxemb import io

pytestmark = pytest.mark.usefixtures("private_cache")

# In parts a step takes ten times as long to compile.
OPTIONS = dataclasses.replace(paragraph_vectors.SMOKE.options, parts=1)


@pytest.fixture(scope="module")
def finished(planted, tmp_path_factory, private_cache):
    config = dataclasses.replace(
        paragraph_vectors.SMOKE,
        options=OPTIONS,
        text=TextFlags(corpus=(str(planted),)),
        common=command.Common(out=tmp_path_factory.mktemp("runs") / "finished"),
    )
    paragraph_vectors.run(config)
    return config


def test_a_run_leaves_its_results(finished):
    out = finished.common.out
    names = {path.name for path in out.iterdir()}
    assert names >= {"documents.npz", "vectors.txt", "fit", "map.html", "map.png", "summary.json"}
    documents = io.read(out / "documents.npz")
    assert len(documents) == 6000
    assert documents.vectors.shape == (6000, 16)
    fitted = io.load(out / "fit")
    np.testing.assert_array_equal(fitted.documents, documents.vectors)
    figures = json.loads((out / "summary.json").read_text())
    assert figures["documents"] == 6000
    assert figures["documents_without_words"] == 0
    assert figures["inferred"] == 500


def test_documents_are_called_by_their_first_words(finished, planted):
    documents = io.read(finished.common.out / "documents.npz")
    lines = planted.read_text().splitlines()
    for place in (0, 77, 5999):
        assert documents.words[place].split(" (")[0] == lines[place][:60]


def test_a_finished_run_answers_for_new_texts(finished, capsys):
    asked = dataclasses.replace(finished, query=("t3w1 T3W2 t3w5, t3w7", "t0w1 t0w2 t0w4"))
    paragraph_vectors.run(asked)
    out = capsys.readouterr().out
    assert "holds this run, finished" in out
    blocks = out.split("\n\n  ")[1:]
    for block, topic in zip(blocks, ("t3", "t0"), strict=True):
        found = block.splitlines()[1:]
        assert len(found) == 4
        assert all(line.split()[1].startswith(topic) for line in found)


def flags(path, out, *more):
    given = ["--corpus", path, "--out", out, "--parts", 1, "--dim", 8, "--epochs", 4, *more]
    return [str(one) for one in given]


def ask(capsys, *given):
    status = command.main(paragraph_vectors.Config, paragraph_vectors.run, flags(*given))
    return status, *capsys.readouterr()


def test_a_text_of_unknown_words_is_told_after_the_others(finished, capsys):
    with pytest.raises(paragraph_vectors.InputError, match="'nothing known': 1 of 1 documents"):
        paragraph_vectors.run(dataclasses.replace(finished, query=("nothing known", "t1w1 t1w2")))
    assert "\n  t1w1 t1w2\n    " in capsys.readouterr().out


@pytest.fixture
def folder(tmp_path):
    """Files of two topics, one of them empty and one of rare words."""
    rng = np.random.default_rng(2)
    folder = tmp_path / "texts"
    (folder / "more").mkdir(parents=True)
    for i in range(12):
        words = " ".join(f"t{i % 2}w{j}" for j in rng.integers(0, 9, 200))
        (folder / ("more" if i > 5 else "") / f"file{i}.txt").write_text(words + "\n\n" + words)
    (folder / "empty.txt").write_text(" \n\n")
    (folder / "rare.txt").write_text("these words are nowhere else\n")
    return folder


def test_files_are_called_by_their_names(folder, tmp_path, capsys):
    status, out, err = ask(capsys, folder, tmp_path / "run", "--documents", "file", "--drawn", 9)
    assert status == 0
    assert "13 files have words" in out
    names = io.read(tmp_path / "run" / "documents.npz").words
    assert names[0] == "file0.txt"
    assert "more/file11.txt" in names
    assert "empty.txt" not in names
    assert "rare.txt" not in names
    assert "1 of 13 documents have no word with a vector" in out + err


def test_one_document_is_refused(tmp_path, capsys):
    (tmp_path / "one.txt").write_text("a single line of a few words, a few words of a line " * 20)
    status, _, err = ask(capsys, tmp_path / "one.txt", tmp_path / "run")
    assert status == 2
    assert "error: the text is one document, at least two are needed; --documents says" in err
    assert not (tmp_path / "run").exists()


def test_equal_names_are_numbered(tmp_path):
    lines = ["a line of words", "a line of words", "a line of words (2)", "other words of a line"]
    (tmp_path / "text.txt").write_text("\n".join(lines * 5))
    config = TextFlags(corpus=(str(tmp_path / "text.txt"),))
    common = command.Common(out=tmp_path / "run")
    names = paragraph_vectors.name_documents(
        config, paragraph_vectors.word_text.read(config, common)
    )
    assert len(set(names)) == 20
    assert names[:2] == ["a line of words", "a line of words (2)"]
