import io
import tarfile

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
    np.savez(tmp_path / cifar10.JPEG_FILE, **arrays)
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
    path = tmp_path / cifar10.JPEG_FILE
    changed = small_set()[1] | changes
    kept = {name: array for name, array in changed.items() if array is not None}
    np.savez(path, allow_pickle=True, **kept)
    with pytest.raises(InputError, match=f"{path.name}: {message}"):
        cifar10.read(tmp_path)


def test_a_damaged_photograph_is_named(tmp_path):
    _, arrays = small_set()
    stream = arrays["jpeg_train"].copy()
    stream[arrays["end_train"][0] :][:40] = 0
    np.savez(tmp_path / cifar10.JPEG_FILE, **arrays | {"jpeg_train": stream})
    with pytest.raises(InputError, match=r"cifar10_jpeg.npz: image 1 is no JPEG stream"):
        cifar10.read(tmp_path)


@pytest.mark.data
def test_the_real_set(data_dir):
    photographs = cifar10.read(data_dir, lambda _: np.arange(49_990, 50_010))
    assert photographs.images.shape == (20, 32, 32, 3)
    assert photographs.classes[3] == "cat"


BATCHES = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]


def binary(pictures, labels):
    """The binary version: a label, then the red, the green and the blue pixels."""
    return b"".join(
        bytes([label]) + b"".join(picture[:, :, color].tobytes() for color in range(3))
        for picture, label in zip(pictures, labels, strict=True)
    )


def write_archive(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def small_archive():
    rng = np.random.default_rng(5)
    pictures = rng.integers(256, size=(12, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(3, size=12)
    files = {"batches.meta.txt": b"cat\ndog\nemu\n\n", "readme.html": b"about"}
    for i, name in enumerate(BATCHES):
        files[name] = binary(pictures[2 * i : 2 * i + 2], labels[2 * i : 2 * i + 2])
    return pictures, labels, files


def test_the_binary_version_is_kept_without_loss(tmp_path):
    pictures, labels, files = small_archive()
    # The JPEG streams give way.
    np.savez(tmp_path / cifar10.JPEG_FILE, **small_set()[1])
    # The last batch comes first.
    write_archive(tmp_path / "c.tar.gz", dict(reversed(files.items())))
    cifar10.convert([tmp_path / "c.tar.gz"], tmp_path)
    found = cifar10.read(tmp_path)
    np.testing.assert_array_equal(found.images, pictures)
    np.testing.assert_array_equal(found.labels, labels)
    assert found.classes == ("cat", "dog", "emu")
    assert found.files == (tmp_path / cifar10.FILE,)
    some = cifar10.read(tmp_path, lambda size: np.array([size - 1, 0]))
    np.testing.assert_array_equal(some.images, pictures[[11, 0]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_batch.bin": None}, "c.tar.gz: test_batch.bin is missing"),
        ({"batches.meta.txt": None}, "c.tar.gz: batches.meta.txt is missing"),
        ({"data_batch_3.bin": bytes(3072)}, "data_batch_3.bin: 3,072 bytes are no records of 3,0"),
        ({"data_batch_3": b"\x80\x02"}, "data_batch_3: is a pickle.* The binary version .*https:"),
    ],
)
def test_another_archive_is_refused(tmp_path, changes, message):
    files = small_archive()[2] | changes
    kept = {name: data for name, data in files.items() if data is not None}
    write_archive(tmp_path / "c.tar.gz", kept)
    with pytest.raises(InputError, match=message):
        cifar10.convert([tmp_path / "c.tar.gz"], tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_test": np.zeros((2, 32, 32), np.uint8)}, "arrays of other shapes"),
        ({"y_test": np.array([0, 3])}, "1 labels are outside the 3 classes"),
        ({"y_test": np.array([0])}, "arrays of other shapes"),
    ],
)
def test_another_layout_without_loss_is_refused(tmp_path, changes, message):
    pictures = small_archive()[0]
    arrays = {
        "x_train": pictures[:10],
        "x_test": pictures[10:],
        "y_train": np.zeros(10, int),
        "y_test": np.zeros(2, int),
        "classes": np.array(["cat", "dog", "emu"]),
    }
    np.savez(tmp_path / cifar10.FILE, **arrays | changes)
    with pytest.raises(InputError, match=f"{cifar10.FILE}: {message}"):
        cifar10.read(tmp_path)


def test_what_is_missing_names_the_command(tmp_path):
    with pytest.raises(InputError, match="cifar10.npz: no such file. `jaxemb data cifar10` gets"):
        cifar10.read(tmp_path)
