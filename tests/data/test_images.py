import io

import numpy as np
import pytest
from PIL import Image

from jaxemb.data import images
from jaxemb.errors import InputError


def jpegs(pictures):
    streams = []
    for picture in pictures:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, format="jpeg", quality=95)
        streams.append(np.frombuffer(file.getvalue(), np.uint8))
    return np.concatenate(streams), np.cumsum([len(stream) for stream in streams])


def mnist():
    rng = np.random.default_rng(0)
    pictures = rng.integers(256, size=(7, 28, 28), dtype=np.uint8)
    labels = np.array([3, 1, 4, 1, 5, 9, 2], np.uint8)
    arrays = {"x_train": pictures[:4], "x_test": pictures[4:]}
    return arrays | {"y_train": labels[:4], "y_test": labels[4:]}


def cifar10():
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


def faces():
    rng = np.random.default_rng(1)
    pictures = rng.integers(256, size=(6, 112, 92), dtype=np.uint8)
    return {"images": pictures, "subject": np.array([1, 1, 40, 40, 7, 7], np.uint8)}


def omniglot():
    rng = np.random.default_rng(2)
    ink = rng.random((6, 105, 105)) < 0.1
    runs = rng.random((2, 2, 3, 105, 105)) < 0.1
    return (
        ink,
        runs,
        {
            "images_packed": np.packbits(ink.reshape(6, -1), axis=1),
            "character": np.array([0, 0, 1, 1, 2, 2], np.int16),
            "alphabet": np.array([1, 1, 0, 0, 2, 2], np.uint8),
            "alphabet_names": np.array(["Greek", "Korean", "Tagalog"]),
            "drawer": np.array([1, 2, 1, 2, 1, 2], np.uint8),
            "small_set": np.array([1, 1, 1, 1, 2, 2], np.uint8),
            "oneshot_train_packed": np.packbits(runs[0].reshape(2, 3, -1), axis=2),
            "oneshot_test_packed": np.packbits(runs[1].reshape(2, 3, -1), axis=2),
            "oneshot_answer": np.array([[2, 0, 1], [0, 1, 2]], np.int8),
        },
    )


def test_digits_come_in_order(tmp_path):
    arrays = mnist()
    np.savez(tmp_path / "mnist.npz", **arrays)
    found = images.read_mnist(tmp_path / "mnist.npz")
    expected = np.concatenate([arrays["x_train"], arrays["x_test"]])
    np.testing.assert_array_equal(found.images, expected)
    assert found.labels.tolist() == [3, 1, 4, 1, 5, 9, 2]
    assert found.labels.dtype == np.int32
    assert found.classes == tuple("0123456789")
    some = images.read_mnist(tmp_path / "mnist.npz", lambda size: np.array([size - 1, 1]))
    np.testing.assert_array_equal(some.images, expected[[6, 1]])
    assert some.labels.tolist() == [2, 1]


def test_photographs_are_decoded(tmp_path):
    pictures, arrays = cifar10()
    np.savez(tmp_path / "cifar.npz", **arrays)
    found = images.read_cifar10(tmp_path / "cifar.npz", lambda size: np.array([4, 0, 2, 3]))
    assert found.images.dtype == np.uint8
    difference = found.images.astype(int) - pictures[[4, 0, 2, 3]]
    assert np.abs(difference).max() < 12  # lossy
    assert found.labels.tolist() == [2, 1, 2, 2]
    assert found.classes == ("cat", "dog", "emu")


def test_faces_are_numbered_from_one(tmp_path):
    np.savez(tmp_path / "faces.npz", **faces())
    found = images.read_faces(tmp_path / "faces.npz")
    assert found.images.shape == (6, 112, 92)
    assert [found.classes[label] for label in found.labels] == ["1", "1", "40", "40", "7", "7"]


