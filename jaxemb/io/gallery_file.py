"""Files of galleries: NumPy's .npz, never pickled, with a checksum of each array.

The encoder is within, so that a file is all that is needed to know who a picture shows.
"""

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.evaluation.gallery import Gallery
from jaxemb.io import saved_fit

# Axes and kind of number of each array: vectors, the individual of each, and JSON of the rest.
_LAYOUT = {"vectors": (2, "f"), "owners": (1, "i"), "about": (0, "U")}
# What the names of the encoder's arrays begin with.
_ENCODER = "encoder "


def write(path: Path, gallery: Gallery) -> None:
    """Writes a gallery; the old file stays until the new one is whole.

    Args:
      path: The file; its name ends in .npz.
      gallery: Empty or not.

    Raises:
      InputError: if the name ends otherwise, or the encoder is made of what cannot be written.
      OSError: if the file cannot be written.
    """
    _check_ending(path)
    names = gallery.names
    tables = [gallery.vectors(name) for name in names]
    encoder, arrays = saved_fit.pack(gallery.encoder)
    # JSON, since NumPy's strings drop a NUL at the end.
    about = json.dumps(
        {
            "names": names,
            "width": gallery.width,
            "threshold": gallery.threshold,
            "metric": gallery.metric,
            "threshold_from": gallery.threshold_from,
            "encoder": encoder,
        }
    )
    found: dict[str, Any] = {_ENCODER + name: array for name, array in arrays.items()}
    found["vectors"] = np.concatenate([np.empty((0, gallery.width), np.float32), *tables])
    found["owners"] = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    found["about"] = np.array(about)
    with replacing(path) as part, part.open("wb") as file:
        np.savez(file, **found)


def read(path: Path, *, classes: Iterable[type] = ()) -> Gallery:
    """Reads a gallery.

    Args:
      path: The file.
      classes: those of your own that the encoder is made of.

    Returns:
      One that finds the same as the one written.

    Raises:
      InputError: if it is no such file, or damaged.
      OSError: if the file cannot be read.
    """
    _check_ending(path)
    path.open("rb").close()  # a missing file is an OSError; below, errors are about the content
    try:
        gallery, encoder, arrays = _read(path)
    except MemoryError:
        raise
    except Exception as error:  # NumPy and zipfile raise a dozen kinds of error on damaged bytes
        raise InputError(
            f"{path}: cannot be read as a gallery: {error!s:.200}. Is it another file, or was its "
            "writing or copying interrupted?"
        ) from error
    try:
        gallery.encoder = saved_fit.unpack(path, encoder, arrays, classes=classes)
    except (AttributeError, TypeError, ValueError) as error:
        if isinstance(error, InputError):  # tells what it is of
            raise
        raise InputError(f"{path}: the encoder in it is damaged: {error!s:.200}") from error
    return gallery


def _read(path: Path) -> tuple[Gallery, Any, dict[str, np.ndarray]]:
    """Returns the gallery, and its encoder as `saved_fit.pack` has it."""
    with zipfile.ZipFile(path) as archive:
        # Before NumPy allocates what a damaged header claims.
        if damaged := archive.testzip():
            raise ValueError(f"the checksum of {damaged} is wrong")
    with np.load(path, allow_pickle=False) as arrays:
        for name, layout in _LAYOUT.items():
            array = arrays[name]
            if (array.ndim, array.dtype.kind) != layout:
                raise ValueError(f"array {name!r} is {array.dtype} {list(array.shape)}")
        vectors, owners = arrays["vectors"], arrays["owners"]
        about = json.loads(str(arrays["about"]))
        of_encoder = {
            name.removeprefix(_ENCODER): arrays[name]
            for name in arrays.files
            if name.startswith(_ENCODER)
        }
    gallery = Gallery(
        width=about["width"],
        threshold=about["threshold"],
        metric=about["metric"],
        # Earlier files have neither this nor an encoder.
        threshold_from=about.get("threshold_from", ""),
    )
    if not (isinstance(about["names"], list) and gallery.threshold >= 0):
        raise ValueError("names or threshold are none")
    if len(owners) != len(vectors):
        raise ValueError(f"there are {len(vectors)} vectors but {len(owners)} owners")
    if not np.isin(owners, np.arange(len(about["names"]))).all():
        raise ValueError("some vectors belong to nobody")
    for owner, name in enumerate(about["names"]):
        gallery.enroll(name, vectors[owners == owner])
    return gallery, about.get("encoder"), of_encoder


def _check_ending(path: Path) -> None:
    if path.suffix != ".npz":
        raise InputError(f"{path}: a gallery's name must end in .npz")
