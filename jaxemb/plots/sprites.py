"""Many small images in a few large ones, for a page to cut out of."""

import base64
import io
import math
from typing import NamedTuple

import numpy as np
from PIL import Image

# Pixels of all images together: the 70,000 of MNIST and the 60,000 of CIFAR-10 are just below.
_PIXELS = 2**26
_PIXELS_A_SHEET = 2**21


class Sprites(NamedTuple):
    """Sheets of images and where in them each one lies.

    Attributes:
      sheets: data URIs, each holding `per_sheet` images row by row, the last perhaps fewer.
      width: of an image, in pixels; it lies at the upper left of its cell.
      height: likewise.
      cell_width: of a cell.
      cell_height: likewise.
      columns: cells in a row.
      per_sheet: images in a sheet.
    """

    sheets: list[str]
    width: int
    height: int
    cell_width: int
    cell_height: int
    columns: int
    per_sheet: int


def pack(images: np.ndarray) -> Sprites:
    """Packs images into sheets, as PNG or JPEG, whichever makes the first sheet smaller.

    Args:
      images: [N, H, W] or [N, H, W, 3] uint8. Where all together have more than 64 million pixels,
        only every second, third, ... pixel of each row and column is kept.

    Returns:
      The sheets; MNIST's take 16 MB, CIFAR-10's 35 MB.
    """
    step = math.ceil(math.sqrt(math.prod(images.shape[:3]) / _PIXELS))
    images = images[:, ::step, ::step]
    size, height, width = images.shape[:3]
    # JPEG blurs blocks of eight pixels: no block holds two images.
    cell_height, cell_width = 8 * math.ceil(height / 8), 8 * math.ceil(width / 8)
    columns = max(1, min(math.ceil(math.sqrt(size)), math.isqrt(_PIXELS_A_SHEET) // cell_width))
    rows = max(1, _PIXELS_A_SHEET // (columns * cell_width * cell_height))
    per_sheet = columns * rows
    kinds, sheets = ["png", "jpeg"], []
    for start in range(0, size, per_sheet):
        part = images[start : start + per_sheet]
        used = math.ceil(len(part) / columns)
        cells = np.zeros((used * columns, cell_height, cell_width, *images.shape[3:]), np.uint8)
        # The edge continues into the margin, or JPEG would let it ring.
        margin = [(0, 0), (0, cell_height - height), (0, cell_width - width)]
        cells[: len(part)] = np.pad(part, margin + [(0, 0)] * (images.ndim - 3), mode="edge")
        grid = cells.reshape(used, columns, cell_height, cell_width, *images.shape[3:])
        sheet = grid.swapaxes(1, 2).reshape(used * cell_height, -1, *images.shape[3:])
        encoded = {kind: _encode(sheet, kind) for kind in kinds}
        kinds = [min(kinds, key=lambda kind: len(encoded[kind]))]  # of further sheets
        sheets.append(encoded[kinds[0]])
    return Sprites(sheets, width, height, cell_width, cell_height, columns, per_sheet)


def _encode(sheet: np.ndarray, kind: str) -> str:
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, format=kind, quality=85, subsampling=0)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
