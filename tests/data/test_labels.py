import numpy as np
import pytest

from jaxemb.data.labels import read_labels
from jaxemb.data.table_text import Layout
from jaxemb.errors import InputError


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("10\n9\n10\n\n", ("9", "10")),
        ("digit\n10\n9\n10\n", ("9", "10")),
        ("kind of bird\nwren\nemu\nwren", ("emu", "wren")),
        ("wren\nemu\nwren", ("emu", "wren")),
        ('"wren, a bird"\nemu\n"wren, a bird"', ("emu", "wren, a bird")),
        ("little wren\nblack emu\nlittle wren\n", ("black emu", "little wren")),
        ("id,label\n0,10\n1,9\n2,10\n", ("9", "10")),
        ("bird;n\nwren;0\nemu;1\nwren;2\n", ("emu", "wren")),
    ],
)
def test_labels_are_read(tmp_path, text, classes):
    (tmp_path / "labels.csv").write_text(text)
    found = read_labels(tmp_path / "labels.csv", 3)
    assert found.classes == classes
    assert found.ids.dtype == np.int32
    assert found.ids.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "labels", [[10, -9, 10], ["b", "a", "b"], [True, False, True], [2.0, 1, 2]]
)
def test_labels_of_an_array(tmp_path, labels):
    np.save(tmp_path / "labels.npy", np.array(labels))
    found = read_labels(tmp_path / "labels.npy", 3)
    assert found.ids.tolist() == [1, 0, 1]
    shown = [int(label) if isinstance(label, float) else label for label in labels[1::-1]]
    assert found.classes == tuple(str(label) for label in shown)


def test_a_column_of_labels_is_named(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("size,color\n3,red\n5,blue\n3,red\n")
    with pytest.raises(InputError, match="`label_column` names the one .* of size, color"):
        read_labels(path, 3)
    assert read_labels(path, 3, "size").classes == ("3", "5")
    assert read_labels(path, 3, "color").classes == ("blue", "red")
    with pytest.raises(InputError, match="no column 'colour'; there are size, color"):
        read_labels(path, 3, "colour")


def test_nothing_is_decided_by_the_number_of_lines_alone(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("species\n2\n1\n\n2\n")
    with pytest.raises(InputError, match=r"labels.txt: line 4 is blank: is the label missing"):
        read_labels(path, 4)
    # A heading above numbers is none of them, however many there are.
    path.write_text("species\n2\n1\n2\n")
    with pytest.raises(InputError, match="3 labels for 4 points"):
        read_labels(path, 4)
    # A class that comes again is no heading.
    path.write_text("wren\nemu\nwren\nemu\n")
    with pytest.raises(InputError, match="4 labels for 3 points"):
        read_labels(path, 3)
    path.write_text("wren\nemu\nwren\n")
    assert read_labels(path, 2, layout=Layout(header="yes")).classes == ("emu", "wren")


def test_faults_of_labels_are_named(tmp_path):
    text, array = tmp_path / "labels.txt", tmp_path / "labels.npy"
    with pytest.raises(InputError, match=r"labels.txt: no such file"):
        read_labels(text, 3)
    text.write_text("1\n2\n")
    with pytest.raises(InputError, match=r"labels.txt: 2 labels for 3 points"):
        read_labels(text, 3)
    text.write_text("")
    with pytest.raises(InputError, match=r"labels.txt: is empty"):
        read_labels(text, 3)
    for wrong in (np.zeros((3, 1), int), np.full(3, 0.5)):
        np.save(array, wrong)
        with pytest.raises(InputError, match="labels must be a list of integers or strings"):
            read_labels(array, 3)
