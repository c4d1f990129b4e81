"""Pictures in files, as the encoder of a fit or of a gallery takes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxemb.data import pictures
from jaxemb.errors import InputError
from jaxemb.models.encoders import PictureEncoder

# Pictures embedded at a time.
AT_A_TIME = 256


def encoder_of(model: Any, place: Path) -> PictureEncoder:
    """Returns the encoder of a model of `matching` or `classifier`.

    Args:
      model: the model.
      place: where it is from, for messages.

    Raises:
      InputError: if it takes something else than pictures of files.
    """
    module = getattr(model, "module", model)
    if not isinstance(module, PictureEncoder):
        found = type(module).__name__
        raise InputError(
            f"{place}: holds a {found}, which does not say what pictures it takes; a run of "
            "`jaxemb matching` does, and in Python an encoder within "
            "jaxemb.models.encoders.PictureEncoder(encoder, side=...)"
        )
    return module


def list_files(paths: Sequence[Path]) -> list[Path]:
    """Lists files, and in the place of a folder the pictures in it, in sorted order.

    Raises:
      InputError: if a path is missing, or a folder holds no pictures.
    """
    files = []
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        files += pictures.find_pictures(path) if path.is_dir() else [path]
    return files


def read_for(encoder: PictureEncoder, files: Sequence[Path]) -> np.ndarray:
    """Reads pictures of any size and kind as an encoder takes them, and says what was changed.

    Returns:
      [N, H, W] or [N, H, W, 3] uint8.

    Raises:
      InputError: if a file is damaged, no picture, or of one color all over.
    """
    images = pictures.read_pictures(list(files), side=encoder.side, color=encoder.color)
    for file, image in zip(files, images, strict=True):
        if (image == image[0, 0]).all():
            raise InputError(f"{file}: is of one color all over, so that it shows nobody")
    return images
