"""NumPy's .npz (arrays `words` and `vectors`) and .npy (records `word` and `vector`)."""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io.reading import Reading
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors

ROWS = 1024  # records built at a time
DEFLATE = 1032  # deflate never shrinks more than this


def read(reading: Reading) -> WordVectors:
    """Reads a .npy or .npz. Nothing is ever unpickled.

    Args:
      reading: The file, and what is forgiven.

    Raises:
      InputError: if it is no such file, lacks an array, or an array has another type.
      OSError: if the file cannot be read.
    """
    path = reading.path
    with reading.source.open("rb") as file:
        is_npy = file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX
    try:
        words, vectors = (_read_npy if is_npy else _read_npz)(reading)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # NumPy and zipfile raise a dozen kinds of error on damaged bytes
        raise InputError(
            f"{path}: cannot be read: {error!s:.200}. Is it another format, or was its writing or "
            "download interrupted?"
        ) from error
    return WordVectors(*reading.settle(words, vectors))


def _read_npy(reading: Reading) -> tuple[list[str | None], np.ndarray]:
    # A memory map is checked against the size of the file, and only the vectors are copied.
    records = npy.open_memmap(reading.source, mode="r")
    names = records.dtype.names
    if names != ("word", "vector") or records.ndim != 1 or records.dtype["word"].kind != "U":
        raise InputError(
            f"{reading.path}: must be a list of records 'word' (string) and 'vector', found "
            f"{records.ndim} axes of {records.dtype!s:.200}. An array without words is no table; "
            "name its words in a .npz."
        )
    return records["word"].tolist(), np.array(records["vector"])


def _read_npz(reading: Reading) -> tuple[list[str | None], np.ndarray]:
    path = reading.path
    with zipfile.ZipFile(reading.source) as archive:
        words = _read_member(archive, "words", reading)
        vectors = _read_member(archive, "vectors", reading)
    if words.dtype.kind != "U" or words.ndim != 1:
        raise InputError(
            f"{path}: array 'words' must be a list of strings, found {words.ndim} axes of "
            f"{words.dtype!s:.200}. Write it with np.array(words, dtype=str)."
        )
    return words.tolist(), vectors


def _read_member(archive: zipfile.ZipFile, name: str, reading: Reading) -> np.ndarray:
    path, size = reading.path, reading.source.stat().st_size
    if f"{name}.npy" not in archive.namelist():
        raise InputError(
            f"{path}: has no array {name!r}, only {archive.namelist()[:10]}. It must hold 'words' "
            "and 'vectors'."
        )
    info = archive.getinfo(f"{name}.npy")
    with archive.open(info) as file:
        read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
        shape, _, dtype = read_header[npy.read_magic(file)](file)
        claimed = file.tell() + math.prod(shape) * dtype.itemsize
    if dtype.hasobject:
        raise InputError(
            f"{path}: array {name!r} holds Python objects, which only pickle reads, and pickle can "
            "run any code. Write it with dtype=str or np.float32."
        )
    # Before NumPy allocates what the header claims.
    if claimed != info.file_size or claimed > DEFLATE * size:
        raise InputError(
            f"{path}: array {name!r} claims {claimed} bytes, but its entry has {info.file_size} "
            f"and the file {size}. Is it damaged?"
        )
    with archive.open(info) as file:
        return npy.read_array(file, allow_pickle=False)


def write(path: Path, words: Sequence[str], vectors: np.ndarray) -> None:
    """Writes a .npy, or any other name as .npz; the old file stays until the new one is whole.

    NumPy gives each word the room of the longest, 4 bytes a character.

    Args:
      path: The file.
      words: [V] unique words; any Unicode that doesn't end in a NUL, which NumPy drops.
      vectors: [V, D] finite float32; they are read back bit for bit.

    Raises:
      InputError: if words or vectors are not so.
      OSError: if the file cannot be written.
    """
    check(words, vectors, path)
    for row, word in enumerate(words):
        if word.endswith("\0"):
            raise InputError(
                f"{path}: row {row}: word {word!r:.80} ends in a NUL, which NumPy's strings drop. "
                "Remove it, or write .safetensors."
            )
    with replacing(path) as part, part.open("wb") as file:
        if path.suffix != ".npy":
            np.savez(file, words=np.array(words), vectors=vectors)
            return
        width = max(map(len, words))
        dtype = np.dtype([("word", f"<U{width}"), ("vector", "<f4", vectors.shape[1:])])
        descr = npy.dtype_to_descr(dtype)
        header = {"descr": descr, "fortran_order": False, "shape": (len(words),)}
        npy.write_array_header_2_0(file, header)
        for start in range(0, len(words), ROWS):
            records = np.empty(len(words[start : start + ROWS]), dtype)
            records["word"] = words[start : start + ROWS]
            records["vector"] = vectors[start : start + ROWS]
            file.write(records.tobytes())
