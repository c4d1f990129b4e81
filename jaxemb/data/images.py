"""Readers of image data sets: NumPy archives with names of their own."""

import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from jaxemb.errors import InputError

# Takes the number of images that a file holds, returns the positions of those wanted.
Choose = Callable[[int], np.ndarray]


class LabeledImages(NamedTuple):
    """Pictures and what each one shows."""

    images: np.ndarray  # [N, H, W] or [N, H, W, 3] uint8
    labels: np.ndarray  # [N] int32, positions in `classes`
    classes: tuple[str, ...]


class Omniglot(NamedTuple):
    """Handwritten characters to learn from, and one-shot runs of alphabets not among them.

    Ink is 255 on 0, in pictures of 105 x 105.
    """

    images: np.ndarray  # [N, 105, 105] uint8
    characters: np.ndarray  # [N] int32, as numbered among all of Omniglot
    alphabets: np.ndarray  # [N] int32, positions in `names`
    drawers: np.ndarray  # [N] int32
    small_sets: tuple[np.ndarray, np.ndarray]  # [N] bool, the rows of each official small set
    names: tuple[str, ...]  # of the alphabets
    train: np.ndarray  # [R, W, 105, 105] uint8, an example of each of W characters
    test: np.ndarray  # [R, Q, 105, 105] uint8, to be recognized
    answers: np.ndarray  # [R, Q] int32 in 0..W-1


