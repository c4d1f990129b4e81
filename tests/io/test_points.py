import gzip

import numpy as np
import pytest
from sklearn.datasets import load_digits

from jaxemb import io
from jaxemb.data.files import file_sha256
from jaxemb.data.table_text import Layout
from jaxemb.errors import InputError
from jaxemb.io import points


def load(data, folder, **options):
    return points.load(str(data), data_dir=folder, **options)


def test_digits_need_no_file(tmp_path):
    found = load("digits", tmp_path)
    assert found.values.shape == (1797, 64)
    assert found.values.dtype == np.float32
    assert (found.values.min(), found.values.max()) == (0, 1)
    np.testing.assert_array_equal(found.values * 16, load_digits().data)
    np.testing.assert_array_equal(found.labels, load_digits().target)
    np.testing.assert_allclose(found.images.reshape(1797, 64) / 255, found.values, atol=0.002)
    assert found.classes == tuple("0123456789")
    assert found.names is None
    assert found.sha256 == {}


def test_a_subset_keeps_the_order_and_follows_the_seed(tmp_path):
    all_, some = load("digits", tmp_path), load("digits", tmp_path, n=200, seed=3)
    places = [int(np.flatnonzero((all_.values == row).all(axis=1))[0]) for row in some.values]
    assert places == sorted(set(places))
    assert len(places) == 200
    np.testing.assert_array_equal(some.labels, all_.labels[places])
    np.testing.assert_array_equal(some.images, all_.images[places])
    again, other = (load("digits", tmp_path, n=200, seed=seed).values for seed in (3, 4))
    np.testing.assert_array_equal(again, some.values)
    assert (other != some.values).any()


def test_images_come_from_the_data_folder(tmp_path):
    pictures = np.random.default_rng(0).integers(256, size=(4, 112, 92), dtype=np.uint8)
    path = tmp_path / "orl_faces.npz"
    np.savez(path, images=pictures, subject=np.array([1, 1, 2, 2]))
    found = load("faces", tmp_path)
    np.testing.assert_array_equal(found.images, pictures)
    np.testing.assert_allclose(found.values, pictures.reshape(4, -1) / 255, rtol=1e-6)
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.sha256 == {str(path): file_sha256(path)}


@pytest.mark.parametrize("ending", [".txt", ".vec", ".bin", ".safetensors"])
def test_of_words_the_first_are_taken(tmp_path, ending):
    words = ["the", "of", "and", "frog", "toad"]
    vectors = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    path = tmp_path / f"vectors{ending}"
    io.write(path, words, vectors)
    found = load(path, tmp_path, n=3, seed=9)
    assert found.names == ["the", "of", "and"]
    np.testing.assert_array_equal(found.values, vectors[:3])
    assert found.labels is None
    assert found.sha256 == {str(path): file_sha256(path)}


def test_further_names_stand_for_vectors_files(tmp_path):
    path = tmp_path / "vectors.txt"
    named = {"words": path}
    with pytest.raises(InputError, match=r"vectors.txt: no such file"):
        load("words", tmp_path, vectors=named)
    io.write(path, ["a", "b"], np.eye(2, dtype=np.float32))
    assert load("words", tmp_path, vectors=named).names == ["a", "b"]
    with pytest.raises(
        InputError, match="data must be one of digits, mnist, cifar10, faces, words"
    ):
        load("pictures", tmp_path, vectors=named)


@pytest.mark.parametrize("ending", [".npy", ".csv"])
def test_numbers_with_labels(tmp_path, ending):
    numbers = np.random.default_rng(2).normal(size=(20, 3)).astype(np.float32)
    path, labels = tmp_path / f"numbers{ending}", tmp_path / "labels.txt"
    if ending == ".npy":
        np.save(path, numbers.astype(np.float64))
    else:
        np.savetxt(path, numbers, delimiter=",", fmt="%.9g")
    labels.write_text("\n".join("ab"[i % 2] for i in range(20)))
    found = load(path, tmp_path, labels=labels)
    np.testing.assert_array_equal(found.values, numbers)
    assert found.labels.tolist() == [0, 1] * 10
    assert found.classes == ("a", "b")
    assert found.sha256 == {str(file): file_sha256(file) for file in (path, labels)}
    # Of a subset each point keeps its own.
    some = load(path, tmp_path, labels=labels, n=7)
    places = [numbers.tolist().index(row) for row in some.values.tolist()]
    assert some.labels.tolist() == [place % 2 for place in places]


