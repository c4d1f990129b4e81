import bz2
import gzip
import lzma

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxemb.data.table_text import Layout
from jaxemb.data.tables import read_table
from jaxemb.errors import InputError

NUMBERS = [[1.5, -2, 3e10], [0, 7.25, -1e-3]]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1.5,-2,3e10\n0,7.25,-1e-3\n", ("1", "2", "3")),
        ("a,b,c\n1.5,-2,3e10\n0,7.25,-1e-3", ("a", "b", "c")),
        (
            '\ufeff"the, first",b,c\r\n1.5, -2 ,"3e10"\r\n\r\n0,7.25,-0.001\r\n',
            ("the, first", "b", "c"),
        ),
        ("a;b;c\n1,5;-2;3e10\n0;7,25;-1e-3\n", ("a", "b", "c")),
        ("a\tb\tc\n1.5\t-2\t3e10\n0\t7.25\t-1e-3\n", ("a", "b", "c")),
        ("1,5\t-2\t3e10\n0\t7,25\t-1e-3\n", ("1", "2", "3")),
        ("1.5,-2,3e10\n \n0,7.25,-1e-3\n", ("1", "2", "3")),
        ("a|b|c\n1.5|-2|3e10\n0|7.25|-1e-3\n", ("a", "b", "c")),
        ("  1.5  -2 3e10\n  0  7.25 -1e-3\n", ("1", "2", "3")),
        ("# made by hand\n\n1.5 -2 3e10\n0 7.25 -1e-3\n", ("1", "2", "3")),
        ("1980,-,2000\n1.5,-2,3e10\n0,7.25,-1e-3\n", ("1980", "-", "2000")),
    ],
)
def test_a_table_is_read(tmp_path, text, names):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    found = read_table(path)
    np.testing.assert_array_equal(found.values, NUMBERS)
    assert found.names == names
    assert found.texts == {}


@pytest.mark.parametrize(
    ("ending", "pack"), [("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)]
)
def test_a_packed_table_is_read(tmp_path, ending, pack):
    path = tmp_path / f"table.csv.{ending}"
    path.write_bytes(pack(b"1.5,-2,3e10\n0,7.25,-1e-3\n"))
    np.testing.assert_array_equal(read_table(path).values, NUMBERS)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match="table.csv"):
        read_table(path)


def test_columns_of_text_stay_text(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("kind,a,note,b\nNA,1,,4\nred,2,x,5\nred,3,y,6\n")
    found = read_table(path)
    np.testing.assert_array_equal(found.values, [[1, 4], [2, 5], [3, 6]])
    assert found.names == ("a", "b")
    # Namibia and the like are no gaps.
    assert found.texts["kind"].tolist() == ["NA", "red", "red"]
    assert found.texts["note"].tolist() == ["", "x", "y"]
    as_text = read_table(path, as_text=["b"])
    assert as_text.names == ("a",)
    assert as_text.texts["b"].tolist() == ["4", "5", "6"]


def test_names_of_rows_are_told_apart(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(",a,b\n0,1,4\n1,2,5\n2,3,6\n")
    assert read_table(path).unnamed == "row"
    path.write_text("a b\nx 1 4\ny 2 5\n")  # as R writes it
    found = read_table(path)
    assert found.names == ("a", "b")
    assert found.unnamed == "row"
    assert found.texts["row"].tolist() == ["x", "y"]


def test_a_first_line_of_numbers_is_asked_about(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("0,1,2\n1.5,-2,3e10\n0,7.25,-1e-3\n")
    with pytest.raises(
        InputError, match="the first line, 0, 1, 2, ..., may name .* header='yes' or"
    ):
        read_table(path)
    assert read_table(path, Layout(header="yes")).names == ("0", "1", "2")
    np.testing.assert_array_equal(
        read_table(path, Layout(header="no")).values, [[0, 1, 2], *NUMBERS]
    )


def test_another_encoding_is_named(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("größe,b\n1,2\n3,4\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not in utf-8: .* `encoding` names another"):
        read_table(path)
    assert read_table(path, Layout(encoding="latin-1")).names == ("größe", "b")
    with pytest.raises(InputError, match="encoding must be one that Python knows"):
        Layout(encoding="klingon")
    path.write_bytes("a,b\n1,2\n".encode("utf-16"))
    with pytest.raises(InputError, match="`encoding`"):
        read_table(path)
    assert read_table(path, Layout(encoding="utf-16")).names == ("a", "b")


MANY = "".join(f"{i},{i + 1}\n" for i in range(300))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("a,b\n", "has no row below the columns' names"),
        ("1,2\n3,4,5\n", "line 2: 3 cells, but 2 in the first line"),
        ("a,b\n1,2\n3,4\n5\n", "line 4: 1 cells, but 2"),
        (MANY + "7\n", "line 301: 1 cells, but 2"),
        (MANY + "7,8,9\n", "line 301: 3 cells, but 2"),
        (MANY + "7,x\n", "line 301: column 2: 'x' is no number"),
        (MANY + "1,1_000\n", "line 301: column 2: '1_000' is no number"),
        ("a,b\n" + MANY + "7,\n", "line 302: column 'b': no number is there; fill gaps"),
        ("1,2\n3,4\n,\n", "line 3: column 1: no number is there"),
        ("1,2\n\n\n3,NA\n", "line 4: column 2: no number is there"),
        ("a,a\n1,2\n", "2 columns are called 'a'"),
        ("1,2\n3\0,4\n", "holds NUL bytes"),
    ],
)
def test_faults_of_a_table_are_named(tmp_path, text, message):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=f"table.csv: {message}"):
        read_table(path)


CELLS = st.lists(st.sampled_from(["1", "-2.5", ",", "\n", "\r", '"', " ", "nan", "a", "e3", "_"]))


@given(data=st.binary(max_size=40) | CELLS.map(lambda parts: "".join(parts).encode()))
@settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_a_table_or_an_input_error(tmp_path, data):
    path = tmp_path / "fuzz.csv"
    path.write_bytes(data)
    message = str(path)
    try:
        found = read_table(path)
        assert found.values.ndim == 2
        assert found.values.size or found.texts
        # Every line that isn't blank is a row, or the names.
        assert np.isfinite(found.values).all() or b"nan" in data or b"inf" in data.lower()
    except InputError as error:
        message = str(error)
    assert str(path) in message
