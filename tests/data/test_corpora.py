import hashlib

import pytest

from jaxemb.data.corpora import open_corpus
from jaxemb.data.text_files import PLAIN, Reading
from jaxemb.data.tokenize import TOKENS, as_tokenizer
from jaxemb.errors import InputError


def test_names_and_paths_make_one_corpus(tmp_path):
    (tmp_path / "corpus_simplewiki.txt.xz").write_bytes(b"not read yet")
    (tmp_path / "text8.gz").write_bytes(b"neither")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "b.txt").write_text("b")
    (mine / "a.txt").write_text("a")
    corpus = open_corpus(["simplewiki", "text8", str(mine)], tmp_path)
    assert corpus.name == f"simplewiki+text8+{mine}"
    wiki, text8, folder = corpus.sources
    assert wiki == (
        (tmp_path / "corpus_simplewiki.txt.xz",),
        TOKENS,
        Reading(documents="paragraph"),
    )
    assert text8 == ((tmp_path / "text8.gz",), TOKENS, PLAIN)
    assert folder.files == (mine / "a.txt", mine / "b.txt")
    assert (folder.tokenizer.name, folder.reading) == ("words", PLAIN)
    assert corpus.sha256[str(mine / "a.txt")] == hashlib.sha256(b"a").hexdigest()
    assert list(corpus.sha256) == [str(file) for file in corpus.files]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no corpus is named; known are pydocs, text8, simplewiki, enwiki, or give a path"),
        (["txet8"], "txet8: no such file or folder, nor a known corpus .pydocs, text8, "),
        (["simplewiki"], "corpus_simplewiki.txt.xz: no such file. `jaxemb data simplewiki` gets"),
        (["enwiki"], "corpus_enwiki_a.txt.xz: no such file. .* a blank line between articles"),
    ],
)
def test_what_is_missing_is_named(tmp_path, names, message):
    with pytest.raises(InputError, match=message):
        open_corpus(names, tmp_path)


def test_folder_without_text(tmp_path):
    with pytest.raises(InputError, match="the folder holds no text files"):
        open_corpus([str(tmp_path)], tmp_path)


def test_files_are_read_as_asked(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    asked = as_tokenizer("characters"), Reading("latin-1", "skip", "file")
    corpus = open_corpus([str(tmp_path)], tmp_path, tokenizer=asked[0], reading=asked[1])
    assert corpus.sources == (((tmp_path / "a.txt",), *asked),)


def test_a_change_of_a_function_that_makes_words_is_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    source = "split = str.split\n"
    (tmp_path / "mine_for_corpora.py").write_text(source)
    own = as_tokenizer("mine_for_corpora:split")
    found = open_corpus(["a.txt"], tmp_path, tokenizer=own).sha256
    expected = hashlib.sha256(source.encode()).hexdigest()
    assert found["tokenizer mine_for_corpora:split"] == expected


@pytest.mark.parametrize(
    "asked", [{"tokenizer": as_tokenizer("words", keep_case=True)}, {"reading": Reading("cp1252")}]
)
def test_named_corpora_are_words_already(tmp_path, asked):
    (tmp_path / "text8").write_text("a")
    with pytest.raises(InputError, match="text8 is words already: a tokenizer, encoding, column"):
        open_corpus(["text8"], tmp_path, **asked)
