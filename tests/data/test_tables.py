import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jaxemb.data.table_text import Layout
from jaxemb.data.tables import read_table
from jaxemb.errors import InputError

NUMBERS = np.array([[1.5, -2, 3e10], [0, 7.25, -1e-3]])


def test_an_array_is_mapped(tmp_path):
    np.save(tmp_path / "array.npy", NUMBERS)
    found = read_table(tmp_path / "array.npy").values
    assert isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, NUMBERS)


def test_faults_of_an_array_are_named(tmp_path):
    path = tmp_path / "array.npy"
    with pytest.raises(InputError, match=r"array.npy: no such file"):
        read_table(path)
    np.save(path, np.array([{}, []], object), allow_pickle=True)
    with pytest.raises(InputError, match=r"array.npy: holds Python objects, which only pickle"):
        read_table(path)
    np.save(path, np.zeros((50, 4)))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"array.npy: cannot be read .* Is it truncated\?"):
        read_table(path)
    np.save(path, np.zeros((3, 1), "datetime64[D]"))
    with pytest.raises(InputError, match=r"times are no numbers yet.*astype\('int64'\)"):
        read_table(path)
    np.savez(tmp_path / "array.npz", np.zeros(3))
    (tmp_path / "array.npz").rename(path)
    with pytest.raises(InputError, match=r"array.npy: a NumPy archive of several arrays"):
        read_table(path)


def test_an_archive_is_read_by_name(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, x=NUMBERS, y=np.array([3.0, 5.0]), note=np.array("made by hand"))
    found = read_table(path)
    np.testing.assert_array_equal(found.values, NUMBERS)
    assert {name: column.tolist() for name, column in found.texts.items()} == {"y": ["3", "5"]}
    np.savez(path, train=NUMBERS, test=NUMBERS + 1)
    with pytest.raises(InputError, match=r"2 arrays may hold the points; `array` names it, of tr"):
        read_table(path)
    np.testing.assert_array_equal(read_table(path, Layout(array="test")).values, NUMBERS + 1)
    with pytest.raises(InputError, match=r"no array 'valid'; there are train \[2, 3\], test"):
        read_table(path, Layout(array="valid"))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"set.npz: cannot be read by NumPy"):
        read_table(path)


def test_parquet_keeps_names_and_texts(tmp_path):
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame(NUMBERS, columns=["a", "b", "c"])
    frame["kind"] = ["x", "y"]
    frame["vector"] = [[1.0, 2.0], [3.0, 4.0]]
    frame["day"] = pd.to_datetime(["2020-01-01", "2021-01-01"])
    frame.to_parquet(path)
    found = read_table(path)
    assert found.names == ("a", "b", "c", "vector 1", "vector 2")
    np.testing.assert_array_equal(found.values, np.c_[NUMBERS, [[1, 2], [3, 4]]])
    assert found.texts["kind"].tolist() == ["x", "y"]
    assert found.texts["day"][1].startswith("2021-01-01")
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"table.parquet: cannot be read or is damaged"):
        read_table(path)


def test_a_sparse_matrix_of_scipy(tmp_path):
    dense = np.random.default_rng(0).integers(0, 2, (5, 4)) * 1.5
    for name in ("csr", "coo", "csc"):
        sparse.save_npz(tmp_path / "sparse.npz", sparse.coo_array(dense).asformat(name))
        np.testing.assert_array_equal(read_table(tmp_path / "sparse.npz").values, dense)
    np.savez(tmp_path / "odd.npz", format=b"csr", shape=[2, 2], data=[1.0])
    with pytest.raises(InputError, match="odd.npz: is no sparse matrix of SciPy's"):
        read_table(tmp_path / "odd.npz")
    huge = sparse.coo_array(([1.0], ([0], [0])), shape=(1 << 30, 1 << 30))
    sparse.save_npz(tmp_path / "huge.npz", huge)
    with pytest.raises(InputError, match="sparse points of .* made dense,: about"):
        read_table(tmp_path / "huge.npz")
