"""Pictures of one's own to learn from: which they are, and which of them training never sees."""

import dataclasses
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import tyro

from jaxemb import checks
from jaxemb.data import pictures
from jaxemb.data.points import Points
from jaxemb.data.sets import IMAGES
from jaxemb.data.table_text import Layout
from jaxemb.errors import InputError
from jaxemb.io.points import load

# Pictures are brought to no more pixels a side than these, unless asked for.
SIDE = 64
# Classes below which pictures of each are held out, and no class.
FEWEST = 4
# Classes that must be left to train on where others give the threshold.
LEFT = 4


@dataclasses.dataclass(frozen=True)
class PictureFlags:
    """Which pictures; an experiment has these flags as its field `pictures`."""

    data: Annotated[str, tyro.conf.arg(metavar="FOLDER|FILE|NAME")] = "digits"
    """A folder of pictures, whose subfolders are the classes or individuals; a .npz or .npy of
    images; or digits, mnist, cifar10, faces."""
    labels: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A label for each picture of --data: .npy, text with one a line, or a table."""
    array: str = ""
    """Which array of a .npz holds the pictures."""
    image_side: int = 0
    """Pixels of both sides that pictures are brought to; 0: their shortest side, at most 64."""
    n: int = 0
    """Pictures used, a random subset; 0 for all."""

    def __post_init__(self):
        """Refuses values that no pictures can have.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "n", at_least=0)
        if self.image_side:
            checks.check_field(self, "image_side", at_least=8, at_most=512)


class Pictures(NamedTuple):
    """Pictures and whom or what they show.

    Attributes:
      images: [N, S, S] or [N, S, S, 3] uint8.
      labels: [N] int32, positions in `classes`.
      classes: names.
      sha256: of what was read.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    sha256: dict[str, str]


class Parts(NamedTuple):
    """Rows of pictures, and what they are, in words.

    Attributes:
      train: rows to train on.
      validation: rows that choose the threshold.
      test: rows to judge on.
      told: what training never sees.
      chosen_on: whose pictures choose the threshold.
      strangers: whether these are of classes that training never sees either.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    told: str
    chosen_on: str
    strangers: bool = False


def read(flags: PictureFlags, *, data_dir: Path, seed: int) -> Pictures:
    """Reads pictures and their classes, and brings them to one size.

    Raises:
      InputError: if something is missing, damaged, or there are no labels.
    """
    found = load_pictures(flags, data_dir=data_dir, seed=seed)
    if found.labels is None or found.images is None:
        raise InputError(
            f"{flags.data}: whom or what does each picture show? Put those of each class into a "
            "subfolder of its name, or give `labels`"
        )
    return Pictures(found.images, found.labels, found.classes, found.sha256)


def load_pictures(flags: PictureFlags, *, data_dir: Path, seed: int) -> Points:
    """Reads pictures, with labels or without, and brings them to one size.

    Returns:
      With `images` [N, S, S] or [N, S, S, 3] uint8; of a folder, with the files as `names`.

    Raises:
      InputError: if something is missing or damaged, or there are no pictures.
    """
    path, side = Path(flags.data), flags.image_side
    if not side and path.is_dir() and flags.data not in IMAGES:
        side = pictures.find_side(pictures.find_pictures(path), most=SIDE)
    found = load(
        flags.data,
        labels=flags.labels,
        layout=Layout(array=flags.array, image_side=side),
        n=flags.n,
        seed=seed,
        data_dir=data_dir,
    )
    if found.images is None:
        raise InputError(
            f"{path}: expected a folder of pictures, or images [N, H, W] or [N, H, W, 3], found a "
            "table of numbers"
        )
    side = side or min(SIDE, *found.images.shape[1:3])
    images = pictures.fit_pictures(found.images, side=side)
    if path.is_dir() and flags.data not in IMAGES:
        files = pictures.find_pictures(path)
        rows = range(len(files)) if found.rows is None else found.rows
        found = found._replace(names=[str(files[row].relative_to(path)) for row in rows])
    return found._replace(images=images)


def part(pictures: Pictures, *, held_out: float, seed: int) -> Parts:
    """Chooses what training never sees: classes, or of fewer than four pictures of each.

    Args:
      pictures: all.
      held_out: share of the classes, in (0, 0.5].
      seed: of the choice.

    Returns:
      The parts; of classes with one picture, no pair of which is of one individual, none.

    Raises:
      InputError: if there is one class, or too few pictures of them.
    """
    labels, rng = pictures.labels, np.random.default_rng(seed)
    counts = np.bincount(labels, minlength=len(pictures.classes))
    classes = np.flatnonzero(counts > 1)
    if single := int((counts == 1).sum()):
        print(f"{single:,} of {np.count_nonzero(counts):,} classes have one picture: left out")
    if len(classes) < 2:
        raise InputError(
            f"two classes or more are needed, with two pictures or more each, found {len(classes)} "
            f"in {len(labels):,} pictures of {np.count_nonzero(counts):,} classes; the subfolders "
            "of a folder are the classes"
        )

    def of(chosen: np.ndarray) -> np.ndarray:
        return np.flatnonzero(np.isin(labels, chosen))

    if len(classes) < FEWEST:
        return _part_each(pictures, classes, held_out, rng)
    order = rng.permutation(classes)
    test, rest = np.split(order, [max(2, round(held_out * len(order)))])
    # To train on a few more is worth more than a threshold.
    others = max(2, round(held_out * len(rest)))
    validation, train = np.split(rest, [others if len(rest) - others >= LEFT else 0])
    names = [pictures.classes[one] for one in np.sort(test)]
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    told = f"{len(test):,} of {len(classes):,} classes ({shown})"
    if len(validation):
        chosen_on = f"{len(validation)} other classes"
        return Parts(of(train), of(validation), of(test), told, chosen_on, strangers=True)
    return Parts(of(train), of(train), of(test), told, "the classes trained on")


def _part_each(
    pictures: Pictures, classes: np.ndarray, held_out: float, rng: np.random.Generator
) -> Parts:
    """Holds out pictures of each class."""
    train, test = [], []
    for one in classes:
        rows = rng.permutation(np.flatnonzero(pictures.labels == one))
        if len(rows) < 4:
            raise InputError(
                f"{len(classes)} classes are too few to hold one out, for which {FEWEST} are "
                f"needed, and {pictures.classes[one]!r} has too few pictures to hold some out: 4 "
                f"are needed, found {len(rows)}"
            )
        first = max(2, min(len(rows) - 2, round(held_out * len(rows))))
        test.append(rows[:first])
        train.append(rows[first:])
    rows = np.sort(np.concatenate(train))
    told = f"a part of the pictures of each class, for {len(classes)} classes are too few"
    return Parts(rows, rows, np.sort(np.concatenate(test)), told, "the pictures trained on")
