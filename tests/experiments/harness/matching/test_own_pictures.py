import numpy as np
import pytest
from jaxemb.experiments.harness.matching import own_pictures
from jaxemb.experiments.harness.matching.own_pictures import PictureFlags, Pictures
from PIL import Image

from jaxemb.errors import InputError

RNG = np.random.default_rng(0)


def read(data, tmp_path, **flags):
    return own_pictures.read(PictureFlags(str(data), **flags), data_dir=tmp_path, seed=0)


def pictures(*counts):
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    images = RNG.integers(256, size=(len(labels), 8, 8), dtype=np.uint8)
    return Pictures(images, labels, tuple(f"c{i}" for i in range(len(counts))), {})


def part(*counts, held_out=0.2, seed=0):
    given = pictures(*counts)
    return given, own_pictures.part(given, held_out=held_out, seed=seed)


def test_a_folder_of_photographs_of_any_size(tmp_path):
    for name, size in (("ann", (90, 70)), ("ann", (100, 200)), ("bob", (80, 66))):
        (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(RNG.integers(256, size=(size[1], size[0], 3), dtype=np.uint8))
        image.save(tmp_path / "photos" / name / f"{size[0]}.jpg")
    found = read(tmp_path / "photos", tmp_path)
    assert found.images.shape == (3, 64, 64, 3)
    assert (found.classes, found.labels.tolist()) == (("ann", "bob"), [0, 0, 1])
    assert read(tmp_path / "photos", tmp_path, image_side=16).images.shape == (3, 16, 16, 3)
    # No picture is made larger.
    Image.new("L", (30, 20)).save(tmp_path / "photos" / "bob" / "small.png")
    assert read(tmp_path / "photos", tmp_path).images.shape == (4, 20, 20, 3)


def test_arrays_with_labels_by_name(tmp_path):
    images = RNG.integers(256, size=(6, 20, 12), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", images=images, labels=np.array(list("abcabc")))
    found = read(tmp_path / "mine.npz", tmp_path)
    assert found.images.shape == (6, 12, 12)
    assert found.classes == ("a", "b", "c")
    np.save(tmp_path / "images.npy", images)
    (tmp_path / "labels.txt").write_text("\n".join("abcabc"))
    other = read(tmp_path / "images.npy", tmp_path, labels=tmp_path / "labels.txt")
    np.testing.assert_array_equal(other.images, found.images)
    np.testing.assert_array_equal(other.labels, found.labels)
    with pytest.raises(InputError, match="whom or what does each picture show"):
        read(tmp_path / "images.npy", tmp_path)
    np.save(tmp_path / "table.npy", np.ones((6, 4)))
    with pytest.raises(InputError, match="expected a folder of pictures, or images .* found a tab"):
        read(tmp_path / "table.npy", tmp_path)


def test_whole_classes_are_held_out():
    given, parts = part(*[5] * 40)
    of = [set(given.labels[rows]) for rows in parts[:3]]
    assert [len(classes) for classes in of] == [26, 6, 8]
    assert len(set().union(*of)) == 40
    assert [len(rows) for rows in parts[:3]] == [130, 30, 40]
    assert parts.told.startswith("8 of 40 classes (")
    assert parts.chosen_on == "6 other classes"
    assert set(given.labels[part(*[5] * 40, seed=1)[1].test]) != of[2]
    assert len(set(given.labels[part(*[5] * 40, held_out=0.5)[1].test])) == 20


@pytest.mark.parametrize("classes", [4, 5, 6, 7])
def test_few_classes_are_all_trained_on_but_two(classes):
    given, parts = part(*[5] * classes)
    assert len(set(given.labels[parts.test])) == 2
    assert len(set(given.labels[parts.train])) == classes - 2
    np.testing.assert_array_equal(parts.train, parts.validation)
    assert parts.chosen_on == "the classes trained on"


def test_of_two_or_three_classes_pictures_are_held_out():
    given, parts = part(20, 4, 7)
    assert np.bincount(given.labels[parts.test]).tolist() == [4, 2, 2]
    assert np.bincount(given.labels[parts.train]).tolist() == [16, 2, 5]
    assert not set(parts.test) & set(parts.train)
    assert "3 classes are too few" in parts.told
    with pytest.raises(
        InputError, match="'c1' has too few pictures to hold some out: 4 are needed"
    ):
        part(20, 3)


def test_classes_with_one_picture_are_left_out(capsys):
    given, parts = part(5, 1, 5, 5, 1, 5)
    assert capsys.readouterr().out == "2 of 6 classes have one picture: left out\n"
    assert not {1, 4} & {*given.labels[np.concatenate(parts[:3])]}
    for counts in ((9,), (1, 1, 1), (9, 1)):
        with pytest.raises(
            InputError, match="two classes or more are needed, with two pictures or"
        ):
            part(*counts)
