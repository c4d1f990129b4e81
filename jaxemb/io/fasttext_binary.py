"""fastText's models: words, and vectors of words and of their character n-grams. Only read."""

import mmap
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data.subwords import subwords
from jaxemb.errors import InputError
from jaxemb.io.word_bytes import decode
from jaxemb.io.word_vectors import WordVectors, check

MAGIC, VERSION = struct.pack("<i", 793712314), 12
# Width, window, epochs, least count, noise words, n of word n-grams, loss, model, buckets, shortest
# and longest n-gram, update rate, subsampling.
ARGUMENTS = struct.Struct("<12id")
# Of the dictionary: entries, words, labels, tokens, n-grams kept by pruning.
DICTIONARY = struct.Struct("<3i2q")
ENTRY = struct.Struct("<qb")  # after a word: its count, and whether it is a label
MATRIX = struct.Struct("<?2q")  # whether it is quantised, rows, columns
# The token that fastText puts at the end of a line has no n-grams.
END_OF_LINE = "</s>"
AT_A_TIME = 1024  # words whose n-grams are added up at a time


class _Header(NamedTuple):
    width: int
    buckets: int
    shortest: int
    longest: int
    entries: int


def stands_in(path: Path) -> bool:
    """Tells whether a file begins as such a model does."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read(path: Path) -> WordVectors:
    """Reads the vectors of a model's words: the mean of a word's own and those of its n-grams.

    Only the words' table is held in memory, not that of the n-grams.

    Args:
      path: The file.

    Raises:
      InputError: if it is no unquantised, unsupervised model of the present version, is cut, or a
        word or number is wrong.
      OSError: if the file cannot be read.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        header, position = _read_header(data, path)
        words = []
        for number in range(header.entries):
            end = data.find(b"\0", position)
            if end < 0:
                raise _cut(path, f"word {number}")
            words.append(decode(data[position:end], path, f"word {number}"))
            _, kind = _take(data, end + 1, ENTRY, path, f"word {number}")
            if kind != 0:
                raise InputError(
                    f"{path}: word {number}: {words[-1]!r:.80} must be of type 0, a word, found "
                    f"{kind}. Is the file damaged?"
                )
            position = end + 1 + ENTRY.size
        rows = len(words) + header.buckets
        position = _check_matrix(data, position, (rows, header.width), path, "input")
        start = position
        position += 4 * rows * header.width
        # Vectors of contexts, of no use here; but without them the file is cut.
        if position < len(data):
            _, *shape = _take(data, position, MATRIX, path, "the output matrix")
            position += MATRIX.size + 4 * shape[0] * shape[1]
        if position != len(data):
            raise InputError(
                f"{path}: must have {position:,} bytes by what its parts claim, found "
                f"{len(data):,}. Was its writing or download interrupted?"
            )
    table = np.memmap(path, "<f4", "r", start, (rows, header.width))
    vectors = np.empty((len(words), header.width), np.float32)
    for first in range(0, len(words), AT_A_TIME):
        vectors[first : first + AT_A_TIME] = _means(table, words, first, header)
    check(words, vectors, path)
    return WordVectors(words, vectors)


def _means(table: np.ndarray, words: list[str], first: int, header: _Header) -> np.ndarray:
    """The vectors of some words from `first` on; `table` has rows for all words, then buckets."""
    some = words[first : first + AT_A_TIME]
    total = table[first : first + len(some)].astype(np.float64)
    if header.buckets:
        parts = subwords(
            some,
            shortest=header.shortest,
            longest=header.longest,
            buckets=header.buckets,
        )
        kept = np.array([word != END_OF_LINE for word in some])[parts.words]
        buckets, owners = parts.buckets[kept], parts.words[kept]
        owned, starts, counts = np.unique(owners, return_index=True, return_counts=True)
        if len(owned):
            rows = table[len(words) + buckets].astype(np.float64)
            total[owned] += np.add.reduceat(rows, starts)
            total[owned] /= 1 + counts[:, None]
    return total


def _read_header(data: mmap.mmap, path: Path) -> tuple[_Header, int]:
    """What comes before the words, and where these begin."""
    version = struct.Struct("<i")
    (found,) = _take(data, len(MAGIC), version, path, "the version")
    if found != VERSION:
        raise InputError(
            f"{path}: must be of version {VERSION}, found {found}. Was the model made by another "
            "fastText than 0.1 to 0.9, or is the file damaged?"
        )
    position = len(MAGIC) + version.size
    width, *_, buckets, shortest, longest, _, _ = _take(
        data, position, ARGUMENTS, path, "the training's arguments"
    )
    position += ARGUMENTS.size
    entries, words, labels, _, pruned = _take(data, position, DICTIONARY, path, "the dictionary")
    if labels or pruned > 0:
        raise InputError(
            f"{path}: {'a classifier' if labels else 'a pruned model'}; only word vectors (of "
            "fastText skipgram or cbow) are read"
        )
    if width < 1 or buckets < 0 or entries < 1 or words != entries:
        raise InputError(
            f"{path}: claims {words} words among {entries} entries, of width {width}, and "
            f"{buckets} buckets. Is the file damaged?"
        )
    return _Header(width, buckets, shortest, longest, entries), position + DICTIONARY.size


def _check_matrix(
    data: mmap.mmap, position: int, shape: tuple[int, int], path: Path, name: str
) -> int:
    """Returns where a matrix's numbers begin."""
    quantised, *found = _take(data, position, MATRIX, path, f"the {name} matrix")
    if quantised:
        raise InputError(f"{path}: a quantised model (.ftz); only whole ones (.bin) are read")
    if tuple(found) != shape:
        raise InputError(
            f"{path}: the {name} matrix must be {list(shape)}, a row for each word and bucket, "
            f"found {found}. Is the file damaged?"
        )
    return position + MATRIX.size


def _take(data: mmap.mmap, position: int, form: struct.Struct, path: Path, what: str) -> tuple:
    if position + form.size > len(data):
        raise _cut(path, what)
    return form.unpack_from(data, position)


def _cut(path: Path, what: str) -> InputError:
    return InputError(
        f"{path}: the file ends before {what} does. Was its writing or download interrupted?"
    )
