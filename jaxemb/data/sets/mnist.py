"""MNIST: handwritten digits."""

from pathlib import Path

import numpy as np

from jaxemb.data.images import Choose, LabeledImages, expect, read_arrays, read_labels

FILE = "mnist.npz"


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
    arrays = read_arrays(path, ("x_train", "x_test", "y_train", "y_test"), layout)
    for images in arrays[:2]:
        expect(path, layout, images.dtype == np.uint8 and images.shape[1:] == (28, 28))
    labels = read_labels(path, layout, arrays[2:], classes=10)
    expect(path, layout, [len(x) for x in arrays[:2]] == [len(y) for y in arrays[2:]])
    rows = choose(len(labels))
    images = np.concatenate(arrays[:2])[rows]
    return LabeledImages(images, labels[rows], tuple("0123456789"), (path,))
