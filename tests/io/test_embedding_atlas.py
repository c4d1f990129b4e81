import sys

import numpy as np
import pytest
from pyarrow import parquet

from jaxemb.errors import InputError
from jaxemb.io import embedding_atlas


def _points():
    return np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)


def test_a_map_is_a_table(tmp_path):
    points = _points()
    ids = np.array([[1, 2], [0, 2], [3, 0], [2, 1]], np.int32)
    distances = ids / np.float32(8)
    columns = {
        "label": ["a", "b", None, "ü"],
        "x": [1, 2, 3, 4],
        "price": np.array([1.5, np.nan, 2, 3]),
        "mixed": [1, "two", 3.5, None],
    }
    path = tmp_path / "map.parquet"
    embedding_atlas.write(path, points, columns, neighbors=(ids, distances))
    table = parquet.read_table(path)
    assert table.column_names == ["x", "y", "label", "x_", "price", "mixed", "neighbors"]
    held = table.to_pydict()
    np.testing.assert_array_equal(np.column_stack([held["x"], held["y"]]), points)
    assert held["label"] == ["a", "b", None, "ü"]
    assert held["x_"] == [1, 2, 3, 4]
    assert held["mixed"] == ["1", "two", "3.5", None]
    assert held["neighbors"][2] == {"ids": [3, 0], "distances": [0.375, 0]}
    assert [entry.name for entry in tmp_path.iterdir()] == ["map.parquet"]


def test_without_neighbors(tmp_path):
    embedding_atlas.write(tmp_path / "map.parquet", _points(), {})
    assert parquet.read_table(tmp_path / "map.parquet").column_names == ["x", "y"]


def test_the_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"needs pyarrow: .*jaxemb\[parquet\]"):
        embedding_atlas.write(tmp_path / "map.parquet", _points(), {})
