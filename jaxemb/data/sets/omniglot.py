"""Omniglot: handwritten characters, and its official one-shot runs."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data.images import expect, read_arrays, read_labels

FILE = "omniglot.npz"


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


def read(data_dir: Path) -> Omniglot:
    """Reads the two small background sets of Omniglot and the official one-shot runs.

    Args:
      data_dir: folder of the data sets.

    Returns:
      The characters, and 20 runs of 20 characters of one alphabet each.

    Raises:
      InputError: if the file is missing, damaged or of another layout.
    """
    path = data_dir / FILE
    layout = (
        "ink of 105 x 105 pixels by np.packbits: images_packed [N, 1379] with character, alphabet, "
        "drawer and small_set [N], alphabet_names, oneshot_train_packed and oneshot_test_packed "
        "[runs, characters, 1379], oneshot_answer [runs, characters]"
    )
    packed = ("images_packed", "oneshot_train_packed", "oneshot_test_packed")
    numbers = ("alphabet", "character", "drawer", "small_set", "oneshot_answer")
    arrays = read_arrays(path, (*packed, *numbers, "alphabet_names"), layout)
    pictures, (*numbered, answers, names) = arrays[:3], arrays[3:]
    for part, sides in zip(pictures, (2, 3, 3), strict=True):
        expect(path, layout, part.dtype == np.uint8 and part.ndim == sides)
        expect(path, layout, part.shape[-1] == -(-(105**2) // 8))
    images, train, test = (
        255 * np.unpackbits(part, axis=-1, count=105**2).reshape(*part.shape[:-1], 105, 105)
        for part in pictures
    )
    expect(path, layout, all(array.shape == (len(images),) for array in numbered))
    expect(path, layout, names.ndim == 1 and names.dtype.kind == "U")
    expect(path, layout, answers.shape == test.shape[:2] and len(train) == len(test))
    alphabets = read_labels(path, layout, numbered[:1], classes=len(names))
    characters, drawers, small_sets = (
        read_labels(path, layout, [array], classes=1 << 31) for array in numbered[1:]
    )
    right = read_labels(path, layout, [answers.ravel()], classes=train.shape[1])
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
