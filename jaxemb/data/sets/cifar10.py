"""CIFAR-10: small photographs of ten kinds of things."""

import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from jaxemb.data.archives import read_members
from jaxemb.data.images import Choose, LabeledImages, expect, read_arrays, read_labels
from jaxemb.data.prepare import Download, NamedSet
from jaxemb.errors import InputError

FILE, JPEG_FILE = "cifar10.npz", "cifar10_jpeg.npz"

_SOURCES = re.compile(r"(?:^|/)(?:(data_batch_[1-5]|test_batch)(\.bin)?|batches\.meta\.txt)$")
_RECORD = 1 + 3 * 32 * 32


def read(data_dir: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads the training images, then the test images.

    Args:
      data_dir: folder of the data sets; the images are in cifar10.npz or, where that isn't, as
        JPEG streams in cifar10_jpeg.npz.
      choose: which of the 60,000; of JPEG streams only these are decoded.

    Returns:
      [N, 32, 32, 3] images.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    if not (data_dir / FILE).is_file() and (data_dir / JPEG_FILE).is_file():
        return _read_jpegs(data_dir / JPEG_FILE, choose)
    path = data_dir / FILE
    layout = (
        "x_train [50000, 32, 32, 3] and x_test, uint8, labels y_train and y_test, names in classes"
    )
    names = ("x_train", "x_test", "y_train", "y_test", "classes")
    *arrays, classes = read_arrays(path, names, layout, data_set="cifar10")
    for images in arrays[:2]:
        expect(path, layout, images.dtype == np.uint8 and images.shape[1:] == (32, 32, 3))
    expect(path, layout, classes.ndim == 1 and classes.dtype.kind == "U")
    labels = read_labels(path, layout, arrays[2:], classes=len(classes))
    expect(path, layout, [len(x) for x in arrays[:2]] == [len(y) for y in arrays[2:]])
    rows = choose(len(labels))
    images = np.concatenate(arrays[:2])[rows]
    return LabeledImages(images, labels[rows], tuple(classes.tolist()), (path,))


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes the archive that `read` reads, from the binary version, without loss.

    Args:
      paths: what was fetched.
      folder: where the archive goes.

    Raises:
      InputError: if a batch is missing or damaged.
    """
    batches: dict[str, np.ndarray] = {}
    names: list[str] = []
    for member in read_members(paths, _SOURCES, most=1 << 26):
        batch, binary = member.found.groups()
        if batch is None:
            names = member.data.decode("ascii", "replace").split()
        elif binary is None:
            raise InputError(
                f"{member.name}: is a pickle, which can hold programs and is never loaded. The "
                f"binary version has the same images: {SOURCE.source}"
            )
        elif len(member.data) % _RECORD:
            raise InputError(
                f"{member.name}: {len(member.data):,} bytes are no records of {_RECORD:,}, a label "
                "and 32 x 32 pixels in three colors. Is it truncated?"
            )
        else:
            batches[batch] = np.frombuffer(member.data, np.uint8).reshape(-1, _RECORD)
    wanted = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    absent = [f"{name}.bin" for name in wanted if name not in batches]
    if absent or not names:
        given = ", ".join(map(str, paths))
        raise InputError(f"{given}: {(*absent, 'batches.meta.txt')[0]} is missing")
    parts = {"train": np.concatenate([batches[name] for name in wanted[:-1]])}
    parts["test"] = batches[wanted[-1]]
    arrays = {f"y_{split}": records[:, 0] for split, records in parts.items()}
    for split, records in parts.items():
        colors_first = records[:, 1:].reshape(-1, 3, 32, 32)
        arrays[f"x_{split}"] = colors_first.transpose(0, 2, 3, 1)
    np.savez(folder / FILE, allow_pickle=False, classes=np.array(names), **arrays)


def _read_jpegs(path: Path, choose: Choose) -> LabeledImages:
    layout = (
        "JPEG streams one after another in jpeg_train and jpeg_test, their ends in end_train and "
        "end_test, labels in y_train and y_test, names in classes"
    )
    names = ("jpeg_train", "jpeg_test", "end_train", "end_test", "y_train", "y_test", "classes")
    *arrays, classes = read_arrays(path, names, layout, data_set="cifar10")
    streams, ends = arrays[:2], arrays[2:4]
    expect(path, layout, classes.ndim == 1 and classes.dtype.kind == "U")
    labels = read_labels(path, layout, arrays[4:], classes=len(classes))
    expect(path, layout, all(a.dtype == np.uint8 and a.ndim == 1 for a in streams))
    expect(path, layout, [e.shape for e in ends] == [y.shape for y in arrays[4:]])
    starts = []
    for stream, end in zip(streams, ends, strict=True):
        starts.append(np.concatenate([[0], end[:-1]]))
        expect(path, layout, bool((starts[-1] <= end).all()) and end[-1] <= len(stream))
    rows = choose(len(labels))
    images = np.empty((len(rows), 32, 32, 3), np.uint8)
    for place, row in enumerate(rows):
        part, at = (0, row) if row < len(ends[0]) else (1, row - len(ends[0]))
        jpeg = streams[part][starts[part][at] : ends[part][at]].tobytes()
        try:
            image = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
        except (OSError, ValueError, SyntaxError) as error:
            raise InputError(f"{path}: image {row} is no JPEG stream: {error}") from error
        expect(path, layout, image.shape == (32, 32, 3))
        images[place] = image
    return LabeledImages(images, labels[rows], tuple(classes.tolist()), (path,))


SOURCE = NamedSet(
    name="cifar10",
    what="60,000 small photographs of ten kinds of things",
    license="not stated",
    source="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    megabytes=170,
    files=(f"{FILE}|{JPEG_FILE}",),
    convert=convert,
    check=lambda folder: read(folder, lambda size: np.arange(0)),
    # As in TensorFlow Datasets.
    downloads=(
        Download(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
)
