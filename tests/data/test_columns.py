import gzip
import json
import sys
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from jaxemb.data.columns import check_column, kind, read_column
from jaxemb.data.text_files import Reading
from jaxemb.errors import InputError

TEXTS = ["One, two", 'with "quotes"\nand lines', "caf\u00e9", None]


def write_json(path: Path) -> None:
    lines = [json.dumps({"id": i, "text": text}) for i, text in enumerate(TEXTS)]
    path.write_text("\n\n".join(lines))


def write_csv(path: Path) -> None:
    path.write_text('id;text\n0;One, two\n1;"with ""quotes""\nand lines"\n2;caf\u00e9\n\n')


def write_parquet(path: Path) -> None:
    parquet.write_table(pyarrow.table({"id": range(4), "text": TEXTS}), path)


WRITE = {"a.jsonl": write_json, "b.csv": write_csv, "c.parquet": write_parquet}


def documents(path: Path, column: str = "text", **reading) -> list[str]:
    pieces = list(read_column(path, Reading(column=column, **reading)))
    assert all(piece.texts[0] == "" for piece in pieces)
    return [text for piece in pieces for text in piece.texts[1:]]


@pytest.mark.parametrize("name", WRITE)
def test_rows_are_documents(tmp_path, name):
    WRITE[name](tmp_path / name)
    assert documents(tmp_path / name) == TEXTS[:3]


def test_long_files_come_in_pieces(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("number\ttext\n" + "".join(f"{i}\t{'x' * 300_000}\n" for i in range(10)))
    pieces = list(read_column(path, Reading(column="text")))
    assert [len(piece.texts) - 1 for piece in pieces] == [4, 4, 2]
    assert pieces[-1].position == path.stat().st_size


def test_compressed_and_in_another_encoding(tmp_path):
    path = tmp_path / "a.CSV.gz"
    path.write_bytes(gzip.compress("text,x\ncaf\u00e9,1\n".encode("utf-16")))
    assert kind(path) == "csv"
    assert documents(path, encoding="utf-16") == ["caf\u00e9"]
    path.write_bytes(b"text,x\ncaf\xe9,1\n")
    (piece,) = read_column(path, Reading(errors="skip", column="text"))
    assert (piece.texts, piece.undecodable) == (["", "caf"], 1)


@pytest.mark.parametrize("name", WRITE)
def test_columns_are_named(tmp_path, name):
    path = tmp_path / name
    WRITE[name](path)
    with pytest.raises(InputError, match=r"column 'body' is not there; its c.* are 'id', 'text'"):
        documents(path, "body")
    with pytest.raises(InputError, match="`column` must say where its text is, one of 'id', "):
        check_column([tmp_path / "plain.txt", path], None)
    check_column([tmp_path / "plain.txt", path], "text")


def test_a_column_needs_a_file_with_columns(tmp_path):
    assert kind(tmp_path / "a.txt.gz") is None
    with pytest.raises(InputError, match="column 'text' is for files named .jsonl, .*a.txt"):
        check_column([tmp_path / "a.txt"], "text")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"text": "x"}\n{"text": \n', "line 2: expected a JSON object a line"),
        ("a.jsonl", '{"text": "x"}\n["x"]\n', "line 2: expected a JSON object, found"),
        ("a.jsonl", '{"text": 5}\n', "row 1: column 'text' must hold text, found int '5'"),
        ("a.jsonl", "", "column 'text' is not there; its columns are none"),
        (
            "a.csv",
            "text,x\na,b\na,b,c\n",
            "line 3: 3 fields, but the header has 2; text with",
        ),
        ("a.csv", 'text,x\n"a,b\n', "line 2: unexpected end of data"),
        ("a.csv", "", "column 'text' is not there; its columns are none"),
        ("a.csv", "text\nb\xff\0c\n", "a NUL byte"),
        ("a.parquet", "text", "cannot be read or is damaged"),
    ],
)
def test_bad_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=f"{name}: {message}"):
        documents(tmp_path / name)


def test_numbers_are_no_text(tmp_path):
    write_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="row 1: column 'id' must hold text, found int '0'"):
        documents(tmp_path / "a.parquet", "id")


def test_without_pyarrow_the_way_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"a.parquet: Parquet files need pyarrow; pip install"):
        documents(tmp_path / "a.parquet")
