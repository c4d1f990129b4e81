import os
import stat

import pytest

from jaxemb.atomic import replacing


def write(path, text):
    with replacing(path) as part:
        part.write_text(text)


def test_of_a_link_the_file_is_replaced_that_it_leads_to(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    write(link, "new")
    assert real.read_text() == "new"
    assert link.is_symlink()


def test_permissions_stay(tmp_path):
    path = tmp_path / "private"
    path.write_text("old")
    path.chmod(0o600)
    write(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == "new"


def test_what_must_not_be_written_stays(tmp_path):
    path = tmp_path / "kept"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="kept"):
        write(path, "new")
    assert path.read_text() == "old"


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        write(tmp_path / "none" / "file", "new")
    assert caught.value.filename == str(tmp_path / "none")


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    def fail():
        with replacing(path) as part:
            part.write_text("half")
            raise ValueError("half")

    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ValueError, match="half"):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
