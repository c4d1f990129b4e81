"""Readers of word similarity, analogy and categorization sets."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data.text_files import decode
from jaxemb.errors import InputError


class SimilaritySet(NamedTuple):
    """Pairs of words with people's ratings of their similarity, on the set's own scale."""

    name: str
    pairs: list[tuple[str, str]]
    scores: np.ndarray  # [N] float64, larger is more similar


class AnalogySection(NamedTuple):
    """Questions of one relationship: the first word is to the second as the third to the last."""

    name: str
    questions: list[tuple[str, str, str, str]]


class CategorySet(NamedTuple):
    """Words with the category that each belongs to."""

    name: str
    words: list[str]
    categories: list[str]


class WordSets(NamedTuple):
    """The sets that a data folder holds."""

    similarity: list[SimilaritySet]
    analogies: list[AnalogySection]
    categories: list[CategorySet]


def find_word_sets(data_dir: Path) -> WordSets:
    """Reads those of `wordsim/sim_*.csv`, `questions-words.txt` and `wordsim/cat_*.csv` that exist.

    Raises:
      InputError: at a bad row, naming file and line.
    """
    analogies = data_dir / "questions-words.txt"
    return WordSets(
        [read_similarity(path) for path in sorted(data_dir.glob("wordsim/sim_*.csv"))],
        read_analogies(analogies) if analogies.exists() else [],
        [read_categories(path) for path in sorted(data_dir.glob("wordsim/cat_*.csv"))],
    )


def read_similarity(path: Path) -> SimilaritySet:
    """Reads a table with the header `,word1,word2,similarity`.

    Words are lower-cased; MEN's marks for the part of speech (sun-n, bright-j) are taken off. Rows
    that are blank after their number are padding.

    Raises:
      InputError: at a bad row, naming file and line, and if there is none.
    """
    pairs, scores = [], []
    for line, (first, second, score) in _rows(path, ["word1", "word2", "similarity"]):
        pairs.append((_strip_mark(first), _strip_mark(second)))
        try:
            scores.append(float(score))
        except ValueError:
            scores.append(np.nan)
        if not all(pairs[-1]) or not np.isfinite(scores[-1]):
            raise InputError(
                f"{path}: line {line}: expected two words and a finite score, "
                f"found {first!r}, {second!r}, {score!r}"
            )
    return SimilaritySet(path.stem.removeprefix("sim_"), pairs, np.array(scores))


def read_categories(path: Path) -> CategorySet:
    """Reads a table with the header `,category,word`.

    Words are lower-cased. Rows without a word are padding.

    Raises:
      InputError: at a bad row, naming file and line, and if there is none.
    """
    words, categories = [], []
    for line, (category, word) in _rows(path, ["category", "word"]):
        if not word:
            continue
        if not category:
            raise InputError(f"{path}: line {line}: the word {word!r} has no category")
        words.append(word.lower())
        categories.append(category)
    if not words:
        raise InputError(f"{path}: no words")
    return CategorySet(path.stem.removeprefix("cat_"), words, categories)


def read_analogies(path: Path) -> list[AnalogySection]:
    """Reads questions of four words a line under section headings `: name`.

    Words are lower-cased.

    Raises:
      InputError: at a bad line, naming file and line, and if there is no question.
    """
    sections: list[AnalogySection] = []
    for number, line in enumerate(_read(path).split("\n"), 1):
        words = line.lower().split()
        if not words:
            continue
        if line.startswith(":"):
            sections.append(AnalogySection(line[1:].strip(), []))
        elif len(words) != 4 or not sections:
            raise InputError(
                f"{path}: line {number}: expected ': section' or, below one, four words, "
                f"found {line[:80]!r}"
            )
        else:
            a, b, c, d = words
            sections[-1].questions.append((a, b, c, d))
    if not any(section.questions for section in sections):
        raise InputError(f"{path}: no questions")
    return sections


def _strip_mark(word: str) -> str:
    return re.sub(r"-[nvj]$", "", word.lower())


def _read(path: Path) -> str:
    try:
        text = decode(path.read_bytes(), path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    return unicodedata.normalize("NFC", text.removeprefix("\ufeff"))


def _rows(path: Path, names: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yields the line number and fields of each row that isn't blank, without its first column."""
    reader = csv.reader(io.StringIO(_read(path), newline=""))
    found = False
    try:
        header = next(reader, [])
        if header[1:] != names:
            raise InputError(f"{path}: line 1: expected the header ',{','.join(names)}'")
        for row in reader:
            fields = [field.strip() for field in row[1:]]
            if not any(fields):
                continue
            if len(fields) != len(names):
                raise InputError(
                    f"{path}: line {reader.line_num}: expected {len(names) + 1} columns, "
                    f"found {len(row)}"
                )
            found = True
            yield reader.line_num, fields
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}") from error
    if not found:
        raise InputError(f"{path}: no rows")
