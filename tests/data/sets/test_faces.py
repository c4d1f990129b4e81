import numpy as np
import pytest

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
