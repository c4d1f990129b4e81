import numpy as np
import pytest

from jaxemb.data.sets import omniglot
from jaxemb.errors import InputError


def small_set():
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


def test_characters_and_their_runs(tmp_path):
    ink, runs, arrays = small_set()
    np.savez(tmp_path / omniglot.FILE, **arrays)
    found = omniglot.read(tmp_path)
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
    ("changes", "message"),
    [
        ({"images_packed": np.zeros((6, 1378), np.uint8)}, "arrays of other shapes"),
        ({"drawer": np.zeros(5, int)}, "arrays of other"),
        ({"drawer": np.zeros(6)}, "arrays of other"),
        ({"alphabet": np.full(6, 3)}, "6 labels are outside"),
        ({"oneshot_answer": None}, "has no array 'oneshot"),
        (
            {"oneshot_answer": np.array([[0, 1, 2], [3, 0, 0]])},
            "1 labels are outside the 3 classes",
        ),
        ({"oneshot_answer": np.zeros((3, 2), int)}, "arrays of other"),
    ],
)
def test_another_layout_is_refused(tmp_path, changes, message):
    path = tmp_path / omniglot.FILE
    changed = small_set()[2] | changes
    kept = {name: array for name, array in changed.items() if array is not None}
    np.savez(path, allow_pickle=True, **kept)
    with pytest.raises(InputError, match=f"{path.name}: {message}"):
        omniglot.read(tmp_path)


@pytest.mark.data
def test_the_real_set(data_dir):
    found = omniglot.read(data_dir)
    assert np.unique(found.characters, return_counts=True)[1].tolist() == [20] * 242
    counts = [len(np.unique(found.characters[rows])) for rows in found.small_sets]
    assert counts == [136, 156]
    assert found.train.shape == found.test.shape == (20, 20, 105, 105)
