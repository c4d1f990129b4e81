"""Points to make a map of, by name or path: images, word vectors or any table of numbers."""

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxemb import io
from jaxemb.data import compressed, points, tables
from jaxemb.data.files import file_sha256
from jaxemb.data.images import Choose
from jaxemb.data.labels import read_labels
from jaxemb.data.points import Columns, Points
from jaxemb.data.sets import IMAGES
from jaxemb.data.table_text import Layout
from jaxemb.errors import InputError
from jaxemb.io import contents
from jaxemb.progress import phase

_logger = logging.getLogger("jaxemb")

VECTORS = (".txt", ".vec", ".bin", ".safetensors")
"""How the names of files of word vectors often end."""


def load(
    data: str,
    *,
    labels: Path | None = None,
    columns: Columns | None = None,
    layout: Layout | None = None,
    standardize: bool = False,
    n: int = 0,
    seed: int = 0,
    data_dir: Path,
    vectors: Mapping[str, Path] | None = None,
) -> Points:
    """Reads points.

    Args:
      data: a name of `jaxemb.data.sets.IMAGES`, the path of word vectors that jaxemb.io reads,
        whatever their name, or that of a table of numbers (`tables.read_table`).
        Images are scaled to [0, 1].
      labels: a file of one label for each point of `data`: .npy, text with one a line, or a table.
        They replace those that `data` has.
      columns: what the columns of a table are; with `labels`, the label column is of that file.
      layout: what the files of tables do not say.
      standardize: whether to bring every column to mean 0 and standard deviation 1.
      n: points to read: the most frequent words, or a random subset of others in the order of the
        input. 0 reads all.
      seed: of the random subset.
      data_dir: folder of the named data sets.
      vectors: further names, each of a vectors file.

    Returns:
      The points.

    Raises:
      InputError: if a name is unknown, a file missing or damaged, a number not finite in float32,
        or if there are fewer than `n` points.
    """
    vectors = vectors or {}
    columns = columns or Columns()
    path = Path(data)
    is_words = data in vectors or (data not in IMAGES and _holds_words(path))
    is_numbers = path.suffix in (*tables.FILES, *compressed.ENDINGS)
    label_column = columns.label_column
    if labels is not None:
        columns = dataclasses.replace(columns, label_column="")
    chosen: list[tuple[int, np.ndarray]] = []

    def choose(size: int) -> np.ndarray:
        if not size:
            raise InputError(f"{data} has no points")
        if n > size:
            raise InputError(f"n must be at most {size:,}, the points of {data}, found {n}; 0: all")
        if is_words:
            rows = np.arange(n or size)
        else:
            rows = np.sort(np.random.default_rng(seed).permutation(size)[: n or size])
        chosen.append((size, rows))
        return rows

    if data in IMAGES:
        if path.exists():
            _logger.info(f"{data} is the named data set; ./{data} is the one in this folder")
        with phase(f"reading {data}"):
            found = points.read_images(data, data_dir, choose)
    elif path.is_dir() and not is_words:
        with phase(f"reading {path.name}"):
            found = points.read_folder(path, choose, layout=layout)
    elif is_words:
        found = _read_words(vectors.get(data, path), choose, layout or Layout())
    elif is_numbers:
        with phase(f"reading {path.name}"):
            found = points.read_numbers(path, choose, columns=columns, layout=layout)
    else:
        raise InputError(
            f"data must be one of {', '.join([*IMAGES, *vectors])} or a file named "
            f"{', '.join(dict.fromkeys('*' + ending for ending in tables.FILES + VECTORS))}, "
            f"found {data!r}"
        )
    if labels is not None:
        ((size, rows),) = chosen
        read = read_labels(labels, size, label_column, layout)
        sha256 = found.sha256 | {str(labels): file_sha256(labels)}
        found = found._replace(labels=read.ids[rows], classes=read.classes, sha256=sha256)
    if standardize:
        found = points.standardized(found, path.name)
    ((_, rows),) = chosen
    return found._replace(rows=rows)


def _holds_words(path: Path) -> bool:
    ending = path.with_suffix("").suffix if path.suffix in compressed.ENDINGS else path.suffix
    if not path.is_file():
        tables_of_words = (io.RUN, "vectors.tsv")
        return ending in VECTORS or any((path / name).exists() for name in tables_of_words)
    if ending != ".txt" and ending in (*tables.FILES, *VECTORS):
        return ending in VECTORS
    with contents.unpacked(path, "utf-8") as (source, _):
        return contents.recognize(source) not in (None, "numbers")


def _read_words(path: Path, choose: Choose, layout: Layout) -> Points:
    if not path.exists():
        raise InputError(f"{path}: no such file")
    table = io.read(path, encoding=layout.encoding)
    size = len(choose(len(table.words)))
    names, values = table.words[:size], table.vectors[:size]
    files = [path]
    if path.is_dir():
        inside = sorted(file for file in path.iterdir() if file.is_file())
        files = [path / io.RUN] if path / io.RUN in inside else inside
    return Points(values, names=names, sha256={str(file): file_sha256(file) for file in files})