def test_a_table_of_numbers_is_told_from_words(tmp_path):
    numbers = np.random.default_rng(2).normal(size=(20, 3)).astype(np.float32)
    np.savetxt(tmp_path / "points.txt", numbers)
    np.save(tmp_path / "labels.npy", np.arange(20) % 2)
    found = load(tmp_path / "points.txt", tmp_path, labels=tmp_path / "labels.npy")
    np.testing.assert_array_equal(found.values, numbers)
    assert found.names is None
    assert found.labels.tolist() == [0, 1] * 10
    (tmp_path / "points.txt").write_text("1 2 3\n4 5\n")
    with pytest.raises(InputError, match="points.txt: line 2: 2 cells, but 3"):
        load(tmp_path / "points.txt", tmp_path)


def test_words_may_have_any_name(tmp_path):
    vectors = np.eye(2, dtype=np.float32)
    io.write(tmp_path / "vectors.txt", ["a", "b"], vectors)
    data = (tmp_path / "vectors.txt").read_bytes()
    (tmp_path / "sgns.char").write_bytes(data)
    (tmp_path / "v.vec.gz").write_bytes(gzip.compress(data))
    for name in ("sgns.char", "v.vec.gz", "."):
        found = load(tmp_path / name, tmp_path)
        assert found.names == ["a", "b"]
        np.testing.assert_array_equal(found.values, vectors)
    (tmp_path / "v.vec").write_bytes("1 2\nä 1 2\n".encode("latin-1"))
    with pytest.raises(InputError, match="v.vec: line 2: byte 1 .* is not UTF-8"):
        load(tmp_path / "v.vec", tmp_path)
    assert load(tmp_path / "v.vec", tmp_path, layout=Layout(encoding="latin-1")).names == ["ä"]
    assert list(load(tmp_path, tmp_path).sha256) == [str(tmp_path / "vectors.txt")]


def test_labels_take_the_place_of_those_that_the_data_has(tmp_path):
    np.save(tmp_path / "parity.npy", load_digits().target % 2)
    found = load("digits", tmp_path, labels=tmp_path / "parity.npy", n=100)
    np.testing.assert_array_equal(found.labels, load("digits", tmp_path, n=100).labels % 2)
    assert found.classes == ("0", "1")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(5), r"expected an array \[N, D\] of real numbers, found \[5\] of float64"),
        (np.zeros((5, 2, 2, 2)), r".* found \[5, 2, 2, 2\]"),
        (np.zeros((5, 0)), r".* found \[5, 0\]"),
        (np.zeros((0, 5)), r".* found \[0, 5\]"),
        (np.zeros((5, 2), complex), r".* found \[5, 2\] of complex128"),
        (np.full((5, 2), "1"), r".* found \[5, 2\] of <U1"),
        (np.array([[1, 2], [3, np.nan], [np.inf, 5]]), "point 1, column 1 .* is nan, .* 2 of 3"),
        (
            np.array([[1, 2], [-1e300, 4]]),
            "point 1, column 0 .* is -1e.300, must be finite and less than 3e38; 1 of 2",
        ),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path, array, message):
    np.save(tmp_path / "array.npy", array)
    with pytest.raises(InputError, match=f"array.npy:? {message}"):
        load(tmp_path / "array.npy", tmp_path)


def test_a_table_with_a_hole_is_refused(tmp_path):
    (tmp_path / "table.csv").write_text("1,2\n3,nan\n")
    with pytest.raises(InputError, match=r"table.csv: line 2: column 2: no number is there"):
        load(tmp_path / "table.csv", tmp_path)


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="^data must be one of digits, mnist, .* found 'cats'"):
        load("cats", tmp_path)
    with pytest.raises(InputError, match=r"no.npy: no such file"):
        load(tmp_path / "no.npy", tmp_path)
    with pytest.raises(InputError, match=r"no.vec: no such file$"):
        load(tmp_path / "no.vec", tmp_path)
    with pytest.raises(InputError, match=r"mnist.npz: no such file. `jaxemb data mnist` gets it"):
        load("mnist", tmp_path)
    with pytest.raises(
        InputError, match="^n must be at most 1,797, the points of digits, found 1798; 0: all"
    ):
        load("digits", tmp_path, n=1798)
