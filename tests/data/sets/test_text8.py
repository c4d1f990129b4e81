import hashlib
import io
import zipfile

import pooch
import pytest

from jaxemb.data.sets import text8
from jaxemb.errors import InputError


@pytest.fixture
def archive(monkeypatch) -> bytes:
    """A small text8.zip in place of the real one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("text8", " anarchism originated as a term")
    content = file.getvalue()
    monkeypatch.setattr(text8, "SHA256", hashlib.sha256(content).hexdigest())
    return content


def test_text8_is_downloaded_once(monkeypatch, tmp_path, archive):
    calls = []

    def retrieve(url, known_hash, fname, path, progressbar):
        calls.append((url, known_hash))
        path.mkdir()
        (path / fname).write_bytes(archive)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    for _ in range(2):
        source = text8.find(tmp_path / "new")
    assert source.files == (tmp_path / "new" / "text8.zip",)
    digest = hashlib.sha256(archive).hexdigest()
    assert calls == [("http://mattmahoney.net/dc/text8.zip", f"sha256:{digest}")]


def test_truncated_text8_is_refused(tmp_path, archive):
    (tmp_path / "text8.zip").write_bytes(archive[:-5])
    with pytest.raises(InputError, match="text8.zip: its sha256 is .* truncated or another file"):
        text8.find(tmp_path)


@pytest.mark.parametrize(
    "error", [ConnectionError("no route"), ValueError("hash of downloaded file differs")]
)
def test_failed_download_says_what_to_do(monkeypatch, tmp_path, error):
    def retrieve(*args, **kwargs):
        raise error

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(InputError) as caught:
        text8.find(tmp_path)
    for part in [str(tmp_path), str(error), "http://mattmahoney.net/dc/text8.zip", "text8.gz"]:
        assert part in str(caught.value)
