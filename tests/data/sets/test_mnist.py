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
