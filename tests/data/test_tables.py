import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxemb.data.tables import read_labels, read_numbers
from jaxemb.errors import InputError

NUMBERS = np.array([[1.5, -2, 3e10], [0, 7.25, -1e-3]], np.float32)


@pytest.mark.parametrize(
    "text",
    [
        "1.5,-2,3e10\n0,7.25,-1e-3\n",
        "a,b,c\n1.5,-2,3e10\n0,7.25,-1e-3",
        '\ufeff"the, first",b,c\r\n1.5, -2 ,"3e10"\r\n\r\n0,7.25,-0.001\r\n',
    ],
    ids=["bare", "header", "byte order mark, quotes, blanks, CRLF"],
)
def test_a_table_is_read(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    found = read_numbers(path)
    np.testing.assert_array_equal(found, NUMBERS)
    assert found.dtype == np.float32


def test_an_array_is_mapped(tmp_path):
    np.save(tmp_path / "array.npy", NUMBERS.astype(np.float64))
    found = read_numbers(tmp_path / "array.npy")
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, NUMBERS.astype(np.float64))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "has no line of numbers"),
        ("1,2\n3,4,5\n", "line 2: 3 cells, but 2 in the first line"),
        ("a,b\n1,2\n3,4\n5\n", "line 4: 1 cells, but 2"),
        ("1,2\n3,x\n", "line 2: column 2: 'x' is no number"),
        ("1,2\n\n\n3,\n", "line 4: column 2: '' is no number"),
        ("1,2\n3,1_000\n", "line 2: column 2: '1_000' is no number"),
        ("1,x\n3,4\n", "line 1: column 2: 'x' is no number"),
        (",a,b\n0,3,4\n", "line 1: the first column has no name"),
        ("1;2\n3;4\n", "line 2: column 1: '3;4' is no number; cells are separated by commas"),
        ("1,2\n\xff", "is no .csv in UTF-8"),
    ],
)
def test_faults_of_a_table_are_named(tmp_path, text, message):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=f"table.csv: {message}"):
        read_numbers(path)


def test_faults_of_an_array_are_named(tmp_path):
    path = tmp_path / "array.npy"
    with pytest.raises(InputError, match=r"array.npy: no such file"):
        read_numbers(path)
    np.save(path, np.array([{}, []], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"array.npy: holds Python objects, which only pickle"):
        read_numbers(path)
    np.save(path, np.zeros((50, 4)))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"array.npy: cannot be read .* Is it truncated\?"):
        read_numbers(path)
    np.savez(tmp_path / "array.npz", np.zeros(3))
    (tmp_path / "array.npz").rename(path)
    with pytest.raises(InputError, match=r"array.npy: a NumPy archive of several arrays"):
        read_numbers(path)


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("10\n9\n\n10\n", ("9", "10")),
        ("digit\n10\n9\n10\n", ("9", "10")),
        ("wren\nemu\nwren", ("emu", "wren")),
        ('"wren, a bird"\nemu\n"wren, a bird"', ("emu", "wren, a bird")),
    ],
)
def test_labels_are_read(tmp_path, text, classes):
    (tmp_path / "labels.csv").write_text(text)
    found = read_labels(tmp_path / "labels.csv", 3)
    assert found.classes == classes
    assert found.ids.dtype == np.int32
    assert found.ids.tolist() == [1, 0, 1]


@pytest.mark.parametrize("labels", [[10, -9, 10], ["b", "a", "b"], [True, False, True]])
def test_labels_of_an_array(tmp_path, labels):
    np.save(tmp_path / "labels.npy", np.array(labels))
    found = read_labels(tmp_path / "labels.npy", 3)
    assert found.ids.tolist() == [1, 0, 1]
    assert found.classes == tuple(str(label) for label in labels[1::-1])


def test_faults_of_labels_are_named(tmp_path):
    text, array = tmp_path / "labels.txt", tmp_path / "labels.npy"
    with pytest.raises(InputError, match=r"labels.txt: no such file"):
        read_labels(text, 3)
    text.write_text("1\n2\n")
    with pytest.raises(InputError, match=r"labels.txt: 2 labels for 3 points"):
        read_labels(text, 3)
    text.write_text("1,2\n")
    with pytest.raises(InputError, match=r"line 1: expected one label, found 2 cells '1,2'"):
        read_labels(text, 1)
    for wrong in (np.zeros((3, 1), int), np.zeros(3)):
        np.save(array, wrong)
        with pytest.raises(InputError, match="labels must be a list of integers or strings"):
            read_labels(array, 3)


CELLS = st.lists(st.sampled_from(["1", "-2.5", ",", "\n", "\r", '"', " ", "nan", "a", "e3", "_"]))


@given(data=st.binary(max_size=40) | CELLS.map(lambda parts: "".join(parts).encode()))
@settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_are_a_table_or_an_input_error(tmp_path, data):
    path = tmp_path / "fuzz.csv"
    path.write_bytes(data)
    message = str(path)
    try:
        found = read_numbers(path)
        assert found.ndim == 2
        assert found.size
    except InputError as error:
        message = str(error)
    assert str(path) in message
