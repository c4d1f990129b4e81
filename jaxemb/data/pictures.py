"""Pictures of one's own: folders of files, and arrays."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from jaxemb.data.files import file_sha256
from jaxemb.errors import InputError
from jaxemb.memory import require_memory

ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"),
    *(".pgm", ".ppm", ".pnm"),
)
"""How the names of picture files end."""


def find_pictures(folder: Path) -> list[Path]:
    """Lists the picture files of a folder, at any depth, in sorted order.

    Raises:
      InputError: if there are none.
    """
    files = sorted(
        file
        for file in _below(folder)
        if file.suffix.lower() in ENDINGS
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not files:
        raise InputError(
            f"{folder}: the folder holds no pictures, files named {', '.join(ENDINGS)}"
        )
    return files


def _below(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yields the files of a folder at any depth, those of linked folders, too."""
    real = folder.resolve()
    # A link may lead back to where it is.
    if real in above:
        return
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _below(entry, above | {real})
        else:
            yield entry


def subfolders(folder: Path, files: list[Path]) -> list[str] | None:
    """Returns the subfolder that each file is in, its class; None if all are in the folder itself.

    Raises:
      InputError: if some are in subfolders and others aren't.
    """
    inside = [file.relative_to(folder).parts[:-1] for file in files]
    if not any(inside):
        return None
    if not all(inside):
        loose = files[inside.index(())]
        raise InputError(
            f"{folder}: {loose.name} is in none of the subfolders, which name the class of what is "
            "in them; put it into one, or all pictures into one folder"
        )
    return ["/".join(parts) for parts in inside]


def read_pictures(files: list[Path], *, side: int = 0, color: bool | None = None) -> np.ndarray:
    """Reads picture files.

    Args:
      files: N of them, in color, gray or black and white; turned as the camera says, what is
        transparent becomes white, and of moving pictures the first counts.
      side: pixels of both sides that pictures are brought to: scaled, and cut at the longer sides.
        0 leaves them as they are; all must then be of one size.
      color: False turns colors into gray, by their brightness, True gray into color. None leaves
        them gray if all are.

    Returns:
      [N, H, W] uint8 if gray, [N, H, W, 3] if in color.

    Raises:
      InputError: if a file is damaged or no picture, the sizes differ, or memory is short.
    """
    first = _read(files[0], side, color)
    height, width = first.shape[:2]
    require_memory(
        2 * len(files) * height * width * 3,
        f"{len(files):,} pictures of {width} x {height} pixels",
        "bring them to fewer pixels with image_side, or take fewer",
    )
    found = [first]
    for file in files[1:]:
        image = _read(file, side, color)
        if image.shape[:2] != (height, width):
            raise InputError(
                f"{file}: is {image.shape[1]} x {image.shape[0]} pixels, {files[0].name} "
                f"{width} x {height}; `image_side`, such as 64, brings all to one size"
            )
        found.append(image)
    if not color and all(image.ndim == 2 for image in found):
        return np.stack(found)
    return np.stack(
        [np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image for image in found]
    )


def as_pictures(path: Path, array: np.ndarray) -> np.ndarray:
    """Returns an array of pictures as they are drawn.

    Args:
      path: where it was read from, for messages.
      array: [N, H, W], [N, H, W, C] or [N, C, H, W], with 1, 3 or 4 channels C; whole numbers to
        255, or floats, of which the smallest is drawn black and the largest white.

    Returns:
      [N, H, W] or [N, H, W, 3] uint8.

    Raises:
      InputError: if the shape is none of these.
    """
    channels = (1, 3, 4)
    shape = array.shape
    if array.ndim == 4 and shape[-1] not in channels and shape[1] in channels:
        array = np.moveaxis(array, 1, -1)
    if array.ndim == 4 and array.shape[-1] in channels:
        array = array[..., 0] if array.shape[-1] == 1 else array[..., :3]
    elif array.ndim != 3:
        raise InputError(
            f"{path}: expected points [N, D], or pictures [N, H, W] or [N, H, W, 3], found "
            f"{list(shape)}"
        )
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    low, high = float(array.min()), float(array.max())
    if array.dtype.kind in "iu" and low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    scaled = (array.astype(np.float32) - low) * (255 / (high - low) if high > low else 0)
    return np.round(scaled).astype(np.uint8)


def files_sha256(folder: Path, files: list[Path]) -> str:
    """Returns one checksum of many files and their names, in hexadecimal."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(folder)} {file_sha256(file)}\n".encode())
    return digest.hexdigest()


def find_side(files: list[Path], *, most: int) -> int:
    """Returns the pixels of the shortest side among pictures, `most` if all have more.

    Raises:
      InputError: if a file is damaged or no picture.
    """
    side = most
    for file in files:
        try:
            with Image.open(file) as image:
                side = min(side, *image.size)
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
            raise InputError(f"{file}: cannot be read as a picture: {error}") from error
    return side


def fit_pictures(images: np.ndarray, *, side: int) -> np.ndarray:
    """Brings pictures to squares as `read_pictures` does, [N, H, W] or [N, H, W, 3] uint8."""
    if images.shape[1:3] == (side, side):
        return images
    return np.stack([np.asarray(_fit(Image.fromarray(image), side)) for image in images])


def _fit(image: Image.Image, side: int) -> Image.Image:
    return ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)


def _in_bytes(file: Path, image: Image.Image) -> np.ndarray:
    """Returns gray of 16 or 32 bits as uint8, which a conversion would cut off.

    Raises:
      InputError: if nothing tells what is white.
    """
    gray = np.asarray(image, np.float64)
    white = 65535 if image.mode.startswith("I;16") else 1
    if image.mode == "I":
        # PNG of 16 bits is read as 32.
        white = 65535 if image.format in ("PNG", "PPM") or gray.max() > 255 else 255
    if not (gray.min() >= 0 and gray.max() <= white):
        raise InputError(
            f"{file}: its gray is from {gray.min():g} to {gray.max():g}; expected 0 to {white}, "
            "black to white"
        )
    return np.round(gray * (255 / white)).astype(np.uint8)


def _read(file: Path, side: int, color: bool | None) -> np.ndarray:
    """Returns [H, W] or [H, W, 3] uint8."""
    try:
        with Image.open(file) as opened:
            image = ImageOps.exif_transpose(opened)
            if image.mode[0] in "IF":
                image = Image.fromarray(_in_bytes(file, image))
            elif image.mode in ("1", "L"):
                image = image.convert("L")
            else:
                seen = image.convert("RGBA")
                image = Image.new("RGB", seen.size, "white")
                image.paste(seen, mask=seen.getchannel("A"))
            if color is False:
                image = image.convert("L")
            if side:
                image = _fit(image, side)
            return np.asarray(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{file}: cannot be read as a picture: {error}") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{file}: {error}") from error
