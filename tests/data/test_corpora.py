import hashlib

import pytest

from jaxemb.data.corpora import open_corpus
from jaxemb.data.tokenize import words
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
    assert wiki == ((tmp_path / "corpus_simplewiki.txt.xz",), str.split, "\n\n")
    assert text8 == ((tmp_path / "text8.gz",), str.split, "\n")
    assert folder == ((mine / "a.txt", mine / "b.txt"), words, "\n")
    assert corpus.sha256[str(mine / "a.txt")] == hashlib.sha256(b"a").hexdigest()
    assert list(corpus.sha256) == [str(file) for file in corpus.files]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no corpus is named; known are pydocs, text8, simplewiki, enwiki, or give a path"),
        (["txet8"], "txet8: no such file or folder, nor a known corpus .pydocs, text8, "),
        (["simplewiki"], "corpus_simplewiki.txt.xz: no such file. simplewiki is expected there"),
        (["enwiki"], "corpus_enwiki_a.txt.xz: no such file. .* a blank line between articles"),
    ],
)
def test_what_is_missing_is_named(tmp_path, names, message):
    with pytest.raises(InputError, match=message):
        open_corpus(names, tmp_path)


def test_folder_without_text(tmp_path):
    with pytest.raises(InputError, match="the folder holds no text files"):
        open_corpus([str(tmp_path)], tmp_path)
