import pytest

from jaxemb import data
from jaxemb.data.edges import read_edges
from jaxemb.errors import InputError


def test_edges_lead_both_ways_and_add_up():
    graph = data.from_edges([1, 2, 10], [2, 1, 10], [1, 2, 5])
    assert graph.names == ["1", "2", "10"]
    assert graph.weights.toarray().tolist() == [[0, 3, 0], [3, 0, 0], [0, 0, 5]]
    directed = data.from_edges([1, 2], [2, 3], directed=True)
    assert directed.weights.toarray().tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_numbers_and_names_may_be_mixed():
    assert data.from_edges([1, 2], ["a", "2"]).names == ["1", "2", "a"]


def test_a_file_of_edges(tmp_path):
    (tmp_path / "graph.txt").write_text("ann bob 2\nbob cem 1\n")
    assert read_edges(tmp_path / "graph.txt").weights.toarray().max() == 1
    graph = read_edges(tmp_path / "graph.txt", ("1", "2", "3"))
    assert graph.names == ["ann", "bob", "cem"]
    assert graph.weights.toarray()[0, 1] == 2
    with pytest.raises(InputError, match="no column 'to'; there are 1, 2, 3"):
        read_edges(tmp_path / "graph.txt", ("1", "to"))
    with pytest.raises(InputError, match="columns must be those of source, target"):
        read_edges(tmp_path / "graph.txt", ("1",))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([], []), "there is no edge"),
        ((["a"], ["a"]), "all 1 edges lead from 'a' to itself"),
        ((["a", "b"], ["b"]), "targets must be one for each of 2 rows"),
        ((["a"], ["b"], [-1]), "weights must be finite and more than 0"),
    ],
)
def test_bad_edges_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        data.from_edges(*given)
