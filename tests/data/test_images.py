import numpy as np
import pytest

from jaxemb.data.images import read_arrays, read_labels
from jaxemb.errors import InputError


def read(path):
    return read_arrays(path, ("x", "y"), "pictures x and their labels y", data_set="mnist")


def test_arrays_come_in_the_order_asked_for(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, y=np.arange(3), z=np.zeros(2), x=np.eye(2))
    x, y = read(path)
    np.testing.assert_array_equal(x, np.eye(2))
    assert y.tolist() == [0, 1, 2]


def test_labels_are_joined(tmp_path):
    parts = [np.array([0, 2], np.uint8), np.array([1])]
    found = read_labels(tmp_path / "set.npz", "labels", parts, classes=3)
    assert found.tolist() == [0, 2, 1]
    assert found.dtype == np.int32


def test_missing_and_truncated_files(tmp_path):
    path = tmp_path / "set.npz"
    with pytest.raises(InputError, match=r"set.npz: no such file. .* pictures x .* data_dir or"):
        read(path)
    np.savez_compressed(path, x=np.random.default_rng(0).integers(256, size=(7, 28, 28)), y=3)
    whole = path.read_bytes()
    for part in (whole[:300], whole[:-40], b"", whole[:200] + bytes(60) + whole[260:]):
        path.write_bytes(part)
        with pytest.raises(InputError, match=r"cannot be read as a NumPy archive.* truncated\?"):
            read(path)
    # An array instead of an archive.
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match=r"has no array 'x', only \[\]"):
        read(path)
