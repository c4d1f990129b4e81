import gzip
import io
import lzma
import threading
import unicodedata
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jaxemb.data import text_files
from jaxemb.data.text_files import find_files, read_pieces
from jaxemb.errors import InputError


def pack(data: bytes, suffix: str) -> bytes:
    if suffix == ".gz":
        return gzip.compress(data, mtime=0)
    if suffix == ".xz":
        return lzma.compress(data)
    if suffix == ".zip":
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inside", data)
        return file.getvalue()
    return data


def documents(path: Path, separator: str) -> list[list[str]]:
    """The words of each document, put together from pieces as their docstring says."""
    found: list[list[str]] = [[]]
    for piece in read_pieces(path, separator):
        for i, part in enumerate(piece.texts):
            if i:
                found.append([])
            found[-1] += part.split()
    return [words for words in found if words]


@pytest.mark.parametrize("suffix", [".txt", ".gz", ".xz", ".zip"])
def test_every_form_reads_the_same(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack("\ufeffone two\r\n\r\nthree e\u0301\n".encode(), suffix))
    assert documents(path, "\n") == [["one", "two"], ["three", "\u00e9"]]


TEXT = st.text(st.sampled_from("ab \n\t\r\u00e9e\u0301\u3000\U0001f600\u1100\u1161"), max_size=60)


@given(content=TEXT, block=st.integers(8, 20), suffix=st.sampled_from(["", ".gz", ".xz"]))
@settings(max_examples=500, derandomize=True, deadline=None)
@pytest.mark.parametrize("separator", ["\n", "\n\n"])
def test_pieces_are_the_whole(tmp_path_factory, separator, content, block, suffix):
    # Words short enough for the tiny block, which are cut wherever blocks happen to end.
    content = " ".join(part[:2] for part in content.split(" "))
    expected = [part.split() for part in unicodedata.normalize("NFC", content).split(separator)]
    path = tmp_path_factory.getbasetemp() / f"pieces{suffix}"
    path.write_bytes(pack(content.encode(), suffix))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "_BLOCK_BYTES", block)
        assert documents(path, separator) == [words for words in expected if words]


def test_one_huge_line_comes_in_bounded_pieces(tmp_path):
    path = tmp_path / "line.txt"
    path.write_bytes(b"word " * 1_000_000)
    pieces = list(read_pieces(path, "\n"))
    assert max(len(piece.texts[0]) for piece in pieces) <= 1 << 20
    assert all(len(piece.texts) == 1 for piece in pieces)
    assert sum(len(piece.texts[0].split()) for piece in pieces) == 1_000_000
    assert pieces[-1].position == path.stat().st_size


def test_joined_xz_streams_with_padding(tmp_path):
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(b"one ") + bytes(8) + lzma.compress(b"two"))
    assert documents(path, "\n") == [["one", "two"]]


def test_stopping_early_leaves_nothing_running(tmp_path):
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(b"word " * 1_000_000))
    before = threading.active_count()
    pieces = read_pieces(path, "\n")
    next(pieces)
    pieces.close()  # ResourceWarning is an error here
    assert threading.active_count() == before


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zip"])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"good\nb\xffd", r"byte 0xff is not UTF-8 \(byte 6, line 2\)"),
        (b"\x89PNG\r\n\x1a\n\0\0", r"byte 0x89 is not UTF-8 \(byte 0, line 1\)"),
        (b"a\n\nb\0c", r"a NUL byte, so this is a binary file or UTF-16 \(byte 4, line 3\)"),
        (b"cut off \xe2\x82", r"byte 0xe2 is not UTF-8 \(byte 8, line 1\)"),
        (b"word \n" * 300_000 + b"\xff", r"byte 0xff is not UTF-8 \(byte 1800000, line 300001\)"),
        (b"a\n" + b"b" * 2_500_000, r"line 2: more than 1048576 bytes without white space"),
    ],
)
def test_what_is_not_text_is_refused(tmp_path, data, message, suffix):
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(pack(data, suffix))
    with pytest.raises(InputError, match=f"bad{suffix}: .*{message}"):
        list(read_pieces(path, "\n"))


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zip"])
@pytest.mark.parametrize("damage", ["truncated", "changed", "empty", "other"])
def test_damaged_compression_is_refused(tmp_path, suffix, damage):
    packed = pack(b"some words " * 1000, suffix)
    bad = {
        "truncated": packed[:-20],
        "changed": packed[:60] + bytes(byte ^ 255 for byte in packed[60:64]) + packed[64:],
        "empty": b"",
        "other": b"plain words",
    }[damage]
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(bad)
    if (suffix, damage) == (".gz", "empty"):  # no member at all is valid
        assert documents(path, "\n") == []
        return
    with pytest.raises(InputError, match=f"bad{suffix}: cannot be read or is damaged: "):
        list(read_pieces(path, "\n"))


def test_archive_of_two_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("one", "1")
        archive.writestr("two", "2")
    with pytest.raises(InputError, match="2 files inside, not one"):
        list(read_pieces(tmp_path / "a.zip", "\n"))


def test_folders_are_searched_in_order(tmp_path):
    for name in ["b.txt", "a/z.txt", "a/b/c.txt", ".hidden", ".git/x"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [str(path.relative_to(tmp_path)) for path in find_files(tmp_path)]
    assert found == ["a/b/c.txt", "a/z.txt", "b.txt"]
    assert find_files(tmp_path / "b.txt") == [tmp_path / "b.txt"]


def test_no_files(tmp_path):
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        find_files(tmp_path / "nowhere")
    with pytest.raises(InputError, match="the folder holds no text files"):
        find_files(tmp_path)
    with pytest.raises(InputError, match="cannot be read or is damaged: Is a directory"):
        list(read_pieces(tmp_path, "\n"))


@given(
    data=st.binary(max_size=80) | TEXT.map(str.encode),
    suffix=st.sampled_from(["", ".gz", ".xz", ".zip"]),
    packed=st.booleans(),
    flip=st.tuples(st.integers(0, 200), st.integers(0, 255)),
    length=st.integers(0, 300),
)
@example(data=b"", suffix=".xz", packed=False, flip=(0, 0), length=0)
@settings(
    max_examples=2500,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_text_or_an_input_error(tmp_path, data, suffix, packed, flip, length):
    if packed:
        data = pack(data, suffix)
    changed = bytearray(data[:length])
    if flip[0] < len(changed):
        changed[flip[0]] ^= flip[1]
    path = tmp_path / f"fuzz{suffix}"
    path.write_bytes(changed)
    found, message = [], str(path)
    try:
        found = documents(path, "\n")
    except InputError as error:
        message = str(error)
    assert str(path) in message
    assert all(word.split() == [word] for words in found for word in words)
