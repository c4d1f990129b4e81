"""The ORL faces: ten shots of each of forty people."""

from pathlib import Path

import numpy as np

from jaxemb.data.images import Choose, LabeledImages, expect, read_arrays, read_labels

FILE = "orl_faces.npz"


def read(data_dir: Path, choose: Choose = np.arange) -> LabeledImages:
    """Reads the photographs, person by person.

    Args:
      data_dir: folder of the data sets.
      choose: which of the 400.

    Returns:
      [N, 112, 92] images; a class is a person, numbered from 1.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    path = data_dir / FILE
    layout = "images [400, 112, 92] uint8 and subject [400], numbered 1 to 40"
    images, subjects = read_arrays(path, ("images", "subject"), layout)
    expect(path, layout, images.dtype == np.uint8 and images.shape[1:] == (112, 92))
    labels = read_labels(path, layout, [subjects.astype(np.int32) - 1], classes=40)
    expect(path, layout, len(images) == len(labels))
    rows = choose(len(labels))
    return LabeledImages(images[rows], labels[rows], tuple(str(i) for i in range(1, 41)), (path,))
