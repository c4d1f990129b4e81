"""Captions: texts of one line each, several independent ones of the same picture or object."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data.prepare import missing_file
from jaxemb.data.text_files import read_pieces
from jaxemb.data.tokenize import CLAUSE, UNSPACED_SCRIPT, words
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")


class EncodedCaptions(NamedTuple):
    """Captions as arrays, and how much of them is left out."""

    ids: np.ndarray  # [M, T] int32, -1 beyond a caption's end
    unknown: int  # words left out: not in the vocabulary
    cut: int  # captions that were cut, having more known words


def read_captions(files: Sequence[Path], *, wordless: bool = False) -> list[list[str]]:
    """Reads files that describe the same pictures, line by line.

    Args:
      files: K of them, UTF-8 text, plain or compressed (.gz, .xz, .zip).
      wordless: whether lines without a word are let through.

    Returns:
      [N][K] captions of N pictures.

    Raises:
      InputError: if a file is missing, damaged or no text, a line has no word, or files have
        different numbers of lines; it names file and line.
    """
    columns = [_read_lines(file, wordless) for file in files]
    for file, lines in zip(files, columns, strict=True):
        if len(lines) != len(columns[0]):
            raise InputError(
                f"{file}: {len(lines):,} lines, but {files[0]} has {len(columns[0]):,}; line i of "
                "each must describe picture i. Is one of them truncated?"
            )
    return [list(row) for row in zip(*columns, strict=True)]


def count_words(captions: Iterable[str]) -> Vocabulary:
    """Counts the words of captions; a warning tells if clauses without spaces are taken for words.

    Args:
      captions: texts.

    Returns:
      All their words.
    """
    counts = Counter(word for caption in captions for word in words(caption))
    unspaced = [word for word in counts if not word.isascii() and UNSPACED_SCRIPT.search(word)]
    clauses = [word for word in unspaced if CLAUSE.search(word)]
    # Of text with spaces between words at most a tenth is as long, of clauses most.
    if sum(counts[word] for word in clauses) > 0.25 * sum(counts[word] for word in unspaced):
        _logger.warning(
            "text without spaces, in Chinese, Japanese, Thai or the like: words such as "
            f"{clauses[0][:40]} are whole clauses; put spaces between the words first"
        )
    ordered = sorted(counts, key=lambda word: (-counts[word], word))
    return Vocabulary(ordered, np.array([counts[word] for word in ordered], np.int64))


def encode_captions(
    captions: Sequence[str], vocabulary: Vocabulary, *, most: int
) -> EncodedCaptions:
    """Turns captions into word ids.

    Args:
      captions: M texts.
      vocabulary: words outside it are left out and counted.
      most: T, words of a caption; longer ones are cut and counted.

    Returns:
      The ids.
    """
    table = np.full((len(captions), most), -1, np.int32)
    unknown = cut = 0
    for row, caption in zip(table, captions, strict=True):
        found = words(caption)
        known = [vocabulary.ids[word] for word in found if word in vocabulary.ids]
        unknown += len(found) - len(known)
        cut += len(known) > most
        row[: len(known[:most])] = known[:most]
    return EncodedCaptions(table, unknown, cut)


def _read_lines(path: Path, wordless: bool) -> list[str]:
    if not path.is_file():
        raise missing_file(
            path, "multi30k", "UTF-8 text with a caption a line, line i of picture i"
        )
    lines = [""]
    for piece in read_pieces(path):
        # A piece may begin within a line.
        lines[-1] += piece.texts[0]
        lines += piece.texts[1:]
    if not lines[-1]:
        lines.pop()
    if not lines:
        raise InputError(f"{path}: the file holds no captions")
    for number, line in enumerate(lines, 1):
        if not wordless and not words(line):
            raise InputError(
                f"{path}: line {number}: a caption needs a word, found {line[:80]!r}. Is one "
                "missing?"
            )
    return [line.strip() for line in lines]
