import hashlib
import io
import zipfile

import pooch
import pytest

from jaxemb.data import corpora
from jaxemb.data.corpora import default_data_dir, file_sha256, open_corpus
from jaxemb.data.tokenize import words
from jaxemb.errors import InputError


def test_data_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("JAXEMB_DATA", str(tmp_path))
    assert default_data_dir() == tmp_path
    monkeypatch.delenv("JAXEMB_DATA")
    assert default_data_dir() == pooch.os_cache("jaxemb") / "data"


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


def test_checksums_follow_changes(tmp_path):
    (tmp_path / "a").write_text("a")
    before = file_sha256(tmp_path / "a")
    (tmp_path / "a").write_text("bb")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"bb").hexdigest() != before


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


@pytest.fixture
def archive(monkeypatch) -> bytes:
    """A small text8.zip in place of the real one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("text8", " anarchism originated as a term")
    content = file.getvalue()
    monkeypatch.setattr(corpora, "_TEXT8_SHA256", hashlib.sha256(content).hexdigest())
    return content


def test_text8_is_downloaded_once(monkeypatch, tmp_path, archive):
    calls = []

    def retrieve(url, known_hash, fname, path, progressbar):
        calls.append((url, known_hash))
        path.mkdir()
        (path / fname).write_bytes(archive)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    for _ in range(2):
        corpus = open_corpus(["text8"], tmp_path / "new")
    assert corpus.files == [tmp_path / "new" / "text8.zip"]
    digest = hashlib.sha256(archive).hexdigest()
    assert calls == [("http://mattmahoney.net/dc/text8.zip", f"sha256:{digest}")]


def test_truncated_text8_is_refused(tmp_path, archive):
    (tmp_path / "text8.zip").write_bytes(archive[:-5])
    with pytest.raises(InputError, match="text8.zip: its sha256 is .* truncated or another file"):
        open_corpus(["text8"], tmp_path)


@pytest.mark.parametrize(
    "error", [ConnectionError("no route"), ValueError("hash of downloaded file differs")]
)
def test_failed_download_says_what_to_do(monkeypatch, tmp_path, error):
    def retrieve(*args, **kwargs):
        raise error

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(InputError) as caught:
        open_corpus(["text8"], tmp_path)
    for part in [str(tmp_path), str(error), "http://mattmahoney.net/dc/text8.zip", "text8.gz"]:
        assert part in str(caught.value)
