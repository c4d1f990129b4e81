import zipfile

import jax
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.evaluation.gallery import Gallery
from jaxemb.io import gallery_file
from jaxemb.methods import matching
from jaxemb.models.encoders import ConvEncoder, PictureEncoder

D = 5
QUERIES = np.random.default_rng(1).normal(size=(4, D))


def filled(metric="squared_euclidean", threshold=3.0, **more):
    """Individuals with one to three vectors each."""
    rng = np.random.default_rng(0)
    gallery = Gallery(width=D, threshold=threshold, metric=metric, **more)
    for number in range(6):
        gallery.enroll(f"person {number}", rng.normal(size=(1 + number % 3, D)))
    return gallery


def test_what_is_written_is_read(tmp_path):
    gallery = filled("cosine", 0.25)
    gallery.enroll("Zoë\0\n", np.ones((2, D)))
    gallery_file.write(tmp_path / "g.npz", gallery)
    found = gallery_file.read(tmp_path / "g.npz")
    assert (found.names, found.width, found.threshold, found.metric) == (
        gallery.names,
        D,
        0.25,
        "cosine",
    )
    for name in gallery.names:
        np.testing.assert_array_equal(found.vectors(name), gallery.vectors(name))
    assert found.look_up(QUERIES) == gallery.look_up(QUERIES)
    gallery_file.write(tmp_path / "g.npz", Gallery(width=3, threshold=np.inf))
    empty = gallery_file.read(tmp_path / "g.npz")
    assert (empty.names, empty.width, empty.threshold) == ([], 3, np.inf)


def test_an_encoder_is_within(tmp_path):
    images = np.random.default_rng(2).integers(256, size=(3, 8, 8), dtype=np.uint8)
    module = PictureEncoder(ConvEncoder(D, (8,)), side=8)
    model = matching.Model(module, module.init(jax.random.key(0), images))
    gallery_file.write(tmp_path / "g.npz", filled(encoder=model, threshold_from="5% of strangers"))
    found = gallery_file.read(tmp_path / "g.npz")
    assert found.threshold_from == "5% of strangers"
    assert found.encoder.module == module
    vectors = matching.encode(found.encoder, images)
    np.testing.assert_array_equal(vectors, matching.encode(model, images))
    with pytest.raises(InputError, match="fitted: function cannot be saved"):
        gallery_file.write(tmp_path / "g.npz", filled(encoder=filled))
    assert gallery_file.read(tmp_path / "g.npz").encoder.module == module


def test_damage_is_found(tmp_path):
    path = tmp_path / "g.npz"
    gallery_file.write(path, filled())
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = []
    with zipfile.ZipFile(path) as archive:
        inside = [info.header_offset + 60 for info in archive.infolist()]
    for at in [*inside, *rng.integers(len(whole), size=40)]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            found = gallery_file.read(path)
        except InputError as error:
            refused.append(str(error))
        else:  # a byte that says nothing, such as a date
            assert found.look_up(QUERIES) == filled().look_up(QUERIES)
    assert len(refused) >= 30
    assert all("g.npz: cannot be read as a gallery: " in error for error in refused)
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="cannot be read as a gallery: .* interrupted"):
            gallery_file.read(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"owners": np.array([0, 0, 7])}, "some vectors belong to nobody"),
        ({"owners": np.array([0, 1])}, "there are 3 vectors but 2 owners"),
        ({"owners": np.array([0, 0, 0])}, "vectors of 'b' must be floats .*at least one, found"),
        ({"vectors": np.array([[1.0], [np.nan], [2.0]])}, "vectors of 'a': 1 of 2 rows are not"),
        ({"vectors": np.ones((3, 2))}, "vectors of 'a' must be 1 wide, found 2"),
        ({"vectors": np.array([[{}]] * 3)}, "Object arrays cannot be loaded"),
        ({"vectors": np.ones(3)}, r"array 'vectors' is float64 \[3\]"),
        ({"about": np.array("{")}, "Expecting property name"),
        ({"about": np.array('{"names": []}')}, "'width'"),
    ],
)
def test_wrong_files(tmp_path, change, message):
    path = tmp_path / "g.npz"
    about = '{"names": ["a", "b"], "width": 1, "threshold": 1.0, "metric": "cosine"}'
    arrays = {
        "vectors": np.array([[1.0], [2.0], [3.0]]),
        "owners": np.array([0, 0, 1]),
        "about": np.array(about),
    }
    np.savez(path, **arrays)
    assert gallery_file.read(path).names == ["a", "b"]
    np.savez(path, **(arrays | change))
    with pytest.raises(InputError, match=f"g.npz: cannot be read as a gallery: {message}"):
        gallery_file.read(path)


def test_other_paths(tmp_path):
    with pytest.raises(FileNotFoundError):
        gallery_file.read(tmp_path / "none.npz")
    for act in (lambda path: gallery_file.write(path, filled()), gallery_file.read):
        with pytest.raises(InputError, match=r"g.txt: a gallery's name must end in .npz"):
            act(tmp_path / "g.txt")
