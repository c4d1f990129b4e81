"""Files of galleries: NumPy's .npz, never pickled, with a checksum of each array."""

import json
import zipfile
from pathlib import Path

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.evaluation.gallery import Gallery

# Axes and kind of number of each array: vectors, the individual of each, and JSON of the rest.
_LAYOUT = {"vectors": (2, "f"), "owners": (1, "i"), "about": (0, "U")}


def write(path: Path, gallery: Gallery) -> None:
    """Writes a gallery; the old file stays until the new one is whole.

    Args:
      path: The file; its name ends in .npz.
      gallery: Empty or not.

    Raises:
      InputError: if the name ends otherwise.
      OSError: if the file cannot be written.
    """
    _check_ending(path)
    names = gallery.names
    tables = [gallery.vectors(name) for name in names]
    # JSON, since NumPy's strings drop a NUL at the end.
    about = json.dumps(
        {
            "names": names,
            "width": gallery.width,
            "threshold": gallery.threshold,
            "metric": gallery.metric,
        }
    )
    with replacing(path) as part, part.open("wb") as file:
        np.savez(
            file,
            vectors=np.concatenate([np.empty((0, gallery.width), np.float32), *tables]),
            owners=np.repeat(np.arange(len(tables)), [len(table) for table in tables]),
            about=np.array(about),
        )


def read(path: Path) -> Gallery:
    """Reads a gallery.

    Args:
      path: The file.

    Returns:
      One that finds the same as the one written.

    Raises:
      InputError: if it is no such file, or damaged.
      OSError: if the file cannot be read.
    """
    _check_ending(path)
    path.open("rb").close()  # a missing file is an OSError; below, errors are about the content
    try:
        return _read(path)
    except MemoryError:
        raise
    except Exception as error:  # NumPy and zipfile raise a dozen kinds of error on damaged bytes
        raise InputError(
            f"{path}: cannot be read as a gallery: {error!s:.200}. Is it another file, or was its "
            "writing or copying interrupted?"
        ) from error


def _read(path: Path) -> Gallery:
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
    gallery = Gallery(width=about["width"], threshold=about["threshold"], metric=about["metric"])
    if len(owners) != len(vectors):
        raise ValueError(f"there are {len(vectors)} vectors but {len(owners)} owners")
    if not np.isin(owners, np.arange(len(about["names"]))).all():
        raise ValueError("some vectors belong to nobody")
    for owner, name in enumerate(about["names"]):
        gallery.enroll(name, vectors[owners == owner])
    return gallery


def _check_ending(path: Path) -> None:
    if path.suffix != ".npz":
        raise InputError(f"{path}: a gallery's name must end in .npz")
