import hashlib
import io
import zipfile

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
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(text8, "SHA256", digest)
    (download,) = text8.SOURCE.downloads
    changed = download._replace(checksum=f"sha256:{digest}")
    monkeypatch.setattr(text8, "SOURCE", text8.SOURCE._replace(downloads=(changed,)))
    return content


def test_text8_is_downloaded_once(network, tmp_path, archive):
    network["http://mattmahoney.net/dc/text8.zip"] = archive
    for _ in range(2):
        source = text8.find(tmp_path / "new")
    assert source.files == (tmp_path / "new" / "text8.zip",)
    assert source.files[0].read_bytes() == archive
    assert network["asked"] == ["http://mattmahoney.net/dc/text8.zip"]


def test_the_checksum_is_the_one_that_is_looked_at():
    (download,) = text8.SOURCE.downloads
    assert download.checksum == f"sha256:{text8.SHA256}"


@pytest.mark.parametrize("form", ["text8", "text8.gz", "text8.zip"])
def test_what_was_fetched_is_copied(tmp_path, archive, form):
    folder = tmp_path / "fetched"
    folder.mkdir()
    (folder / form).write_bytes(archive)
    (folder / "other").write_bytes(b"x")
    text8.convert([folder], tmp_path)
    assert (tmp_path / form).read_bytes() == archive
    assert text8.find(tmp_path).files == (tmp_path / form,)


def test_truncated_text8_is_refused(tmp_path, archive):
    (tmp_path / "text8.zip").write_bytes(archive[:-5])
    with pytest.raises(InputError, match="text8.zip: its sha256 is .* truncated or another file"):
        text8.find(tmp_path)


def test_failed_download_says_what_to_do(network, tmp_path):
    with pytest.raises(InputError) as caught:
        text8.find(tmp_path)
    for part in ["no connection", "http://mattmahoney.net/dc/text8.zip", "data text8 --from"]:
        assert part in str(caught.value)
