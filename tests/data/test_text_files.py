import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxemb.data import compressed
from jaxemb.data.text_files import Reading, check_encoding, find_files, read_lines, read_pieces
from jaxemb.errors import InputError


def documents(path: Path, reading: Reading) -> list[list[str]]:
    """The words of each document, put together from pieces as their docstring says."""
    found: list[list[str]] = [[]]
    for piece in read_pieces(path, reading):
        for i, part in enumerate(piece.texts):
            if i:
                found.append([])
            found[-1] += part.split()
    return [words for words in found if words]


TEXT = st.text(st.sampled_from("ab \n\t\r\u00e9e\u0301\u3000\U0001f600\u1100\u1161"), max_size=60)
ENDS = {"line": "\n", "paragraph": r"\n\s*\n", "file": r"\Z"}


@given(content=TEXT, block=st.integers(8, 20), encoding=st.sampled_from(["utf-8", "utf-16"]))
@settings(max_examples=200, derandomize=True, deadline=None)
@pytest.mark.parametrize("kind", ENDS)
def test_pieces_are_the_whole(tmp_path_factory, kind, content, block, encoding):
    # Words short enough for the tiny block, which are cut wherever blocks happen to end.
    content = " ".join(part[:2] for part in content.split(" "))
    lines = content.replace("\r\n", "\n").replace("\r", "\n")
    expected = [part.split() for part in re.split(ENDS[kind], lines)]
    path = tmp_path_factory.getbasetemp() / "pieces"
    path.write_bytes(content.encode(encoding))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compressed, "BLOCK_BYTES", block)
        found = documents(path, Reading(encoding=encoding, documents=kind))
    assert found == [words for words in expected if words]


def test_one_huge_line_comes_in_bounded_pieces(tmp_path):
    path = tmp_path / "line.txt"
    path.write_bytes(b"word " * 1_000_000)
    pieces = list(read_pieces(path))
    assert max(len(piece.texts[0]) for piece in pieces) <= 2 << 20
    assert all(len(piece.texts) == 1 for piece in pieces)
    assert sum(len(piece.texts[0].split()) for piece in pieces) == 1_000_000
    assert pieces[-1].position == path.stat().st_size


def test_documents_shorter_than_a_block_are_not_cut(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes(b"a few words a line\n" * 200_000)
    pieces = list(read_pieces(path))
    assert len(pieces) > 3
    assert {text for piece in pieces for text in piece.texts} == {"a few words a line", ""}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"good\nb\xffd",
            r"byte 0xff is not UTF-8 \(byte 6, line 2\); another encoding can be named",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0", r"byte 0x89 is not UTF-8 \(byte 0, line 1\)"),
        (b"a\n\nb\0c", r"a NUL byte, so this is a binary file or UTF-16 \(byte 4, line 3\)"),
        (b"a\n\0\xff", r"a NUL byte, so this is a binary file or UTF-16 \(byte 2, line 2\)"),
        (b"cut off \xe2\x82", r"byte 0xe2 is not UTF-8 \(byte 8, line 1\)"),
        (b"word \n" * 300_000 + b"\xff", r"byte 0xff is not UTF-8 \(byte 1800000, line 300001\)"),
        (b"a\n" + b"b" * 2_500_000, r"line 2: more than 1048576 bytes without white space"),
    ],
)
def test_what_is_not_text_is_refused(tmp_path, data, message):
    path = tmp_path / "bad"
    path.write_bytes(data)
    with pytest.raises(InputError, match=f"bad: .*{message}"):
        list(read_pieces(path))


LATIN = "caf\u00e9 na\u00efve\nse\u00f1al\n"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings(tmp_path, encoding):
    path = tmp_path / "text"
    path.write_bytes(LATIN.encode(encoding))
    expected = [["caf\u00e9", "na\u00efve"], ["se\u00f1al"]]
    assert documents(path, Reading(encoding=encoding)) == expected


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ("replace", [["caf\ufffd", "na\ufffdve"], ["x\ufffdy"], ["\u00fc", "\ufffd"]]),
        ("skip", [["caf", "nave"], ["xy"], ["\u00fc"]]),
    ],
)
@pytest.mark.parametrize("block", [8, 1 << 20])
def test_undecodable_bytes_are_replaced_or_skipped_and_counted(
    tmp_path, errors, expected, block, monkeypatch
):
    monkeypatch.setattr(compressed, "BLOCK_BYTES", block)
    path = tmp_path / "text"
    path.write_bytes(b"caf\xe9 na\xefve\nx\0y\n" + "\u00fc ".encode() + b"\xe2\x82")
    assert documents(path, Reading(errors=errors)) == expected
    assert sum(piece.undecodable for piece in read_pieces(path, Reading(errors=errors))) == 5


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "", "a\0b"])
def test_what_is_no_encoding_is_refused(encoding):
    with pytest.raises(InputError, match="encoding must be one that Python knows, such as utf-8"):
        check_encoding(encoding)


def test_folders_are_searched_in_order(tmp_path):
    for name in ["b.txt", "a/z.txt", "a/b/c.txt", ".hidden", ".git/x"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = [str(path.relative_to(tmp_path)) for path in find_files(tmp_path)]
    assert found == ["a/b/c.txt", "a/z.txt", "b.txt"]
    assert find_files(tmp_path / "b.txt") == [tmp_path / "b.txt"]


def test_folders_of_runs_are_left_out(tmp_path, caplog):
    caplog.set_level("INFO", "jaxemb")
    for name in [
        "a.txt",
        "run/config.json",
        "run/vectors.txt",
        "run/checkpoints/x",
        "b/config.json",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    config = {"config": {"dim": 3}, "data_sha256": {}, "command": "python"}
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    found = [str(path.relative_to(tmp_path)) for path in find_files(tmp_path)]
    assert found == ["a.txt", "b/config.json"]
    assert caplog.messages == [f"{tmp_path / 'run'} is left out of the text: it holds a run"]


def test_no_files(tmp_path):
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        find_files(tmp_path / "nowhere")
    with pytest.raises(InputError, match="the folder holds no text files"):
        find_files(tmp_path)
    with pytest.raises(InputError, match="cannot be read or is damaged: Is a directory"):
        list(read_pieces(tmp_path))


@given(
    data=st.binary(max_size=80) | TEXT.map(str.encode), encoding=st.sampled_from(["utf-8", "gbk"])
)
@settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@pytest.mark.parametrize("errors", ["strict", "replace", "skip"])
def test_any_bytes_are_text_or_an_input_error(tmp_path, data, encoding, errors):
    path = tmp_path / "fuzz"
    path.write_bytes(data)
    found, message = [], str(path)
    try:
        found = documents(path, Reading(encoding=encoding, errors=errors))
    except InputError as error:
        message = str(error)
    assert str(path) in message
    # It may begin as compressed files do.
    assert errors == "strict" or message == str(path) or "is damaged" in message
    assert all(word.split() == [word] for words in found for word in words)


def test_lines_of_any_end(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("\ufeffone\r\n\r\ntwo\u2028still\rthree\n".encode())
    assert read_lines(path) == ["one", "", "two\u2028still", "three"]
    path.write_bytes(b"one\ntwo")
    assert read_lines(path) == ["one", "two"]
    path.write_bytes(b"")
    assert read_lines(path) == []
    path.write_bytes(b"one\n\xe9")
    with pytest.raises(InputError, match=r"lines.txt: byte 0xe9 is not UTF-8 \(byte 4, line 2\)"):
        read_lines(path)
