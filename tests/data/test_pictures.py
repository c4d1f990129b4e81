import numpy as np
import pytest
from PIL import Image

from jaxemb.data.pictures import as_pictures, find_pictures, find_side, fit_pictures, read_pictures
from jaxemb.data.points import read_folder, read_numbers
from jaxemb.data.table_text import Layout
from jaxemb.errors import InputError

PICTURES = np.random.default_rng(0).integers(256, size=(6, 5, 4, 3), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    for number, picture in enumerate(PICTURES):
        place = tmp_path / "pictures" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{number}.png")
    (tmp_path / "pictures" / "notes.txt").write_text("no picture")
    return tmp_path / "pictures"


def test_subfolders_are_classes(folder):
    found = read_folder(folder)
    np.testing.assert_array_equal(found.images, PICTURES[[0, 2, 4, 1, 3, 5]])
    np.testing.assert_allclose(found.values, found.images.reshape(6, -1) / 255, rtol=1e-6)
    assert found.classes == ("a", "b")
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.columns["file"].tolist()[:2] == ["a/0.png", "a/2.png"]
    some = read_folder(folder, lambda size: np.array([1, 5]))
    np.testing.assert_array_equal(some.images, PICTURES[[2, 5]])
    assert some.labels.tolist() == [0, 1]


def test_a_checksum_is_of_names_and_bytes(folder):
    first = read_folder(folder).sha256
    assert first == read_folder(folder).sha256
    (folder / "a" / "0.png").rename(folder / "a" / "00.png")
    assert first != read_folder(folder).sha256


def test_without_subfolders_there_are_no_classes(folder, tmp_path):
    found = read_folder(folder / "a")
    assert found.labels is None
    assert len(found.values) == 3
    Image.fromarray(PICTURES[0]).save(folder / "loose.png")
    with pytest.raises(InputError, match=r"loose.png is in none of the subfolders"):
        read_folder(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no pictures, files named .png, .jpg"):
        read_folder(tmp_path / "empty")


def test_pictures_of_other_sizes_are_brought_to_one(folder):
    Image.fromarray(PICTURES[0, :3]).save(folder / "a" / "8.png")
    with pytest.raises(InputError, match=r"8.png: is 4 x 3 pixels, 0.png 4 x 5; `image_side`"):
        read_folder(folder)
    assert read_folder(folder, layout=Layout(image_side=8)).images.shape == (7, 8, 8, 3)


def test_damage_is_named(folder):
    (folder / "a" / "2.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"2.png: cannot be read as a picture"):
        read_folder(folder)


def test_every_kind_of_picture_is_read(tmp_path):
    gray = PICTURES[0, :, :, 0]
    kinds = {
        "gray": Image.fromarray(gray),
        "deep": Image.fromarray(gray.astype(np.uint16) * 257),
        "bits": Image.fromarray(np.where(gray > 99, 255, 0).astype(np.uint8)).convert("1"),
        "clear": Image.fromarray(np.dstack([PICTURES[0], np.zeros((5, 4), np.uint8)])),
        "palette": Image.fromarray(PICTURES[0] // 128 * 255).quantize(8),
    }
    files = {name: tmp_path / f"{name}.png" for name in kinds}
    for name, image in kinds.items():
        image.save(files[name])
    np.testing.assert_array_equal(
        read_pictures([files["gray"], files["deep"], files["bits"]]),
        [gray, gray, np.where(gray > 99, 255, 0)],
    )
    np.testing.assert_array_equal(read_pictures([files["clear"]])[0], np.full((5, 4, 3), 255))
    np.testing.assert_array_equal(read_pictures([files["palette"]])[0], PICTURES[0] // 128 * 255)
    # Gray ones among colored ones become colored.
    mixed = read_pictures([files["palette"], files["gray"]])
    np.testing.assert_array_equal(mixed[1], np.repeat(gray[..., None], 3, axis=2))


@pytest.mark.parametrize("shape", [(6, 5, 7), (6, 5, 7, 1), (6, 5, 7, 3), (6, 3, 5, 7)])
def test_arrays_of_pictures_are_points(tmp_path, shape):
    array = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    np.save(tmp_path / "pictures.npy", array)
    found = read_numbers(tmp_path / "pictures.npy", lambda size: np.array([4, 1]))
    np.testing.assert_array_equal(found.values, array.reshape(6, -1)[[4, 1]])
    assert found.images.shape == (2, 5, 7, 3) if 3 in shape[1:] else (2, 5, 7)
    assert found.images.dtype == np.uint8
    # The smallest number is black, the largest white.
    drawn = as_pictures(tmp_path, array)
    assert (drawn.min(), drawn.max()) == (0, 255)


def test_bytes_are_drawn_as_they_are(tmp_path):
    np.testing.assert_array_equal(as_pictures(tmp_path, PICTURES), PICTURES)
    np.testing.assert_array_equal(as_pictures(tmp_path, PICTURES.astype(int) // 2), PICTURES // 2)
    with pytest.raises(InputError, match=r"pictures \[N, H, W\] .* found \[6, 5, 4, 2\]"):
        as_pictures(tmp_path, PICTURES[..., :2])


def test_colors_become_gray_and_gray_color(tmp_path):
    Image.fromarray(PICTURES[0]).save(tmp_path / "color.png")
    Image.fromarray(PICTURES[0, :, :, 0]).save(tmp_path / "gray.png")
    files = [tmp_path / "color.png", tmp_path / "gray.png"]
    gray = read_pictures(files, color=False)
    assert gray.shape == (2, 5, 4)
    weights = np.array([0.299, 0.587, 0.114])  # of brightness, ITU-R 601
    np.testing.assert_allclose(gray[0], PICTURES[0] @ weights, atol=1)
    assert read_pictures(files[1:], color=True).shape == (1, 5, 4, 3)
    assert read_pictures(files[1:]).shape == (1, 5, 4)


def test_arrays_are_brought_to_squares_as_files_are(folder):
    files = sorted(folder.rglob("*.png"))
    pictures = read_pictures(files)
    np.testing.assert_array_equal(fit_pictures(pictures, side=3), read_pictures(files, side=3))
    np.testing.assert_array_equal(fit_pictures(pictures[..., 0], side=3).shape, (len(files), 3, 3))
    square = pictures[:, :4]
    assert fit_pictures(square, side=4) is square


def test_the_shortest_side_is_told_by_the_files(folder):
    files = sorted(folder.rglob("*.png"))
    assert find_side(files, most=64) == 4
    assert find_side(files, most=3) == 3
    (folder / "a" / "2.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"2.png: cannot be read as a picture"):
        find_side(files, most=64)


def test_gray_of_many_bits_keeps_its_shades(tmp_path):
    shades = np.array([[0.0, 0.25], [0.5, 1.0]])
    expected = np.round(255 * shades)
    for name, array in {
        "float.tif": shades.astype(np.float32),
        "bytes.tif": (255 * shades).astype(np.int32),
        "long.tif": (65535 * shades).astype(np.int32),
        "short.png": (65535 * shades).astype(np.uint16),
    }.items():
        Image.fromarray(array).save(tmp_path / name)
        np.testing.assert_allclose(read_pictures([tmp_path / name])[0], expected, atol=1)


@pytest.mark.parametrize(
    "array",
    [
        np.float32([[0, 2]]),
        np.float32([[-1, 1]]),
        np.float32([[0, np.nan]]),
        np.int32([[0, 70_000]]),
        np.int32([[-1, 9]]),
    ],
)
def test_gray_of_which_nothing_tells_what_is_white(tmp_path, array):
    Image.fromarray(array).save(tmp_path / "gray.tif")
    with pytest.raises(InputError, match="gray.tif: its gray is from .*, black to white"):
        read_pictures([tmp_path / "gray.tif"])


def test_linked_folders_are_followed_but_not_in_circles(tmp_path):
    (tmp_path / "a").mkdir()
    Image.new("L", (2, 2)).save(tmp_path / "a" / "1.png")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    found = find_pictures(tmp_path)
    assert tmp_path / "b" / "1.png" in found
    assert len(found) < 10
