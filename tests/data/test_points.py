import numpy as np
import pytest

from jaxemb.data.points import Columns, read_numbers, standardized
from jaxemb.errors import InputError

IRIS = "length,width,{}\n5.1,3.5,0\n4.9,3.0,0\n7.0,3.2,1\n6.4,3.3,1\n"
VALUES = np.array([[5.1, 3.5], [4.9, 3.0], [7.0, 3.2], [6.4, 3.3]], np.float32)


def write(folder, text):
    path = folder / "table.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["target", "Class", "LABEL", "y"])
def test_a_column_that_may_be_the_label_is_asked_about(tmp_path, name):
    path = write(tmp_path, IRIS.format(name))
    with pytest.raises(InputError, match=f"{name}.* label_column='{name}' .* coordinates=True"):
        read_numbers(path)
    labeled = read_numbers(path, columns=Columns(label_column=name))
    np.testing.assert_array_equal(labeled.values, VALUES)
    assert labeled.features == ("length", "width")
    assert labeled.labels.tolist() == [0, 0, 1, 1]
    assert labeled.classes == ("0", "1")
    plain = read_numbers(path, columns=Columns(coordinates=True))
    assert plain.values.shape == (4, 3)
    assert plain.labels is None
    dropped = read_numbers(path, columns=Columns(drop=(name,)))
    np.testing.assert_array_equal(dropped.values, VALUES)
    assert dropped.columns[name].tolist() == ["0", "0", "1", "1"]
    by_number = read_numbers(path, columns=Columns(label_column="3"))
    assert by_number.labels.tolist() == [0, 0, 1, 1]


def test_text_is_labels_names_or_a_further_column(tmp_path, caplog):
    caplog.set_level("INFO", "jaxemb")
    path = write(
        tmp_path,
        "cell,kind,a,b\nc1,red,5.1,3.5\nc2,red,4.9,3.0\nc3,blue,7.0,3.2\nc4,blue,6.4,3.3\n",
    )
    found = read_numbers(path, lambda size: np.array([3, 0]))
    np.testing.assert_array_equal(found.values, VALUES[[3, 0]])
    assert found.names == ["c4", "c1"]
    assert [found.classes[label] for label in found.labels] == ["blue", "red"]
    assert found.columns["cell"].tolist() == ["c4", "c1"]
    assert "labels are column 'kind'" in caplog.text
    dropped = read_numbers(path, columns=Columns(drop=("kind",)))
    assert dropped.labels is None
    with pytest.raises(InputError, match="no column 'sort'; there are cell, kind, a, b"):
        read_numbers(path, columns=Columns(label_column="sort"))


def test_what_counts_the_rows_is_no_coordinate(tmp_path, caplog):
    caplog.set_level("INFO", "jaxemb")
    for heading, first in (("", 0), ("id", 1), ("Unnamed: 0", 0)):
        rows = "".join(f"{n},{a},{b}\n" for n, (a, b) in enumerate(VALUES.tolist(), first))
        path = write(tmp_path, f"{heading},a,b\n{rows}")
        np.testing.assert_array_equal(read_numbers(path).values, VALUES)
        assert "counts the rows, and is left out" in caplog.text
        assert read_numbers(path, columns=Columns(coordinates=True)).values.shape == (4, 3)
        caplog.clear()
    # Numbers that don't count are data, whatever they are called.
    assert read_numbers(write(tmp_path, "id,a\n7,1\n7,2\n9,3\n")).values.shape == (3, 2)


def test_differences_far_from_zero_survive(tmp_path):
    seconds = 1.7e9 + np.arange(8.0)
    path = write(tmp_path, "".join(f"{second},0\n" for second in seconds))
    found = read_numbers(path)
    assert found.values.dtype == np.float64
    np.testing.assert_array_equal(found.values[:, 0], seconds)
    # A constant has none.
    path = write(tmp_path, "".join(f"{number},1700000000\n" for number in range(8)))
    assert read_numbers(path).values.dtype == np.float32


def test_columns_are_standardized(tmp_path):
    path = write(tmp_path, "1,1e9,3\n2,3e9,3\n3,2e9,3\n")
    found = standardized(read_numbers(path), "numbers.csv")
    expected = np.sqrt(1.5) * np.array([[-1, -1, 0], [0, 1, 0], [1, 0, 0]])
    np.testing.assert_allclose(found.values, expected, atol=1e-6)


def test_a_table_of_text_alone_is_refused(tmp_path):
    with pytest.raises(InputError, match="no column of numbers is left; found b"):
        read_numbers(write(tmp_path, "a,b\nred,x\nred,y\n"))


def test_a_second_label_is_asked_about_too(tmp_path):
    path = write(tmp_path, "a,b,target,species\n1,2,0,x\n3,4,0,x\n5,6,1,y\n7,9,1,y\n")
    with pytest.raises(InputError, match=r"'target' may be .*: drop='target' leaves it out"):
        read_numbers(path, columns=Columns(label_column="species"))
    found = read_numbers(path, columns=Columns(label_column="species", drop=("target",)))
    assert found.features == ("a", "b")
    assert found.classes == ("x", "y")
    taken = read_numbers(path, columns=Columns(label_column="species", coordinates=True))
    assert taken.features == ("a", "b", "target")
