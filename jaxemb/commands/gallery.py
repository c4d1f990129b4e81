"""A gallery of pictures: enrolls individuals, and says whom other pictures show.

Nothing is trained: an encoder of `jaxemb matching` tells those apart that it never saw.
"""

import contextlib
import dataclasses
import fcntl
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from jaxemb import checks, io
from jaxemb.commands.picture_files import AT_A_TIME, encoder_of, list_files, read_for
from jaxemb.data import pictures
from jaxemb.errors import InputError
from jaxemb.evaluation.gallery import Gallery
from jaxemb.evaluation.identification import nearest_others, threshold_below
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.io import gallery_file
from jaxemb.methods import matching

UNKNOWN = "unknown"
"""What `look-up` calls whom nobody of the gallery is near enough to."""
STRANGERS = 0.05
"""The share of pictures that may be taken for another individual where those enrolled choose."""
CHOSEN = f"takes at most {STRANGERS:.0%} of the pictures enrolled for another individual"
COLUMNS = ("picture", "name", "distance", "nearest", "next", "next_distance")
"""What `look-up` prints of each picture, with tabs between."""


@dataclasses.dataclass(frozen=True)
class Build:
    """Enrolls the individuals of a folder, a subfolder of pictures for each, named after it."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")]
    encoder: Path
    """The folder of a run of `jaxemb matching`, or of jaxemb.io.save."""
    out: Path = Path("gallery.npz")
    """The file to write; it holds the encoder, too."""
    threshold: float | None = None
    """Squared distance beyond which a picture is nobody's; None takes that of the run, or chooses
    one by those enrolled; inf calls nobody unknown."""
    overwrite: bool = False
    """Replace a file that is there."""

    def __post_init__(self):
        """Refuses values that no gallery can have.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        if self.threshold is not None:
            checks.check_field(self, "threshold", at_least=0)


@dataclasses.dataclass(frozen=True)
class LookUp:
    """Prints a line for each picture: whom it shows, or unknown, how far, and who is next."""

    pictures: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="PICTURE")]
    """Files, and folders of them."""
    gallery: Path = Path("gallery.npz")
    """The file of the gallery."""


@dataclasses.dataclass(frozen=True)
class Add:
    """Enrolls further individuals, as build does; a folder without subfolders is one of them."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")]
    gallery: Path = Path("gallery.npz")
    """The file of the gallery."""


@dataclasses.dataclass(frozen=True)
class Remove:
    """Forgets individuals."""

    names: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NAME")]
    gallery: Path = Path("gallery.npz")
    """The file of the gallery."""


@dataclasses.dataclass(frozen=True)
class List:
    """Prints who is enrolled, with how many pictures, and where the threshold is from."""

    gallery: Path = Path("gallery.npz")
    """The file of the gallery."""


@dataclasses.dataclass(frozen=True)
class Config:
    """Enrolls individuals by their pictures, and says whom other pictures show."""

    action: tyro.conf.OmitSubcommandPrefixes[Build | LookUp | Add | Remove | List]


def run(config: Config) -> None:
    """Does what is asked for."""
    match config.action:
        case Build() as action:
            build(action)
        case LookUp() as action:
            look_up(action)
        case Add() as action:
            add(action)
        case Remove() as action:
            remove(action)
        case List() as action:
            list_names(gallery_file.read(action.gallery))


def build(action: Build) -> None:
    """Makes a gallery of a folder."""
    if action.out.exists() and not action.overwrite:
        raise InputError(
            f"{action.out} is there already; `jaxemb gallery add` enrolls into it, --overwrite "
            "replaces it"
        )
    if not action.out.absolute().parent.is_dir():
        raise InputError(f"{action.out.parent}: no such folder; out must lie in one that is there")
    fitted = io.load(action.encoder)
    if not isinstance(fitted, matching.Fitted):
        raise InputError(
            f"{action.encoder}: must hold a fit of jaxemb.matching, found a "
            f"{type(fitted).__name__} of {type(fitted).__module__}"
        )
    encoder_of(fitted.model, action.encoder)
    threshold, why = action.threshold, "as asked for"
    if threshold is None:
        threshold, why = fitted.threshold, fitted.threshold_from
    people = read_people(fitted.model, action.folder, "")
    if threshold is None:
        threshold, why = choose_threshold(people), CHOSEN
    width = next(iter(people.values())).shape[1]
    gallery = Gallery(width=width, threshold=threshold, encoder=fitted.model, threshold_from=why)
    enroll(gallery, people)
    gallery_file.write(action.out, gallery)
    tell(action.out, gallery)


def choose_threshold(people: Mapping[str, np.ndarray]) -> float:
    """Returns the distance that takes few pictures of one individual for another.

    Raises:
      InputError: if there is one individual.
    """
    if len(people) < 2:
        raise InputError(
            "threshold must be given for one individual where the run has none: the squared "
            "distance beyond which a picture is nobody's, from 0 to 4; inf calls nobody unknown"
        )
    vectors = np.concatenate(list(people.values()))
    names = np.repeat(list(people), [len(rows) for rows in people.values()])
    return threshold_below(nearest_others(vectors, names, vectors, names), STRANGERS)


def add(action: Add) -> None:
    """Enrolls further individuals."""
    encoder = open_gallery(action.gallery).encoder
    people = read_people(encoder, action.folder, action.folder.resolve().name)
    with locked(action.gallery):
        gallery = open_gallery(action.gallery)
        enroll(gallery, people)
        gallery_file.write(action.gallery, gallery)
    tell(action.gallery, gallery)


def remove(action: Remove) -> None:
    """Forgets individuals, all that are named or none."""
    if not action.names:
        raise InputError("names must be one or more of those that `jaxemb gallery list` lists")
    with locked(action.gallery):
        gallery = gallery_file.read(action.gallery)
        for name in action.names:
            gallery.remove(unicodedata.normalize("NFC", name))
        gallery_file.write(action.gallery, gallery)
    print(f"wrote {action.gallery}: {len(gallery.names):,} individuals")


def look_up(action: LookUp) -> None:
    """Prints whom each picture shows."""
    if not action.pictures:
        raise InputError("pictures must be one file or folder, or more")
    gallery = open_gallery(action.gallery)
    files = list_files(action.pictures)
    vectors = embed(gallery.encoder, files)
    found = gallery.nearest(vectors, min(2, len(gallery.names)))
    print("\t".join(COLUMNS))
    for file, (first, *others) in zip(files, found, strict=True):
        cells = [str(file), first.name or UNKNOWN, f"{first.distance:.4f}", first.nearest]
        cells += [others[0].nearest, f"{others[0].distance:.4f}"] if others else ["", ""]
        print("\t".join(map(in_a_cell, cells)))


def in_a_cell(text: str) -> str:
    """Returns a text without what would be read as the end of a cell or a line."""
    return text.translate({9: " ", 10: " ", 13: " "})


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps others who change a gallery waiting.

    Raises:
      OSError: if the file is missing or must not be read.
    """
    while True:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever was before may have replaced it.
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                yield
                return