def test_characters_and_their_runs(tmp_path):
    ink, runs, arrays = omniglot()
    np.savez(tmp_path / "omniglot.npz", **arrays)
    found = images.read_omniglot(tmp_path / "omniglot.npz")
    np.testing.assert_array_equal(found.images, 255 * ink)
    np.testing.assert_array_equal(found.train, 255 * runs[0])
    np.testing.assert_array_equal(found.test, 255 * runs[1])
    assert found.images.dtype == np.uint8
    assert found.characters.tolist() == [0, 0, 1, 1, 2, 2]
    assert [found.names[i] for i in found.alphabets[::2]] == ["Korean", "Greek", "Tagalog"]
    assert found.drawers.tolist() == [1, 2] * 3
    assert found.answers.tolist() == [[2, 0, 1], [0, 1, 2]]
    # Greek belongs to both small sets.
    first, second = (found.characters[rows].tolist() for rows in found.small_sets)
    assert first == [0, 0, 1, 1]
    assert second == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("read", "arrays", "changes", "message"),
    [
        (images.read_mnist, mnist(), {"x_test": None}, "has no array 'x_test', only"),
        (
            images.read_mnist,
            mnist(),
            {"x_test": np.zeros((3, 28, 27), np.uint8)},
            "arrays of other shapes",
        ),
        (images.read_mnist, mnist(), {"x_test": np.zeros((3, 28, 28))}, "arrays of other"),
        (images.read_mnist, mnist(), {"y_test": np.zeros(4, int)}, "arrays of other"),
        (images.read_mnist, mnist(), {"y_test": np.array([0, 10, 0])}, "1 labels are outside the"),
        (images.read_mnist, mnist(), {"y_test": np.array([{}, 1, 1])}, "cannot be read"),
        (images.read_faces, faces(), {"subject": np.zeros(6, int)}, "6 labels are outside"),
        (images.read_faces, faces(), {"subject": np.ones(5, int)}, "arrays of other"),
        (
            images.read_cifar10,
            cifar10()[1],
            {"end_test": np.array([5, 9**9])},
            "arrays of other shapes",
        ),
        (
            images.read_cifar10,
            cifar10()[1],
            {"end_test": np.array([9, 5])},
            "arrays of other shapes",
        ),
        (images.read_cifar10, cifar10()[1], {"classes": np.array([[1]])}, "arrays of other"),
        (
            images.read_omniglot,
            omniglot()[2],
            {"images_packed": np.zeros((6, 1378), np.uint8)},
            "arrays of other shapes",
        ),
        (images.read_omniglot, omniglot()[2], {"drawer": np.zeros(5, int)}, "arrays of other"),
        (images.read_omniglot, omniglot()[2], {"drawer": np.zeros(6)}, "arrays of other"),
        (images.read_omniglot, omniglot()[2], {"alphabet": np.full(6, 3)}, "6 labels are outside"),
        (images.read_omniglot, omniglot()[2], {"oneshot_answer": None}, "has no array 'oneshot"),
        (
            images.read_omniglot,
            omniglot()[2],
            {"oneshot_answer": np.array([[0, 1, 2], [3, 0, 0]])},
            "1 labels are outside the 3 classes",
        ),
        (
            images.read_omniglot,
            omniglot()[2],
            {"oneshot_answer": np.zeros((3, 2), int)},
            "arrays of other",
        ),
    ],
)
def test_another_layout_is_refused(tmp_path, read, arrays, changes, message):
    path = tmp_path / "set.npz"
    kept = {name: array for name, array in (arrays | changes).items() if array is not None}
    np.savez(path, allow_pickle=True, **kept)
    with pytest.raises(InputError, match=f"set.npz: {message}"):
        read(path)


def test_a_damaged_photograph_is_named(tmp_path):
    _, arrays = cifar10()
    stream = arrays["jpeg_train"].copy()
    stream[arrays["end_train"][0] :][:40] = 0
    np.savez(tmp_path / "cifar.npz", **arrays | {"jpeg_train": stream})
    with pytest.raises(InputError, match=r"cifar.npz: image 1 is no JPEG stream"):
        images.read_cifar10(tmp_path / "cifar.npz")


def test_missing_and_truncated_files(tmp_path):
    path = tmp_path / "mnist.npz"
    with pytest.raises(InputError, match=r"mnist.npz: no such file. .* x_train .* --data-dir or"):
        images.read_mnist(path)
    np.savez_compressed(path, **mnist())
    whole = path.read_bytes()
    for part in (whole[:300], whole[:-40], b"", whole[:200] + bytes(60) + whole[260:]):
        path.write_bytes(part)
        with pytest.raises(InputError, match=r"cannot be read as a NumPy archive.* truncated\?"):
            images.read_mnist(path)
    # An array instead of an archive.
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match=r"has no array 'x_train', only \[\]"):
        images.read_mnist(path)


@pytest.mark.data
def test_real_sets(data_dir):
    digits = images.read_mnist(data_dir / "mnist.npz")
    assert digits.images.shape == (70_000, 28, 28)
    assert digits.labels[:3].tolist() == [5, 0, 4]
    photographs = images.read_cifar10(
        data_dir / "cifar10_jpeg.npz", lambda _: np.arange(49_990, 50_010)
    )
    assert photographs.images.shape == (20, 32, 32, 3)
    assert photographs.classes[3] == "cat"
    faces = images.read_faces(data_dir / "orl_faces.npz")
    assert np.bincount(faces.labels).tolist() == [10] * 40
    characters = images.read_omniglot(data_dir / "omniglot.npz")
    counts = np.unique(characters.characters, return_counts=True)[1]
    assert counts.tolist() == [20] * 242
    assert [len(np.unique(characters.characters[rows])) for rows in characters.small_sets] == [
        136,
        156,
    ]
    assert characters.train.shape == characters.test.shape == (20, 20, 105, 105)
