import hashlib
import zipfile

import pytest

from jaxemb.data.prepare import prepare
from jaxemb.data.sets import nltk_archives
from jaxemb.errors import InputError

SETS = [nltk_archives.TAGGED, nltk_archives.JUDGED]


def names(source):
    return [download.url.rpartition("/")[2] for download in source.downloads]


@pytest.mark.parametrize("source", SETS, ids=lambda source: source.name)
def test_archives_are_copied(tmp_path, source):
    folder = tmp_path / "corpora"
    folder.mkdir()
    for name in [*names(source), "other.zip"]:
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr("a", name)
    written = prepare(source, tmp_path / "data", [folder])
    assert [path.name for path in written] == sorted(names(source))
    for path in written:
        assert path.read_bytes() == (folder / path.name).read_bytes()
    (folder / names(source)[0]).write_bytes(b"<html>")
    with pytest.raises(InputError, match=f"gives no {source.name}: .* is no zip archive"):
        prepare(source, tmp_path / "data", [folder])


@pytest.mark.data
@pytest.mark.parametrize("source", SETS, ids=lambda source: source.name)
def test_the_published_checksums_are_those_of_the_real_files(data_dir, source):
    for download, name in zip(source.downloads, names(source), strict=True):
        digest = hashlib.md5((data_dir / source.name / name).read_bytes()).hexdigest()
        assert download.checksum == f"md5:{digest}"
