"""Omniglot: handwritten characters, and its official one-shot runs."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data.archives import Member, read_members
from jaxemb.data.images import expect, read_arrays, read_labels, read_picture
from jaxemb.data.prepare import Download, NamedSet
from jaxemb.errors import InputError
from jaxemb.progress import progress_bar

FILE = "omniglot.npz"

_SOURCES = re.compile(
    r"images_background_small(?P<small>[12])(?:\.zip)?/(?:.*/)?(?P<alphabet>[^/]+)/character\d+/"
    r"(?P<character>\d{4})_(?P<drawer>\d\d)\.png$"
    r"|(?:^|/)run(?P<run>\d\d)/(?P<kind>training|test)/(?:class|item)(?P<place>\d\d)\.png$"
    r"|(?:^|/)run(?P<labels>\d\d)/class_labels\.txt$"
)


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
    arrays = read_arrays(path, (*packed, *numbers, "alphabet_names"), layout, data_set="omniglot")
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


def convert(paths: Sequence[Path], folder: Path) -> None:
    """Writes the archive that `read` reads, from the pictures of the authors' three archives.

    Args:
      paths: what was fetched.
      folder: where the archive goes.

    Raises:
      InputError: if a picture is missing or damaged.
    """
    characters: dict[tuple[str, int, int], tuple[np.ndarray, int]] = {}
    runs: dict[tuple[str, int, int], np.ndarray] = {}
    answers: dict[int, dict[int, int]] = {}
    members = read_members(paths, _SOURCES, most=1 << 20)
    for member in progress_bar(members, desc="reading pictures", unit="file", delay=2):
        part = member.found.groupdict()
        if part["alphabet"]:
            key = part["alphabet"], int(part["character"]), int(part["drawer"])
            small = int(part["small"])
            # What is in both sets counts to the first.
            if small == 1 or key not in characters:
                characters[key] = _pack(member), small
        elif part["kind"]:
            runs[part["kind"], int(part["run"]), int(part["place"])] = _pack(member)
        else:
            text = member.data.decode("ascii", "replace")
            pairs = re.findall(r"item(\d+)\.png\s+\S*class(\d+)\.png", text)
            answers[int(part["labels"])] = {int(item): int(one) for item, one in pairs}
    given = ", ".join(map(str, paths))
    for part_of in (1, 2):
        if not any(small == part_of for _, small in characters.values()):
            raise InputError(f"{given}: images_background_small{part_of}.zip is missing")
    places = range(1, 21)
    whole = [(kind, run, i) for kind in ("training", "test") for run in places for i in places]
    if not set(whole) <= runs.keys() or any(
        set(answers.get(run, {})) != set(places) for run in places
    ):
        raise InputError(
            f"{given}: the one-shot runs are missing or not whole: 20 runs of 20 pictures to learn "
            "from, 20 to be recognized, and class_labels.txt, of all_runs.zip"
        )
    names = sorted({alphabet for alphabet, _, _ in characters})
    ordered = sorted(characters, key=lambda one: (characters[one][1], *one))
    packed = np.stack([runs[one] for one in whole]).reshape(2, 20, 20, -1)
    np.savez_compressed(
        folder / FILE,
        images_packed=np.stack([characters[one][0] for one in ordered]),
        # As Omniglot numbers the characters of all its alphabets, from 0.
        character=np.array([character - 1 for _, character, _ in ordered], np.int16),
        alphabet=np.array([names.index(alphabet) for alphabet, _, _ in ordered], np.uint8),
        alphabet_names=np.array(names),
        drawer=np.array([drawer for _, _, drawer in ordered], np.uint8),
        small_set=np.array([characters[one][1] for one in ordered], np.uint8),
        oneshot_train_packed=packed[0],
        oneshot_test_packed=packed[1],
        oneshot_answer=np.array([[answers[run][i] - 1 for i in places] for run in places], np.int8),
    )


def _pack(member: Member) -> np.ndarray:
    """Reads black ink on white, 8 pixels a byte."""
    return np.packbits(read_picture(member, (105, 105)) < 128)


_RAW = "https://github.com/brendenlake/omniglot/raw/master/python/"
SOURCE = NamedSet(
    name="omniglot",
    what="handwritten characters of 8 alphabets, 20 one-shot runs of 10 others",
    license="MIT",
    source="images_background_small1.zip, images_background_small2.zip and "
    f"one-shot-classification/all_runs.zip of {_RAW}",
    megabytes=4,
    files=(FILE,),
    convert=convert,
    check=read,
    # As in TensorFlow Datasets, which leaves out the runs. Nobody publishes a checksum of those;
    # they come from their authors by HTTPS, each picture's own checksum and size are looked at,
    # and none of the 800 pictures and 400 answers may be missing.
    downloads=(
        Download(
            _RAW + "images_background_small1.zip",
            "sha256:f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
        ),
        Download(
            _RAW + "images_background_small2.zip",
            "sha256:3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
        ),
        Download(_RAW + "one-shot-classification/all_runs.zip", None),
    ),
)
