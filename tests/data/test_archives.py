import gzip
import io
import re
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxemb.data.archives import list_files, read_members
from jaxemb.errors import InputError

TEXT = re.compile(r"(?:^|/)(\w+)\.txt$")
FILES = {"top/a.txt": b"one", "top/sub/b.txt.gz": gzip.compress(b"two"), "top/c.bin": b"three"}
HIDDEN = {"top/.git/d.txt": b"4", "__MACOSX/top/._a.txt": b"5", "top/._a.txt": b"6"}


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def taped(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def texts(*paths, **options):
    return [(m.name, m.found[1], m.data) for m in read_members(paths, TEXT, **options)]


@pytest.mark.parametrize(("name", "pack"), [("x.zip", zipped), ("x.tar.gz", taped)])
def test_archives_are_read_without_unpacking(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(FILES | HIDDEN))
    assert texts(tmp_path / name) == [
        (f"{name}/top/a.txt", "a", b"one"),
        (f"{name}/top/sub/b.txt", "b", b"two"),
    ]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_folders_and_what_lies_in_their_archives(tmp_path, monkeypatch):
    folder = tmp_path / ".mine"
    for name, data in (FILES | HIDDEN).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "more.zip").write_bytes(zipped({"e.txt": b"five"}))
    found = [
        (".mine/more.zip/e.txt", "e", b"five"),
        (".mine/top/a.txt", "a", b"one"),
        (".mine/top/sub/b.txt", "b", b"two"),
    ]
    assert texts(folder) == found
    monkeypatch.chdir(folder)
    assert texts(Path(".")) == found
    assert [name for name, _ in list_files([folder / "top" / "c.bin"])] == ["c.bin"]


def test_single_files(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"two"))
    assert texts(tmp_path / "b.txt.gz", tmp_path / "a.txt") == [
        ("b.txt", "b", b"two"),
        ("a.txt", "a", b"one"),
    ]


def test_links_in_an_archive_lead_nowhere(tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for kind, name in ((tarfile.SYMTYPE, "s.txt"), (tarfile.LNKTYPE, "h.txt")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, str(tmp_path / "secret.txt")
            archive.addfile(entry)
        entry = tarfile.TarInfo("../../up.txt")
        entry.size = 2
        archive.addfile(entry, io.BytesIO(b"up"))
    # What names a place outside is read like any other: nothing is written by names of archives.
    assert texts(tmp_path / "x.tar") == [("x.tar/../../up.txt", "up", b"up")]


def test_bombs_are_refused(tmp_path):
    (tmp_path / "x.zip").write_bytes(zipped({"a.txt": bytes(100_000)}))
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(bytes(100_000)))
    for name, inner in (("x.zip", "a.txt"), ("b.txt.gz", "b.txt.gz")):
        with pytest.raises(InputError, match=f"{name}: .*{inner} is larger than any file of"):
            texts(tmp_path / name, most=99_999)
        assert len(texts(tmp_path / name, most=100_000)) == 1


def test_what_is_missing_or_damaged_is_named(tmp_path):
    with pytest.raises(InputError, match="no.zip: no such file or folder"):
        texts(tmp_path / "no.zip")
    for name, data in (
        ("x.zip", zipped(FILES)[:-30]),
        ("x.tar.gz", taped(FILES)[:-30]),
        ("y.tgz", b"no tape"),
        ("b.txt.gz", gzip.compress(b"two")[:-6]),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=f"{name}: cannot be read or is damaged: "):
            texts(tmp_path / name)


@given(
    name=st.sampled_from(["f.zip", "f.tar.gz", "f.tar", "f.txt.gz", "f.txt"]),
    pack=st.sampled_from([zipped, taped]),
    flips=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=3),
    length=st.integers(0, 600),
)
@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_files_or_an_input_error(tmp_path, name, pack, flips, length):
    data = bytearray(pack(FILES)[:length])
    for place, flip in flips:
        if place < len(data):
            data[place] ^= flip
    (tmp_path / name).write_bytes(data)
    message = name
    try:
        texts(tmp_path / name)
    except InputError as error:
        message = str(error)
    assert name in message