def enroll(gallery: Gallery, people: Mapping[str, np.ndarray]) -> None:
    """Enrolls individuals, all or none.

    Raises:
      InputError: naming those that are enrolled already.
    """
    if there := [name for name in people if name in gallery.names]:
        raise InputError(
            f"{', '.join(there):.200}: enrolled already. `jaxemb gallery remove` forgets them "
            "first; two individuals need two names"
        )
    for name, vectors in people.items():
        gallery.enroll(name, vectors)


def tell(path: Path, gallery: Gallery) -> None:
    """Prints what was written, and how well the gallery knows its own pictures."""
    tables = [gallery.vectors(name) for name in gallery.names]
    count = sum(map(len, tables))
    print(
        f"wrote {path}: {len(tables):,} individuals, {count:,} pictures; farther than "
        f"{gallery.threshold:.4g} is unknown ({gallery.threshold_from})"
    )
    # One picture of somebody has no other to be found by.
    several = [table for table in tables if len(table) > 1]
    if several and len(tables) > 1:
        labels = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        right = retrieval(np.concatenate(tables), labels, ks=(1,)).recall[1]
        print(f"of pictures looked up among the others, {right:.1%} find their own individual")


def list_names(gallery: Gallery) -> None:
    """Prints who is enrolled."""
    for name in gallery.names:
        print(f"{in_a_cell(name)}\t{len(gallery.vectors(name))}")
    told = f", {gallery.threshold_from}" if gallery.threshold_from else ""
    print(f"{len(gallery.names):,} individuals; threshold {gallery.threshold:.4g}{told}")


def open_gallery(path: Path) -> Gallery:
    """Reads a gallery that has an encoder of pictures.

    Raises:
      InputError: if it has another or none.
    """
    gallery = gallery_file.read(path)
    if gallery.encoder is None:
        raise InputError(
            f"{path}: holds vectors alone, without the encoder that made them; `jaxemb gallery "
            "build` writes both"
        )
    encoder_of(gallery.encoder, path)
    return gallery


def read_people(model: matching.Model, folder: Path, alone: str) -> dict[str, np.ndarray]:
    """Embeds the pictures of each individual of a folder.

    Args:
      model: the encoder.
      folder: of a subfolder for each.
      alone: the name of whom pictures without subfolders show; "" refuses these.

    Returns:
      [K, D] vectors by name, in the order of the names.

    Raises:
      InputError: if a picture is damaged or shows nothing, or two subfolders have one name.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    files = pictures.find_pictures(folder)
    owners = pictures.subfolders(folder, files)
    if owners is None:
        if not alone:
            raise InputError(
                f"{folder}: its pictures are in no subfolders; put those of each individual into a "
                "subfolder of its name"
            )
        owners = [alone] * len(files)
    # File systems differ in how they write letters with accents.
    names = np.array([unicodedata.normalize("NFC", owner) for owner in owners])
    for name in np.unique(names):
        if any("\ud800" <= letter <= "\udfff" for letter in name):
            raise InputError(f"{folder}: the name {str(name)!r} is not UTF-8; give another")
        twice = {owner for owner in owners if unicodedata.normalize("NFC", owner) == name}
        if len(twice) > 1 or name == UNKNOWN:
            what = "is what strangers are called" if name == UNKNOWN else "is there twice"
            raise InputError(f"{folder}: the name {str(name)!r} {what}; give another")
    vectors = embed(model, files)
    return {str(name): vectors[names == name] for name in np.unique(names)}


def embed(model: matching.Model, files: Sequence[Path]) -> np.ndarray:
    """Embeds picture files, [N, D].

    Raises:
      InputError: naming a file that is damaged, or whose vector is like nobody's.
    """
    images = read_for(encoder_of(model, files[0].parent), files)
    vectors = matching.encode(model, images, at_a_time=AT_A_TIME)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1) | ~vectors.any(axis=1))
    if bad.size:
        raise InputError(f"{files[bad[0]]}: its vector is zero or not finite, so it is like nobody")
    return vectors
