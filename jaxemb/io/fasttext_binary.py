"""fastText's models: words, and vectors of words and of their character n-grams."""

import mmap
import struct
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from jaxemb.atomic import replacing
from jaxemb.errors import InputError
from jaxemb.io.reading import Reading
from jaxemb.io.word_bytes import encode
from jaxemb.io.word_table import check
from jaxemb.io.word_vectors import WordVectors
from jaxemb.models.subword_table import SubwordTable, word_vectors

MAGIC, VERSION = struct.pack("<i", 793712314), 12
# Width, window, epochs, least count, noise words, n of word n-grams, loss, model, buckets, shortest
# and longest n-gram, update rate, subsampling.
ARGUMENTS = struct.Struct("<12id")
# Of the dictionary: entries, words, labels, tokens, n-grams kept by pruning.
DICTIONARY = struct.Struct("<3i2q")
ENTRY = struct.Struct("<qb")  # after a word: its count, and whether it is a label
MATRIX = struct.Struct("<?2q")  # whether it is quantized, rows, columns
NEGATIVE_SAMPLING, MODELS = 2, {"cbow": 1, "skipgram": 2}  # fastText's numbers for these
CLASSIFIER = 3
LEFT_OUT = "\0"  # begins the name of a word that is left out; ends words in the file


class _Header(NamedTuple):
    width: int
    model: int
    buckets: int
    shortest: int
    longest: int  # 0 without n-grams
    entries: int
    words: int


def read(reading: Reading) -> WordVectors:
    """Reads the vectors of a model's words: the mean of a word's own and those of its n-grams.

    Unknown words are composed of their n-grams, whose rows stay in the file until they are used.

    Args:
      reading: The file, and what is forgiven.

    Raises:
      InputError: as `read_model`.
      OSError: if the file cannot be read.
    """
    table = _read_table(reading)
    words = [word for word in table.words if not word.startswith(LEFT_OUT)]
    words, vectors = reading.settle([*words], word_vectors(table, words))
    return WordVectors(words, vectors, table)


def read_model(path: Path) -> SubwordTable:
    """Reads all that gives a word its vector, also one that the model doesn't have.

    The rows stay in the file until they are used.

    Args:
      path: The file.

    Raises:
      InputError: if it is no unquantized model of the present version, is cut, or a word or number
        is wrong.
      OSError: if the file cannot be read.
    """
    return _read_table(Reading(path, path))


