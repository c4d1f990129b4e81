import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from jaxemb.data.sets import faces
from jaxemb.errors import InputError


def small_set():
    rng = np.random.default_rng(1)
    pictures = rng.integers(256, size=(6, 112, 92), dtype=np.uint8)
    return {"images": pictures, "subject": np.array([1, 1, 40, 40, 7, 7], np.uint8)}


def test_faces_are_numbered_from_one(tmp_path):
    np.savez(tmp_path / faces.FILE, **small_set())
    found = faces.read(tmp_path)
    assert found.images.shape == (6, 112, 92)
    assert [found.classes[label] for label in found.labels] == ["1", "1", "40", "40", "7", "7"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": np.zeros(6, int)}, "6 labels are outside"),
        ({"subject": np.ones(5, int)}, "arrays of other"),
    ],
)
def test_another_layout_is_refused(tmp_path, changes, message):
    path = tmp_path / faces.FILE
    changed = small_set() | changes
    kept = {name: array for name, array in changed.items() if array is not None}
    np.savez(path, allow_pickle=True, **kept)
    with pytest.raises(InputError, match=f"{path.name}: {message}"):
        faces.read(tmp_path)


@pytest.mark.data
def test_the_real_set(data_dir):
    assert np.bincount(faces.read(data_dir).labels).tolist() == [10] * 40


def pgm(photograph):
    file = io.BytesIO()
    Image.fromarray(photograph).save(file, format="ppm")
    return file.getvalue()


def write_archive(path, photographs):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("att_faces/README", "about")
        # In no order, as archives may be.
        for i in np.random.default_rng(0).permutation(len(photographs)):
            archive.writestr(f"att_faces/s{i // 10 + 1}/{i % 10 + 1}.pgm", pgm(photographs[i]))


def test_photographs_of_the_authors_are_converted(tmp_path):
    photographs = np.zeros((400, 112, 92), np.uint8)
    photographs[:, 3, 4] = np.arange(400) % 256
    photographs[:, 5, 6] = np.arange(400) // 256
    write_archive(tmp_path / "faces.zip", photographs)
    faces.convert([tmp_path / "faces.zip"], tmp_path)
    found = faces.read(tmp_path)
    np.testing.assert_array_equal(found.images, photographs)
    np.testing.assert_array_equal(found.labels, np.arange(400) // 10)


@pytest.mark.parametrize(
    ("photographs", "message"),
    [
        (np.zeros((399, 112, 92), np.uint8), "1 of 400 photographs are missing, first s40/10.pgm"),
        (np.zeros((10, 92, 112), np.uint8), "s1/.*.pgm: 92 x 112 pixels, expected are 112 x 92"),
    ],
)
def test_other_photographs_are_refused(tmp_path, photographs, message):
    write_archive(tmp_path / "faces.zip", photographs)
    with pytest.raises(InputError, match=message):
        faces.convert([tmp_path / "faces.zip"], tmp_path)


@pytest.mark.parametrize("data", [b"", b"GIF89a", pgm(small_set()["images"][0])[:-9]])
def test_a_damaged_photograph_is_named(tmp_path, data):
    (tmp_path / "s3").mkdir()
    (tmp_path / "s3" / "7.pgm").write_bytes(data)
    with pytest.raises(InputError, match=r"s3/7.pgm: is no picture"):
        faces.convert([tmp_path], tmp_path)


@pytest.mark.data
def test_the_real_set_from_the_original_form(data_dir, tmp_path):
    with np.load(data_dir / faces.FILE) as real:
        write_archive(tmp_path / "faces.zip", real["images"])
        faces.convert([tmp_path / "faces.zip"], tmp_path)
        with np.load(tmp_path / faces.FILE) as made:
            for name in made.files:
                np.testing.assert_array_equal(made[name], real[name])
