import bz2
import gzip
import io
import lzma
import sys
import threading
import zipfile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jaxemb.data import compressed
from jaxemb.data.compressed import read_blocks
from jaxemb.errors import InputError


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", data)
    return file.getvalue()


PACK = {
    "plain": bytes,
    "gz": lambda data: gzip.compress(data, mtime=0),
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": lambda data: compressed._zstd("").compress(data),
    "zip": zipped,
}


def content(path) -> bytes:
    return b"".join(block for block, _ in read_blocks(path))


@pytest.mark.parametrize("name", ["a.txt", "b.gz"])
@pytest.mark.parametrize("form", PACK)
def test_every_form_reads_the_same_whatever_its_name(tmp_path, form, name):
    data = b"some words\n" * 300_000
    path = tmp_path / name
    path.write_bytes(PACK[form](data))
    assert content(path) == data
    # Behind the last block of a zip archive lies its directory.
    assert 0 <= path.stat().st_size - list(read_blocks(path))[-1][1] < 100
    assert max(len(block) for block, _ in read_blocks(path)) <= 1 << 20


@pytest.mark.parametrize("form", ["gz", "xz", "bz2", "zst"])
def test_joined_streams(tmp_path, form):
    path = tmp_path / "a"
    padding = bytes(8) if form == "xz" else b""
    path.write_bytes(PACK[form](b"one ") + padding + PACK[form](b"two"))
    assert content(path) == b"one two"


def test_stopping_early_leaves_nothing_running(tmp_path):
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(b"word " * 1_000_000))
    before = threading.active_count()
    blocks = read_blocks(path)
    next(blocks)
    blocks.close()  # ResourceWarning is an error here
    assert threading.active_count() == before


@pytest.mark.parametrize("form", ["gz", "xz", "bz2", "zst", "zip"])
@pytest.mark.parametrize("damage", ["truncated", "changed"])
def test_damage_is_refused(tmp_path, form, damage):
    packed = PACK[form](bytes(range(256)) * 100)
    middle = len(packed) // 2
    bad = {
        "truncated": packed[:-20],
        "changed": packed[:middle]
        + bytes(b ^ 255 for b in packed[middle : middle + 4])
        + packed[middle + 4 :],
    }[damage]
    path = tmp_path / "bad"
    path.write_bytes(bad)
    if (form, damage) == ("zst", "changed"):  # without a checksum it may be another content
        return
    with pytest.raises(InputError, match="bad: cannot be read or is damaged: "):
        content(path)


def test_archive_of_two_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one", "1")
        archive.writestr("two", "2")
    with pytest.raises(InputError, match="2 files inside, not one"):
        content(tmp_path / "a.zip")


def test_without_zstandard_the_way_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.zst").write_bytes(PACK["zst"](b"x"))
    for name in ("compression", "compression.zstd", "backports", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(InputError, match=r"a.zst: Zstandard is not installed; pip install 'jaxemb"):
        content(tmp_path / "a.zst")


@given(
    data=st.binary(max_size=80),
    form=st.sampled_from(sorted(PACK)),
    flip=st.tuples(st.integers(0, 200), st.integers(0, 255)),
    length=st.integers(0, 300),
)
@example(data=b"", form="xz", flip=(0, 0), length=300)
@settings(
    max_examples=1000,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_content_or_an_input_error(tmp_path, data, form, flip, length):
    changed = bytearray(PACK[form](data)[:length])
    if flip[0] < len(changed):
        changed[flip[0]] ^= flip[1]
    path = tmp_path / "fuzz"
    path.write_bytes(changed)
    message = str(path)
    try:
        content(path)
    except InputError as error:
        message = str(error)
    assert str(path) in message
