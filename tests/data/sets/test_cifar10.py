import io

import numpy as np
import pytest
from PIL import Image

from jaxemb.data.sets import cifar10
from jaxemb.errors import InputError


def jpegs(pictures):
    streams = []
    for picture in pictures:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, format="jpeg", quality=95)
        streams.append(np.frombuffer(file.getvalue(), np.uint8))
    return np.concatenate(streams), np.cumsum([len(stream) for stream in streams])


def small_set():
    # Smooth, so that JPEG keeps them.
    across, down = np.meshgrid(np.linspace(0, 200, 32), np.linspace(0, 200, 32))
    pictures = np.stack(
        [np.stack([across + 9 * i, down, np.full((32, 32), 90)], axis=-1) for i in range(5)]
    ).astype(np.uint8)
    train, test = jpegs(pictures[:3]), jpegs(pictures[3:])
    return pictures, {
        "jpeg_train": train[0],
        "end_train": train[1],
        "jpeg_test": test[0],
        "end_test": test[1],
        "y_train": np.array([1, 0, 2], np.uint8),
        "y_test": np.array([2, 2], np.uint8),
        "classes": np.array(["cat", "dog", "emu"]),
    }


def test_photographs_are_decoded(tmp_path):
    pictures, arrays = small_set()
    np.savez(tmp_path / cifar10.FILE, **arrays)
    found = cifar10.read(tmp_path, lambda size: np.array([4, 0, 2, 3]))
    assert found.images.dtype == np.uint8
    difference = found.images.astype(int) - pictures[[4, 0, 2, 3]]
    assert np.abs(difference).max() < 12  # lossy
    assert found.labels.tolist() == [2, 1, 2, 2]
    assert found.classes == ("cat", "dog", "emu")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"end_test": np.array([5, 9**9])}, "arrays of other shapes"),
        ({"end_test": np.array([9, 5])}, "arrays of other shapes"),
        ({"classes": np.array([[1]])}, "arrays of other"),
    ],
)
def test_another_layout_is_refused(tmp_path, changes, message):
    path = tmp_path / cifar10.FILE
    changed = small_set()[1] | changes
    kept = {name: array for name, array in changed.items() if array is not None}
    np.savez(path, allow_pickle=True, **kept)
    with pytest.raises(InputError, match=f"{path.name}: {message}"):
        cifar10.read(tmp_path)


def test_a_damaged_photograph_is_named(tmp_path):
    _, arrays = small_set()
    stream = arrays["jpeg_train"].copy()
    stream[arrays["end_train"][0] :][:40] = 0
    np.savez(tmp_path / cifar10.FILE, **arrays | {"jpeg_train": stream})
    with pytest.raises(InputError, match=r"cifar10_jpeg.npz: image 1 is no JPEG stream"):
        cifar10.read(tmp_path)


@pytest.mark.data
def test_the_real_set(data_dir):
    photographs = cifar10.read(data_dir, lambda _: np.arange(49_990, 50_010))
    assert photographs.images.shape == (20, 32, 32, 3)
    assert photographs.classes[3] == "cat"