def _read_table(reading: Reading) -> SubwordTable:
    path = reading.path
    with (
        reading.source.open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        header, position = _read_header(data, reading)
        words = []
        for number in range(header.entries):
            end = data.find(b"\0", position)
            if end < 0:
                raise _cut(path, f"word {number}")
            raw = data[position:end]
            _, kind = _take(data, end + 1, ENTRY, path, f"word {number}")
            # Labels come after all words.
            if kind != int(number >= header.words):
                raise InputError(
                    f"{path}: word {number}: {raw[:40]!r} must be of type 0, a word, or 1, a label "
                    f"behind all words, found {kind}. Is the file damaged?"
                )
            if kind == 0:
                word = reading.decode(raw, f"word {number}")
                words.append(f"{LEFT_OUT}{number}" if word is None else word)
            position = end + 1 + ENTRY.size
        rows = len(words) + header.buckets
        position = _check_matrix(data, position, (rows, header.width), path, "input")
        start = position
        position += 4 * rows * header.width
        # Vectors of contexts or labels, of no use here; but without them the file is cut.
        if position < len(data):
            _, *shape = _take(data, position, MATRIX, path, "the output matrix")
            position += MATRIX.size + 4 * shape[0] * shape[1]
        if position != len(data):
            raise InputError(
                f"{path}: must have {position:,} bytes by what its parts claim, found "
                f"{len(data):,}. Was its writing or download interrupted?"
            )
    table = np.memmap(reading.source, "<f4", "r", start, (rows, header.width))
    check(words, np.asarray(table[: len(words)]), path)
    _check_buckets(table[len(words) :], path)
    if header.entries > header.words:
        kind = "a classifier's labels" if header.model == CLASSIFIER else "labels"
        reading.changes[f"{kind} left out"] = header.entries - header.words
    return SubwordTable(words, table, header.shortest, header.longest)


def write_model(
    path: Path,
    table: SubwordTable,
    outputs: np.ndarray,
    counts: np.ndarray,
    *,
    model: Literal["skipgram", "cbow"],
    window: int,
    epochs: int,
    negatives: int,
    subsample: float,
) -> None:
    """Writes a model of negative sampling, which fastText and Gensim can train on.

    Args:
      path: The file; what stood there before stays until the new one is whole.
      table: V words, and rows of width D.
      outputs: [V, D] float32, the vectors of words as contexts.
      counts: [V] occurrences of each word, at least 1, in descending order.
      model: which words predict which.
      window: what the model was trained with, as for `jaxemb.training.word2vec_gradients.Step`.
      epochs: passes over the text.
      negatives: noise words a prediction.
      subsample: relative frequency from which on occurrences were dropped.

    Raises:
      InputError: if a word or number is wrong, or the arrays' shapes don't belong together.
      OSError: if the file cannot be written.
    """
    words, rows = table.words, table.rows
    size, width = len(words), rows.shape[1]
    check(words, rows[:size], path)
    _check_buckets(rows[size:], path)
    check(words, outputs, path)
    counts = np.asarray(counts, np.int64)
    if outputs.shape[1] != width or counts.shape != (size,):
        raise InputError(
            f"{path}: {size} words of width {width} need [{size}, {width}] vectors of contexts and "
            f"[{size}] counts, found {list(outputs.shape)} and {list(counts.shape)}"
        )
    if counts[-1] < 1 or (np.diff(counts) > 0).any():
        raise InputError(
            f"{path}: counts must descend to 1 at least, found {counts.min()} to {counts.max()}; "
            "readers sort words by them. Is the vocabulary sorted?"
        )
    trained = (width, window, epochs, int(counts[-1]), negatives, 1, NEGATIVE_SAMPLING)
    ngrams = (len(rows) - size, table.shortest, table.longest)
    arguments = ARGUMENTS.pack(*trained, MODELS[model], *ngrams, 100, subsample)
    with replacing(path) as part, part.open("wb") as file:
        file.write(MAGIC + struct.pack("<i", VERSION) + arguments)
        file.write(DICTIONARY.pack(size, size, 0, int(counts.sum()), -1))
        for row, (word, count) in enumerate(zip(words, counts.tolist(), strict=True)):
            raw = encode(word, path, row)
            if b"\0" in raw:
                raise InputError(f"{path}: row {row}: word {word!r:.80} holds a zero, its end here")
            file.write(raw + b"\0" + ENTRY.pack(count, 0))
        for matrix in (rows, outputs):
            file.write(MATRIX.pack(False, *matrix.shape))
            file.write(np.ascontiguousarray(matrix, "<f4").data)


def _check_buckets(rows: np.ndarray, path: Path) -> None:
    # min and max carry NaN along and, unlike isfinite of the table, need no second array.
    if rows.size and not (np.isfinite(rows.min()) and np.isfinite(rows.max())):
        raise InputError(
            f"{path}: numbers of the n-grams' buckets must be finite. Did the training diverge?"
        )


def _read_header(data: mmap.mmap, reading: Reading) -> tuple[_Header, int]:
    """What comes before the words, and where these begin."""
    path = reading.path
    version = struct.Struct("<i")
    (found,) = _take(data, len(MAGIC), version, path, "the version")
    if found != VERSION:
        raise InputError(
            f"{path}: must be of version {VERSION}, found {found}. Was the model made by another "
            "fastText than 0.1 to 0.9, or is the file damaged?"
        )
    position = len(MAGIC) + version.size
    width, *_, model, buckets, shortest, longest, _, _ = _take(
        data, position, ARGUMENTS, path, "the training's arguments"
    )
    position += ARGUMENTS.size
    entries, words, labels, _, pruned = _take(data, position, DICTIONARY, path, "the dictionary")
    if pruned > 0:
        raise InputError(
            f"{path}: a pruned model; only whole ones are read. fastText's `print-word-vectors` "
            "writes the vectors of any words as text, which is read with format='glove'"
        )
    if width < 1 or buckets < 0 or words < 1 or labels < 0 or words + labels != entries:
        raise InputError(
            f"{path}: claims {words} words and {labels} labels among {entries} entries, of width "
            f"{width}, and {buckets} buckets. Is the file damaged?"
        )
    header = _Header(
        width, model, buckets, max(shortest, 1), longest if buckets else 0, entries, words
    )
    options = reading.options
    if header.longest and (options.errors == "replace" or options.encoding != "utf-8"):
        raise InputError(
            f"{path}: n-grams are those of words in UTF-8: of this model words in another encoding "
            "can only be left out, with errors='skip'"
        )
    return header, position + DICTIONARY.size


def _check_matrix(
    data: mmap.mmap, position: int, shape: tuple[int, int], path: Path, name: str
) -> int:
    """Returns where a matrix's numbers begin."""
    quantized, *found = _take(data, position, MATRIX, path, f"the {name} matrix")
    if quantized:
        raise InputError(
            f"{path}: a quantized model (.ftz); only whole ones (.bin) are read. fastText's "
            "`print-word-vectors` writes the vectors of any words as text"
        )
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
