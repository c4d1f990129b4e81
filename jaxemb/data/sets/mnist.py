"""MNIST: handwritten digits."""

import io
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.data.archives import Member, read_members
from jaxemb.data.images import Choose, LabeledImages, expect, read_arrays, read_labels
from jaxemb.data.prepare import Download, NamedSet
from jaxemb.errors import InputError

FILE = "mnist.npz"

# The four files of Yann LeCun's, or the arrays of Keras' archive.
_SOURCES = re.compile(
    r"(?:^|/)(?P<split>train|t10k)-(?P<kind>images|labels)[-.]idx[13]-ubyte$"
    r"|mnist[^/]*\.npz/(?P<array>[xy]_(?:train|test))\.npy$"
)


def read(data_dir: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads the training images, then the test images.

    Args:
      data_dir: folder of the data sets.
      choose: which of the 70,000.

    Returns:
      [N, 28, 28] images, white ink on black.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    path = data_dir / FILE
    layout = "x_train [60000, 28, 28] and x_test, uint8, with their digits y_train and y_test"
    names = ("x_train", "x_test", "y_train", "y_test")
    arrays = read_arrays(path, names, layout, data_set="mnist")
    for images in arrays[:2]:
        expect(path, layout, images.dtype == np.uint8 and images.shape[1:] == (28, 28))
    labels = read_labels(path, layout, arrays[2:], classes=10)
    expect(path, layout, [len(x) for x in arrays[:2]] == [len(y) for y in arrays[2:]])
    rows = choose(len(labels))
    images = np.concatenate(arrays[:2])[rows]
    return LabeledImages(images, labels[rows], tuple("0123456789"), (path,))


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes the archive that `read` reads, from the four original files or from Keras' archive.

    Args:
      paths: what was fetched.
      folder: where the archive goes.

    Raises:
      InputError: if a file is damaged; what is missing, `read` tells.
    """
    arrays = {}
    for member in read_members(paths, _SOURCES):
        if name := member.found["array"]:
            arrays[name] = _array(member)
        else:
            axis = {"images": "x", "labels": "y"}[member.found["kind"]]
            split = {"train": "train", "t10k": "test"}[member.found["split"]]
            arrays[f"{axis}_{split}"] = _idx(member)
    np.savez_compressed(folder / FILE, allow_pickle=False, **arrays)


def _array(member: Member) -> np.ndarray:
    try:
        return np.load(io.BytesIO(member.data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{member.name}: is no array: {error}") from error


def _idx(member: Member) -> np.ndarray:
    """Reads LeCun's format: two NUL bytes, 8 for uint8, the number of axes, their lengths."""
    data = member.data
    axes = data[3] if data[:3] == b"\0\0\x08" and len(data) > 3 else 0
    start = 4 + 4 * axes
    shape = np.frombuffer(data[4:start], ">u4").tolist() if len(data) >= start else []
    if not shape or math.prod(shape) != len(data) - start:
        raise InputError(f"{member.name}: is no array of bytes in the IDX format, or is truncated")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


SOURCE = NamedSet(
    name="mnist",
    what="70,000 handwritten digits",
    license="CC BY-SA 3.0",
    source="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    megabytes=11,
    files=(FILE,),
    convert=convert,
    check=lambda folder: read(folder, lambda size: np.arange(0)),
    # As in keras.datasets.mnist.
    downloads=(
        Download(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        ),
    ),
)
