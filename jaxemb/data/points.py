"""Points to make a map of: images, words or any table of numbers, by name or path."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb import io
from jaxemb.data import images, tables
from jaxemb.data.corpora import file_sha256
from jaxemb.errors import InputError

# Where experiments.word2vec leaves its vectors.
WORDS = Path("runs/word2vec/vectors.txt")
_VECTORS = (".txt", ".vec", ".bin", ".safetensors")
_NUMBERS = (".npy", ".csv")
_IMAGES = {
    "mnist": ("mnist.npz", images.read_mnist),
    "cifar10": ("cifar10_jpeg.npz", images.read_cifar10),
    "faces": ("orl_faces.npz", images.read_faces),
}
NAMES = ("digits", *_IMAGES, "words")


class Points(NamedTuple):
    """Points in a space of many dimensions, and what is known of each."""

    values: np.ndarray  # [N, D] float32, finite
    labels: np.ndarray | None  # [N] int32, positions in `classes`
    classes: tuple[str, ...]  # names of the labels; empty without
    names: list[str] | None  # [N] words, most frequent first
    images: np.ndarray | None  # [N, H, W] or [N, H, W, 3] uint8
    sha256: dict[str, str]  # of each file read


def load(
    data: str, *, labels: Path | None = None, n: int = 0, seed: int = 0, data_dir: Path
) -> Points:
    """Reads points.

    Args:
      data: `digits` (of scikit-learn, which brings them along), `mnist`, `cifar10`, `faces`,
        `words` (those of a run of experiments.word2vec), the path of a vectors file that jaxemb.io
        reads (.txt, .vec, .bin, .safetensors), or that of a .npy array [N, D] or .csv of numbers.
        Images are scaled to [0, 1].
      labels: a file of one label for each point of `data`: .npy, or text with one a line. They
        take the place of those that `data` has.
      n: points to take: of words the most frequent, of others a random subset in the order of the
        input. 0 takes all.
      seed: of the random subset.
      data_dir: folder of the named data sets.

    Returns:
      The points.

    Raises:
      InputError: if a name is unknown, a file missing or damaged, a number not finite in float32,
        or if there are fewer than `n` points.
    """
    is_words = data == "words" or data.endswith(_VECTORS)
    taken: list[tuple[int, np.ndarray]] = []

    def choose(size: int) -> np.ndarray:
        if not size or n > size:
            raise InputError(f"{data} has {size:,} points, --n asks for {n or 'all'}; 0 takes all")
        if is_words:
            rows = np.arange(n or size)
        else:
            rows = np.sort(np.random.default_rng(seed).permutation(size)[: n or size])
        taken.append((size, rows))
        return rows

    if data == "digits":
        found = _load_digits(choose)
    elif data in _IMAGES:
        found = _load_images(data, data_dir, choose)
    elif is_words:
        found = _load_words(data, choose)
    elif data.endswith(_NUMBERS):
        found = _load_numbers(Path(data), choose)
    else:
        raise InputError(
            f"--data must be one of {', '.join(NAMES)} or a file named "
            f"{', '.join('*' + ending for ending in _NUMBERS + _VECTORS)}, found {data!r}"
        )
    if labels is not None:
        ((size, rows),) = taken
        read = tables.read_labels(labels, size)
        sha256 = found.sha256 | {str(labels): file_sha256(labels)}
        found = found._replace(labels=read.ids[rows], classes=read.classes, sha256=sha256)
    return found


def _load_digits(choose: images.Choose) -> Points:
    from sklearn.datasets import load_digits  # half a second, and few need it

    digits = load_digits()
    rows = choose(len(digits.data))
    scaled = digits.images[rows] / 16  # ink from 0 to 16
    return Points(
        values=scaled.reshape(len(rows), -1).astype(np.float32),
        labels=digits.target[rows].astype(np.int32),
        classes=tuple("0123456789"),
        names=None,
        images=np.round(255 * scaled).astype(np.uint8),
        sha256={},
    )


def _load_images(data: str, data_dir: Path, choose: images.Choose) -> Points:
    name, read = _IMAGES[data]
    found = read(data_dir / name, choose)
    values = found.images.reshape(len(found.images), -1).astype(np.float32)
    values /= 255
    sha256 = {str(data_dir / name): file_sha256(data_dir / name)}
    return Points(values, found.labels, found.classes, None, found.images, sha256)


def _load_words(data: str, choose: images.Choose) -> Points:
    path = WORDS if data == "words" else Path(data)
    if not path.exists():
        made = ": make it with python -m experiments.word2vec, or name a vectors file with --data"
        raise InputError(f"{path}: no such file{made if data == 'words' else ''}")
    table = io.read(path)
    size = len(choose(len(table.words)))
    names, values = table.words[:size], table.vectors[:size]
    return Points(values, None, (), names, None, {str(path): file_sha256(path)})


def _load_numbers(path: Path, choose: images.Choose) -> Points:
    table = tables.read_numbers(path)
    if table.ndim != 2 or table.dtype.kind not in "fiub" or not table.shape[1]:
        raise InputError(
            f"{path}: expected an array [N, D] of real numbers, found {list(table.shape)} of "
            f"{table.dtype!s:.80}; reshape images to a row each"
        )
    rows = choose(len(table))
    taken = table if len(rows) == len(table) else table[rows]
    with np.errstate(over="ignore"):  # to infinity, and so refused
        values = np.array(taken, np.float32)
    _check_finite(path, values, rows)
    return Points(values, None, (), None, None, {str(path): file_sha256(path)})


def _check_finite(path: Path, values: np.ndarray, rows: np.ndarray) -> None:
    # Sums carry NaN and infinity along, and need no second matrix.
    with np.errstate(over="ignore", invalid="ignore"):
        suspects = np.flatnonzero(~np.isfinite(values.sum(axis=1, dtype=np.float64)))
    bad = [row for row in suspects if not np.isfinite(values[row]).all()]
    if bad:
        column = int(np.argmin(np.isfinite(values[bad[0]])))
        raise InputError(
            f"{path}: point {rows[bad[0]]}, column {column} (both from 0) is "
            f"{values[bad[0], column]} in float32, must be finite; {len(bad):,} of {len(rows):,} "
            "points have such numbers. Fill them in or drop these points"
        )
