import hashlib

import pooch

from jaxemb.data.files import default_data_dir, file_sha256


def test_data_dir(monkeypatch, tmp_path):
    monkeypatch.setenv("JAXEMB_DATA", str(tmp_path))
    assert default_data_dir() == tmp_path
    monkeypatch.delenv("JAXEMB_DATA")
    assert default_data_dir() == pooch.os_cache("jaxemb") / "data"


def test_checksums_follow_changes(tmp_path):
    (tmp_path / "a").write_text("a")
    before = file_sha256(tmp_path / "a")
    (tmp_path / "a").write_text("bb")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"bb").hexdigest() != before
