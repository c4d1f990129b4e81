import gzip
import zipfile

import numpy as np
import pytest

from jaxemb.data.sets import mnist
from jaxemb.errors import InputError


def small_set():
    rng = np.random.default_rng(0)
    pictures = rng.integers(256, size=(7, 28, 28), dtype=np.uint8)
    labels = np.array([3, 1, 4, 1, 5, 9, 2], np.uint8)
    arrays = {"x_train": pictures[:4], "x_test": pictures[4:]}
    return arrays | {"y_train": labels[:4], "y_test": labels[4:]}


def test_digits_come_in_order(tmp_path):
    arrays = small_set()
    np.savez(tmp_path / mnist.FILE, **arrays)
    found = mnist.read(tmp_path)
    expected = np.concatenate([arrays["x_train"], arrays["x_test"]])
    np.testing.assert_array_equal(found.images, expected)
    assert found.labels.tolist() == [3, 1, 4, 1, 5, 9, 2]
    assert found.labels.dtype == np.int32
    assert found.classes == tuple("0123456789")
    some = mnist.read(tmp_path, lambda size: np.array([size - 1, 1]))
    np.testing.assert_array_equal(some.images, expected[[6, 1]])
    assert some.labels.tolist() == [2, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": None}, "has no array 'x_test', only"),
        ({"x_test": np.zeros((3, 28, 27), np.uint8)}, "arrays of other shapes"),
        ({"x_test": np.zeros((3, 28, 28))}, "arrays of other"),
        ({"y_test": np.zeros(4, int)}, "arrays of other"),
        ({"y_test": np.array([0, 10, 0])}, "1 labels are outside the"),
        ({"y_test": np.array([{}, 1, 1])}, "cannot be read"),
    ],
)
def test_another_layout_is_refused(tmp_path, changes, message):
    path = tmp_path / mnist.FILE
    changed = small_set() | changes
    kept = {name: array for name, array in changed.items() if array is not None}
    np.savez(path, allow_pickle=True, **kept)
    with pytest.raises(InputError, match=f"{path.name}: {message}"):
        mnist.read(tmp_path)


@pytest.mark.data
def test_the_real_set(data_dir):
    digits = mnist.read(data_dir)
    assert digits.images.shape == (70_000, 28, 28)
    assert digits.labels[:3].tolist() == [5, 0, 4]


NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def idx(array):
    """LeCun's format: 0, 0, 8 for uint8, the number of axes, their lengths, big end first."""
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


def originals(arrays):
    return {NAMES[name]: idx(array) for name, array in arrays.items()}


@pytest.mark.parametrize("form", ["gz", "plain", "zip", "keras"])
def test_what_others_give_is_converted(tmp_path, form):
    arrays = small_set()
    folder = tmp_path / "fetched"
    folder.mkdir()
    for name, data in originals(arrays).items():
        if form == "gz":
            (folder / f"{name}.gz").write_bytes(gzip.compress(data))
        if form == "plain":
            (folder / name.replace("-idx", ".idx")).write_bytes(data)
        if form == "zip":
            with zipfile.ZipFile(folder / "archive.zip", "a") as archive:
                archive.writestr(f"MNIST/raw/{name}", data)
    if form == "keras":
        np.savez(folder / "mnist.npz", **arrays)
    mnist.convert([folder], tmp_path)
    with np.load(tmp_path / mnist.FILE) as found:
        assert sorted(found.files) == sorted(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == np.uint8
            np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\x08",
        b"\0\0\x08\3\0",
        idx(np.zeros((2, 3), np.uint8))[:-1],
        b"<html>",
        b"\0\0\x0d\1",
    ],
)
def test_what_is_no_array_is_named(tmp_path, data):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(data)
    message = "train-images-idx3-ubyte: is no array of bytes in the IDX format, or is truncated"
    with pytest.raises(InputError, match=message):
        mnist.convert([tmp_path], tmp_path)


def test_pickles_are_not_loaded(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "mnist.npz", "w") as archive,
        archive.open("x_train.npy", "w") as file,
    ):
        np.save(file, np.array([{}]), allow_pickle=True)
    with pytest.raises(InputError, match="mnist.npz/x_train.npy: is no array: .*pickle"):
        mnist.convert([tmp_path / "mnist.npz"], tmp_path)


@pytest.mark.data
def test_the_real_set_from_the_original_form(data_dir, tmp_path):
    with np.load(data_dir / mnist.FILE) as real:
        for name, data in originals(dict(real)).items():
            (tmp_path / name).write_bytes(data)
    mnist.convert([tmp_path], tmp_path)
    made, real_ = mnist.read(tmp_path), mnist.read(data_dir)
    np.testing.assert_array_equal(made.images, real_.images)
    np.testing.assert_array_equal(made.labels, real_.labels)