def read_mnist(path: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads handwritten digits: `x_train`, `y_train`, `x_test`, `y_test`, in this order.

    Args:
      path: `mnist.npz`.
      choose: which of the 70,000.

    Returns:
      [N, 28, 28] images, white ink on black.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    layout = "x_train [60000, 28, 28] and x_test, uint8, with their digits y_train and y_test"
    arrays = _read(path, ("x_train", "x_test", "y_train", "y_test"), layout)
    for images in arrays[:2]:
        _expect(path, layout, images.dtype == np.uint8 and images.shape[1:] == (28, 28))
    labels = _labels(path, layout, arrays[2:], classes=10)
    _expect(path, layout, [len(x) for x in arrays[:2]] == [len(y) for y in arrays[2:]])
    rows = choose(len(labels))
    images = np.concatenate(arrays[:2])[rows]
    return LabeledImages(images, labels[rows], tuple("0123456789"))


def read_cifar10(path: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads small photographs of ten kinds of things, kept as JPEG streams; train, then test.

    Args:
      path: `cifar10_jpeg.npz`.
      choose: which of the 60,000; only these are decoded.

    Returns:
      [N, 32, 32, 3] images.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    layout = (
        "JPEG streams one after another in jpeg_train and jpeg_test, their ends in end_train and "
        "end_test, labels in y_train and y_test, names in classes"
    )
    names = ("jpeg_train", "jpeg_test", "end_train", "end_test", "y_train", "y_test", "classes")
    *arrays, classes = _read(path, names, layout)
    streams, ends = arrays[:2], arrays[2:4]
    _expect(path, layout, classes.ndim == 1 and classes.dtype.kind == "U")
    labels = _labels(path, layout, arrays[4:], classes=len(classes))
    _expect(path, layout, all(a.dtype == np.uint8 and a.ndim == 1 for a in streams))
    _expect(path, layout, [e.shape for e in ends] == [y.shape for y in arrays[4:]])
    starts = []
    for stream, end in zip(streams, ends, strict=True):
        starts.append(np.concatenate([[0], end[:-1]]))
        _expect(path, layout, bool((starts[-1] <= end).all()) and end[-1] <= len(stream))
    rows = choose(len(labels))
    images = np.empty((len(rows), 32, 32, 3), np.uint8)
    for place, row in enumerate(rows):
        part, at = (0, row) if row < len(ends[0]) else (1, row - len(ends[0]))
        jpeg = streams[part][starts[part][at] : ends[part][at]].tobytes()
        try:
            image = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            raise InputError(f"{path}: image {row} is no JPEG stream: {error}") from error
        _expect(path, layout, image.shape == (32, 32, 3))
        images[place] = image
    return LabeledImages(images, labels[rows], tuple(classes.tolist()))


def read_faces(path: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads the ORL faces: ten shots of each of forty people.

    Args:
      path: `orl_faces.npz`.
      choose: which of the 400.

    Returns:
      [N, 112, 92] images; a class is a person, numbered from 1.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    layout = "images [400, 112, 92] uint8 and subject [400], numbered 1 to 40"
    images, subjects = _read(path, ("images", "subject"), layout)
    _expect(path, layout, images.dtype == np.uint8 and images.shape[1:] == (112, 92))
    labels = _labels(path, layout, [subjects.astype(np.int32) - 1], classes=40)
    _expect(path, layout, len(images) == len(labels))
    rows = choose(len(labels))
    return LabeledImages(images[rows], labels[rows], tuple(str(i) for i in range(1, 41)))


def read_omniglot(path: Path) -> Omniglot:
    """Reads the two small background sets of Omniglot and the official one-shot runs.

    Args:
      path: `omniglot.npz`.

    Returns:
      The characters, and 20 runs of 20 characters of one alphabet each.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    layout = (
        "ink of 105 x 105 pixels by np.packbits: images_packed [N, 1379] with character, alphabet, "
        "drawer and small_set [N], alphabet_names, oneshot_train_packed and oneshot_test_packed "
        "[runs, characters, 1379], oneshot_answer [runs, characters]"
    )
    packed = ("images_packed", "oneshot_train_packed", "oneshot_test_packed")
    numbers = ("alphabet", "character", "drawer", "small_set", "oneshot_answer")
    arrays = _read(path, (*packed, *numbers, "alphabet_names"), layout)
    pictures, (*told, answers, names) = arrays[:3], arrays[3:]
    for part, sides in zip(pictures, (2, 3, 3), strict=True):
        _expect(path, layout, part.dtype == np.uint8 and part.ndim == sides)
        _expect(path, layout, part.shape[-1] == -(-(105**2) // 8))
    images, train, test = (
        255 * np.unpackbits(part, axis=-1, count=105**2).reshape(*part.shape[:-1], 105, 105)
        for part in pictures
    )
    _expect(path, layout, all(array.shape == (len(images),) for array in told))
    _expect(path, layout, names.ndim == 1 and names.dtype.kind == "U")
    _expect(path, layout, answers.shape == test.shape[:2] and len(train) == len(test))
    alphabets = _labels(path, layout, told[:1], classes=len(names))
    characters, drawers, small_sets = (
        _labels(path, layout, [array], classes=1 << 31) for array in told[1:]
    )
    right = _labels(path, layout, [answers.ravel()], classes=train.shape[1])
    # Two alphabets belong to both sets and are numbered by the first.
    shared = np.isin(np.array(names), ("Greek", "Latin"))[alphabets]
    return Omniglot(
        images,
        characters,
        alphabets,
        drawers,
        (small_sets == 1, (small_sets == 2) | shared),
        tuple(names.tolist()),
        train,
        test,
        right.reshape(answers.shape),
    )


def _read(path: Path, names: tuple[str, ...], layout: str) -> list[np.ndarray]:
    if not path.is_file():
        raise InputError(
            f"{path}: no such file. It is expected there as a NumPy archive of {layout}; "
            "--data-dir or JAXEMB_DATA names the folder"
        )
    try:
        # Opened here: of a damaged archive NumPy leaves its own file open.
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            held = getattr(archive, "files", [])  # a lone array has none
            if not set(names) <= set(held):
                missing = next(name for name in names if name not in held)
                raise InputError(
                    f"{path}: has no array {missing!r}, only {held[:10]}; expected are {layout}"
                )
            return [archive[name] for name in names]
    except InputError:
        raise
    except (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path}: cannot be read as a NumPy archive: {error}. Is it truncated?"
        ) from error


def _labels(path: Path, layout: str, parts: list[np.ndarray], classes: int) -> np.ndarray:
    _expect(path, layout, all(part.ndim == 1 and part.dtype.kind in "iu" for part in parts))
    labels = np.concatenate(parts)
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        raise InputError(
            f"{path}: {bad.size} labels are outside the {classes} classes, the first that of image "
            f"{bad[0]}; expected are {layout}"
        )
    return labels.astype(np.int32)


def _expect(path: Path, layout: str, holds: bool | np.bool_) -> None:
    if not holds:
        raise InputError(f"{path}: arrays of other shapes or kinds than expected: {layout}")
