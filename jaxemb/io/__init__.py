"""Reads and writes the embedding formats of other programs, and saves what methods have found.

Example:
    import numpy as np
    from jaxemb import io

    table = np.array([[1, 0, 0], [0.9, 0.1, 0], [0, 0, 1]], np.float32)
    io.write("mine.vec", ["cat", "dog", "car"], table)
    vectors = io.read("mine.vec")
    vectors["cat"]  # [3]
    vectors.nearest("cat", 2)  # [("dog", 0.99), ("car", 0.0)]
    io.save("mine", vectors)  # or all that a method's fit returned
    io.load("mine")["cat"]

| format | what it is | name that `write` knows | module |
|---|---|---|---|
| word2vec | word2vec's text, which fastText's .vec is too | `.txt`, `.vec` | `word2vec_text` |
| word2vec-binary | word2vec's binary | `.bin` | `word2vec_binary` |
| glove | GloVe's text, without word2vec's first line | | `glove_text` |
| fasttext | a fastText model; written by `write_model` | | `fasttext_binary` |
| safetensors | safetensors, words as JSON | `.safetensors` | `safetensors_file` |
| numpy | NumPy's, never pickled | `.npz`, `.npy` | `numpy_file` |
| tensorboard | the folder of TensorBoard's projector | no ending | `tensorboard` |

`read` tells the format by the content, whatever the name, and unpacks .gz, .xz, .bz2, .zst and .zip
into the temporary folder (TMPDIR). `static_model` writes and reads sentence models, as folders of
model2vec and sentence-transformers.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np

from jaxemb.errors import InputError
from jaxemb.io import (
    contents,
    fasttext_binary,
    glove_text,
    numpy_file,
    safetensors_file,
    tensorboard,
    word2vec_binary,
    word2vec_text,
)
from jaxemb.io.reading import Format, Reading, ReadOptions
from jaxemb.io.saved_fit import STRUCTURE, load, save
from jaxemb.io.word_vectors import WordVectors
from jaxemb.progress import phase

__all__ = ["RUN", "STRUCTURE", "ReadOptions", "WordVectors", "load", "read", "save", "write"]

FORMATS: dict[str, ModuleType] = {
    "word2vec": word2vec_text,
    "word2vec-binary": word2vec_binary,
    "glove": glove_text,
    "fasttext": fasttext_binary,
    "safetensors": safetensors_file,
    "numpy": numpy_file,
    "tensorboard": tensorboard,
}
ENDINGS = {
    ".txt": "word2vec",
    ".vec": "word2vec",
    ".bin": "word2vec-binary",
    ".safetensors": "safetensors",
    ".npz": "numpy",
    ".npy": "numpy",
    "": "tensorboard",
}
RUN = "vectors.txt"
"""What the folder of a run has."""

_REFUSED = {
    "empty": "the file is empty. Was its writing or download interrupted?",
    "tar": "is a tar archive; unpack it and give one of its files",
    "pickle": "is pickled, and reading that can run any code. In Gensim, "
    "KeyedVectors.load(path).save_word2vec_format(other) writes a file that is read",
    "numbers": "holds numbers and no words. Is it a table of points? format='glove' takes the "
    "first number of a line for its word",
    "vocabulary": "holds a word and a count a line, a vocabulary: vectors have more numbers, and a "
    f"run's are in its {RUN}. format='glove' takes the counts for vectors",
}


def read(
    path: str | Path,
    *,
    format: Format | None = None,
    encoding: str = "utf-8",
    errors: Literal["strict", "replace", "skip"] = "strict",
    lenient: bool = False,
) -> WordVectors:
    """Reads a table of word vectors.

    What was left out or changed, as was asked for, is told in a line.

    Args:
      path: A file of a format in the table above, compressed or not; or a folder of TensorBoard's,
        of a run, or of what `save` wrote.
      format: One of these formats. None tells it by the content.
      encoding: Of the words; UTF-16 with its mark needs no name.
      errors: Of words in another encoding: "strict" refuses the file, "replace" puts U+FFFD for
        what can't be read, "skip" leaves the words out.
      lenient: Whether to keep the first of equal words, leave out empty words and blank lines, and
        count the rows where line 1 claims another number.

    Returns:
      V unique words and their [V, D] finite float32 vectors. Of a fastText model also those of
      character n-grams, by which unknown words have vectors, too.

    Raises:
      InputError: if the content is no such format or wrong; the message says where.
      OSError: if the file is missing or cannot be read.
    """
    path = Path(path)
    options = ReadOptions(format, encoding, errors, lenient)
    if path.is_dir():
        return _read_folder(path, options)
    with contents.unpacked(path, encoding) as (source, encoding):
        reading = Reading(path, source, dataclasses.replace(options, encoding=encoding))
        with phase(f"reading {path.name}"):
            found = FORMATS[format or _recognize(reading)].read(reading)
    reading.tell()
    return found


def _recognize(reading: Reading) -> str:
    path = reading.path
    found = contents.recognize(reading.source)
    if found in _REFUSED:
        raise InputError(f"{path}: {_REFUSED[found]}")
    # What damage has made of a binary file is best told by its reader.
    if found is None and path.suffix.lower() in (".bin", ".safetensors", ".npz", ".npy"):
        found = ENDINGS[path.suffix.lower()]
    if found is None:
        with reading.open_text() as file:
            line = file.readline(40)
        raise InputError(
            f"{path}: line 1 must be 'WORDS WIDTH', two integers, or a word and its numbers, found "
            f"{line!r}. Is it a list of words, or of another format than {', '.join(FORMATS)}? "
            "UTF-16 without its mark needs encoding='utf-16-le'"
        )
    return found


def _read_folder(path: Path, options: ReadOptions) -> WordVectors:
    names = {entry.name for entry in path.iterdir()}
    if RUN in names:
        return read(path / RUN, **dataclasses.asdict(options))
    if STRUCTURE in names:
        fitted = load(path)
        vectors = getattr(fitted, "vectors", fitted)
        if isinstance(fitted, WordVectors):
            vectors = fitted
        if isinstance(vectors, WordVectors):
            return vectors
        raise InputError(f"{path}: holds a {type(fitted).__name__}, which has no word vectors")
    if not {tensorboard.VECTORS, tensorboard.METADATA} <= names:
        raise InputError(
            f"{path}: the folder of word vectors must hold {RUN}, as a run's does, {STRUCTURE}, as "
            f"save writes it, or {tensorboard.VECTORS} and {tensorboard.METADATA}, as TensorBoard "
            f"reads them, found {sorted(names)[:10]}"
        )
    reading = Reading(path, path, options)
    found = tensorboard.read(reading)
    reading.tell()
    return found


def write(
    path: str | Path, words: Sequence[str] | WordVectors, vectors: np.ndarray | None = None
) -> None:
    """Writes a table of word vectors; what stood there before stays until the new one is whole.

    Args:
      path: A file or folder of a format in the table above, told by its name.
      words: [V] unique words; which characters they may hold depends on the format. Or a table of
        words with their vectors.
      vectors: [V, D] finite float32; they are read back bit for bit. None for a table.

    Raises:
      InputError: if the name ends otherwise, or words or vectors are not so.
      OSError: if the file cannot be written.
    """
    path = Path(path)
    if isinstance(words, WordVectors):
        if vectors is not None:
            raise InputError("vectors are given twice, in the table and by themselves")
        vectors, words = words.vectors, words.words
    _format(path).write(path, words, vectors)


def _format(path: Path) -> ModuleType:
    ending = "" if path.is_dir() else path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            f"{path}: the name must end in one of {' '.join(filter(None, ENDINGS))}, or be that of "
            f"a folder, found {ending!r}"
        )
    return FORMATS[ENDINGS[ending]]
