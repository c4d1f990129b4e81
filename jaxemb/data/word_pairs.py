"""Readers of relationships: pairs of words that are related in the same way."""

import csv
import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jaxemb.data.text_files import decode
from jaxemb.data.word_sets import AnalogySection
from jaxemb.errors import InputError

# The columns of countries.csv whose words usually belong to a single country.
_COUNTRIES = ("country", "capital", "adjective")


class Relation(NamedTuple):
    """Pairs of words, each related as the others are."""

    name: str
    pairs: list[tuple[str, str]]  # different ones, in order
    questions: list[tuple[str, str, str, str]]  # two pairs each; empty if the file has pairs only


def read_relations(path: Path) -> list[Relation]:
    """Reads a file of pairs, or of analogies; the arguments and errors are `parse_relations`'s."""
    return parse_relations(decode(path.read_bytes(), path), path)


def parse_relations(text: str, path: Path) -> list[Relation]:
    """Reads a pair of words a line, or the two pairs of an analogy.

    Args:
      text: lines of two or four words with white space between them, below headings `: name`.
        Without a heading the file's name stands for it. Words are lower-cased; blank lines are
        skipped.
      path: where it comes from.

    Returns:
      The relations, at least one pair in each.

    Raises:
      InputError: at a bad line or a pair of equal words, naming the line; if a relation has no
        pair, or its name comes twice.
    """
    found: dict[str, list[tuple[str, ...]]] = {}
    text = unicodedata.normalize("NFC", text.removeprefix("\ufeff"))
    section = ""
    for number, line in enumerate(text.split("\n"), 1):
        words = tuple(line.lower().split())
        if line.startswith(":"):
            section = line[1:].strip()
            if not section or section in found:
                raise InputError(
                    f"{path}: line {number}: a heading ': name' of its own must begin each "
                    f"relation, found {line.strip()[:80]!r}{' again' if section else ''}"
                )
            found[section] = []
        elif len(words) in (2, 4) and all(a != b for a, b in _cut(words)):
            found.setdefault(section or path.stem, []).append(words)
        elif words:
            raise InputError(
                f"{path}: line {number}: expected two different words, or the four of an analogy, "
                f"found {line.strip()[:80]!r}. Words of two parts are written with '_'"
            )
    empty = [name for name, lines in found.items() if not lines]
    if empty or not found:
        raise InputError(f"{path}: no pairs{f' below {empty[0]!r}' if empty else ''}")
    return [_relation(name, lines) for name, lines in found.items()]


def relations_of(sections: Sequence[AnalogySection]) -> list[Relation]:
    """Returns the relations that analogies are made of; sections without a question are none."""
    return [_relation(name, questions) for name, questions in sections if questions]


def read_countries(path: Path) -> list[Relation]:
    """Reads capitals and adjectives of countries.

    Args:
      path: a table whose first line names the columns, among them country, capital and adjective.
        Names are lower-cased, their parts joined by '_'. A cell may be empty.

    Returns:
      country-capital and country-adjective.

    Raises:
      InputError: if a column is missing, or a row has too few cells; naming the line.
    """
    reader = csv.DictReader(io.StringIO(decode(path.read_bytes(), path), newline=""))
    columns = reader.fieldnames or ()
    if lacking := [name for name in _COUNTRIES if name not in columns]:
        raise InputError(f"{path}: line 1: no column named {lacking[0]!r}, found {list(columns)}")
    lines: dict[str, list[tuple[str, ...]]] = {"country-capital": [], "country-adjective": []}
    for row in reader:
        if any(row[name] is None for name in _COUNTRIES):
            raise InputError(f"{path}: line {reader.line_num}: expected {len(columns)} columns")
        country, *others = ("_".join(row[name].lower().split()) for name in _COUNTRIES)
        for name, other in zip(lines, others, strict=True):
            # City states: same name, no offset.
            if country and other and country != other:
                lines[name].append((country, other))
    return [_relation(name, pairs) for name, pairs in lines.items() if pairs]


def _cut(words: tuple[str, ...]) -> list[tuple[str, str]]:
    return list(zip(words[::2], words[1::2], strict=True))


def _relation(name: str, lines: Sequence[tuple[str, ...]]) -> Relation:
    pairs = dict.fromkeys(pair for words in lines for pair in _cut(words))
    questions = [words for words in lines if len(words) == 4]
    return Relation(name, list(pairs), questions)
