"""CIFAR-10: small photographs of ten kinds of things."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from jaxemb.data.images import Choose, LabeledImages, expect, read_arrays, read_labels
from jaxemb.errors import InputError

FILE = "cifar10_jpeg.npz"


def read(data_dir: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads the training images, then the test images; they are stored as JPEG streams.

    Args:
      data_dir: folder of the data sets.
      choose: which of the 60,000; only these are decoded.

    Returns:
      [N, 32, 32, 3] images.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    path = data_dir / FILE
    layout = (
        "JPEG streams one after another in jpeg_train and jpeg_test, their ends in end_train and "
        "end_test, labels in y_train and y_test, names in classes"
    )
    names = ("jpeg_train", "jpeg_test", "end_train", "end_test", "y_train", "y_test", "classes")
    *arrays, classes = read_arrays(path, names, layout)
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
