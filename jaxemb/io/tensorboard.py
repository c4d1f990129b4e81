"""The folder that TensorBoard's projector and projector.tensorflow.org read."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io import text_rows
from jaxemb.io.reading import Reading
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors

VECTORS, METADATA, CONFIG = "vectors.tsv", "metadata.tsv", "projector_config.pbtxt"
PBTXT = f"""embeddings {{
  tensor_name: "vectors"
  tensor_path: "{VECTORS}"
  metadata_path: "{METADATA}"
}}
"""


def read(reading: Reading) -> WordVectors:
    """Reads vectors.tsv and metadata.tsv; the config only tells TensorBoard these names.

    Args:
      reading: The folder, and what is forgiven. metadata.tsv has one column, the words, and so no
        header.

    Raises:
      InputError: if a file is empty, their rows differ, or a row or word is wrong.
      OSError: if the folder or a file cannot be read.
    """
    path = reading.path
    with reading.open_text(METADATA) as file:
        raws = [line.rstrip(b"\r\n") for line in file]
    while raws and not raws[-1]:  # a blank last line is none
        del raws[-1]
    for line, raw in enumerate(raws, 1):
        if tabs := raw.count(b"\t"):
            raise InputError(
                f"{path / METADATA}: line {line}: must be one word, found {tabs + 1} columns. "
                "Keep the column of the words only, without a header."
            )
    words = Reading(path / METADATA, path, reading.options, reading.changes).decode_rows(
        raws, "line", 1
    )
    del raws
    with reading.open_text(VECTORS) as file:
        rows = text_rows.count(file)
        if not rows or rows != len(words):
            raise InputError(
                f"{path}: needs one line a word in both files, found {rows} in {VECTORS} and "
                f"{len(words)} in {METADATA}. Do they come from the same model, or has {METADATA} "
                "a header?"
            )
        here, width = file.tell(), len(file.readline().split())
        if not width:
            raise InputError(f"{path / VECTORS}: line 1: must hold numbers, found none.")
        file.seek(here)
        vectors = np.empty((rows, width), np.float32)
        row = 0
        for lines in text_rows.blocks(file):
            for line, text in enumerate(lines, row + 1):
                if (count := len(text.split())) != width:
                    raise text_rows.short_or_long(path / VECTORS, line, width, count)
            numbers = text_rows.floats(lines, width, path / VECTORS, row + 1)
            vectors[row : row + len(lines)] = numbers
            row += len(lines)
    return WordVectors(*reading.settle(words, vectors, place="line", first=1))


def write(path: Path, words: Sequence[str], vectors: np.ndarray) -> None:
    """Writes the three files into a folder, made if it is missing; others in it stay.

    Old files stay until the new ones are whole; only a kill between the three renames that end the
    writing leaves a mixture.

    Args:
      path: The folder. `tensorboard --logdir` takes it as it is.
      words: [V] unique words without tabs and line ends.
      vectors: [V, D] finite float32; they are read back bit for bit.

    Raises:
      InputError: if words or vectors are not so.
      OSError: if a file cannot be written.
    """
    check(words, vectors, path)
    for row, word in enumerate(words):
        if any(mark in word for mark in "\t\r\n"):
            raise InputError(
                f"{path}: row {row}: word {word!r:.80} holds a tab or a line end, which end a word "
                f"in {METADATA}. Replace it, or write .safetensors or .npz."
            )
    path.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        parts = [stack.enter_context(replacing(path / n)) for n in (VECTORS, METADATA, CONFIG)]
        with parts[0].open("wb") as file:
            file.writelines(row + b"\n" for row in text_rows.format_numbers(vectors, "\t"))
        with parts[1].open("wb") as file:
            file.writelines(word.encode() + b"\n" for word in words)
        parts[2].write_text(PBTXT)
