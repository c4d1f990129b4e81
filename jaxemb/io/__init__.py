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

| name ends in | format | module |
|---|---|---|
| `.txt`, line 1 two integers | word2vec text; what `write` writes | `word2vec_text` |
| `.txt`, other line 1 | GloVe text; only read | `glove_text` |
| `.vec` | fastText's, the same as word2vec text | `word2vec_text` |
| `.bin` | word2vec binary; what `write` writes | `word2vec_binary` |
| `.bin`, first bytes fastText's | a fastText model; written by `write_model` | `fasttext_binary` |
| `.safetensors` | safetensors, words as JSON | `safetensors_file` |
| `.npz`, `.npy` | NumPy, never pickled | `numpy_file` |
| no ending, or a folder | TensorBoard's projector | `tensorboard` |

Each module has `read(path)` and `write(path, words, vectors)`; `glove_text.write` is reached only
there. Compressed text is unpacked first: without its true size, a header cannot be checked.
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from jaxemb.errors import InputError
from jaxemb.io import (
    fasttext_binary,
    glove_text,
    numpy_file,
    safetensors_file,
    tensorboard,
    word2vec_binary,
    word2vec_header,
    word2vec_text,
)
from jaxemb.io.saved_fit import load, save
from jaxemb.io.word_vectors import WordVectors

__all__ = ["WordVectors", "load", "read", "save", "write"]

FORMATS: dict[str, ModuleType] = {
    ".txt": word2vec_text,
    ".vec": word2vec_text,
    ".bin": word2vec_binary,
    ".safetensors": safetensors_file,
    ".npz": numpy_file,
    ".npy": numpy_file,
    "": tensorboard,
}


def read(path: str | Path) -> WordVectors:
    """Reads a table of word vectors.

    Args:
      path: A file or folder of a format in the table above, told by its name.

    Returns:
      V unique words and their [V, D] finite float32 vectors. Of a fastText model also those of
      character n-grams, by which unknown words have vectors, too.

    Raises:
      InputError: if the name ends otherwise or the content is wrong; the message says where.
      OSError: if the file is missing or cannot be read.
    """
    path = Path(path)
    module = _format(path)
    if path.suffix == ".txt" and module is word2vec_text and not word2vec_header.stands_in(path):
        module = glove_text
    elif module is word2vec_binary and fasttext_binary.stands_in(path):
        return fasttext_binary.read(path)
    return module.read(path)


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
    ending = "" if path.is_dir() else path.suffix
    if ending not in FORMATS:
        raise InputError(
            f"{path}: the name must end in one of {' '.join(filter(None, FORMATS))}, or be that of "
            f"a folder, found {ending!r}. Unpack a compressed file first."
        )
    return FORMATS[ending]
