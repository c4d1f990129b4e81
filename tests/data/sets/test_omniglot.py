import io
import zipfile

import numpy as np
import pytest
from PIL import Image

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


def png(ink):
    file = io.BytesIO()
    Image.fromarray(~ink.astype(bool)).save(file, format="png")
    return file.getvalue()


def originals(images, keys, runs, answers):
    """The files of the three archives.

    Args:
      images: [N, 105, 105] ink.
      keys: [N] (small set, alphabet, number of the character from 1, drawer).
      runs: [2, 20, 20, 105, 105] ink, to learn from and to be recognized.
      answers: [20, 20] in 0..19.
    """
    files = {
        f"images_background_small{small}/{alphabet}/character01/{number:04}_{drawer:02}.png": png(
            image
        )
        for image, (small, alphabet, number, drawer) in zip(images, keys, strict=True)
    }
    for run in range(20):
        lines = []
        for i in range(20):
            learned, asked = f"run{run + 1:02}/training/class", f"run{run + 1:02}/test/item"
            files[f"{learned}{i + 1:02}.png"] = png(runs[0, run, i])
            files[f"{asked}{i + 1:02}.png"] = png(runs[1, run, i])
            lines.append(f"{asked}{i + 1:02}.png {learned}{answers[run, i] + 1:02}.png\n")
        files[f"run{run + 1:02}/class_labels.txt"] = "".join(lines).encode()
    return files


def write_archives(folder, files):
    archives = {name.split("/")[0] for name in files if not name.startswith("run")}
    for top in archives | {"run"}:
        packed = folder / ("all_runs.zip" if top == "run" else f"{top}.zip")
        with zipfile.ZipFile(packed, "w") as archive:
            for name, data in files.items():
                if name.startswith(top):
                    archive.writestr(name, data)


KEYS = [
    *[(1, "Greek", 7, 1), (1, "Greek", 7, 2), (1, "Greek", 9, 1), (1, "Korean", 3, 2)],
    *[(2, "Greek", 7, 1), (2, "Burmese", 5, 1)],
]


@pytest.fixture(scope="module")
def small():
    """Few characters, all runs, and the files that hold them."""
    rng = np.random.default_rng(3)
    images = rng.random((6, 105, 105)) < 0.1
    images[4] = images[0]
    runs = np.zeros((2, 20, 20, 105, 105), bool)
    runs.reshape(800, -1)[np.arange(800), np.arange(800)] = True
    answers = rng.permuted(np.tile(np.arange(20), (20, 1)), axis=1)
    return images, runs, answers, originals(images, KEYS, runs, answers)


def test_pictures_of_the_authors_are_converted(tmp_path, small):
    images, runs, answers, files = small
    write_archives(tmp_path, files)
    omniglot.convert([tmp_path], tmp_path)
    found = omniglot.read(tmp_path)
    # The first small set comes first; what the second repeats is left out.
    np.testing.assert_array_equal(found.images, 255 * images[[0, 1, 2, 3, 5]])
    assert found.names == ("Burmese", "Greek", "Korean")
    assert found.alphabets.tolist() == [1, 1, 1, 2, 0]
    assert found.characters.tolist() == [6, 6, 8, 2, 4]
    assert found.drawers.tolist() == [1, 2, 1, 2, 1]
    assert found.small_sets[0].tolist() == [True] * 4 + [False]
    assert found.small_sets[1].tolist() == [True] * 3 + [False, True]
    np.testing.assert_array_equal(found.train, 255 * runs[0])
    np.testing.assert_array_equal(found.test, 255 * runs[1])
    np.testing.assert_array_equal(found.answers, answers)


def test_the_order_of_archives_does_not_matter(tmp_path, small):
    write_archives(tmp_path, small[3])
    made = []
    for order in (1, -1):
        omniglot.convert(sorted(tmp_path.glob("*.zip"))[::order], tmp_path)
        with np.load(tmp_path / omniglot.FILE) as arrays:
            made.append(dict(arrays))
    for name, array in made[0].items():
        np.testing.assert_array_equal(made[1][name], array)


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("images_background_small2/", "images_background_small2.zip is missing"),
        ("run07/test/item20.png", "the one-shot runs are missing or not whole"),
        ("run20/class_labels.txt", "the one-shot runs are missing or not whole"),
        ("run", "the one-shot runs are missing or not whole"),
    ],
)
def test_missing_pictures_are_told(tmp_path, small, left_out, message):
    kept = {name: data for name, data in small[3].items() if not name.startswith(left_out)}
    write_archives(tmp_path, kept)
    with pytest.raises(InputError, match=message):
        omniglot.convert([tmp_path], tmp_path)


@pytest.mark.data
def test_the_real_set_from_the_original_form(data_dir, tmp_path):
    real = omniglot.read(data_dir)
    rows = np.flatnonzero(real.drawers <= 2)
    keys = [
        (1 if real.small_sets[0][row] else 2, real.names[real.alphabets[row]])
        + (real.characters[row] + 1, real.drawers[row])
        for row in rows
    ]
    runs = np.stack([real.train, real.test]) > 0
    write_archives(tmp_path, originals(real.images[rows] > 0, keys, runs, real.answers))
    omniglot.convert([tmp_path], tmp_path)
    made = omniglot.read(tmp_path)
    for name in ("images", "characters", "alphabets", "drawers"):
        np.testing.assert_array_equal(getattr(made, name), getattr(real, name)[rows])
    np.testing.assert_array_equal(made.small_sets, np.array(real.small_sets)[:, rows])
    for name in ("names", "train", "test", "answers"):
        np.testing.assert_array_equal(getattr(made, name), getattr(real, name))
