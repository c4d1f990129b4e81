"""What is written and drawn of languages in one space."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb import io
from jaxemb.atomic import replacing
from jaxemb.data.dictionaries import read_dictionary
from jaxemb.errors import InputError
from jaxemb.evaluation.translation import precision_at_one
from jaxemb.methods import alignment
from jaxemb.progress import phase
from jaxemb.projections.neighbors import nearest_neighbors

from .. import command
from ..maps import drawing

# Words nearest on the map, among which a translation should be.
NEAR = 10


def first(words: io.WordVectors, most: int) -> io.WordVectors:
    """Returns the first words, all if `most` is 0."""
    return words if not most else io.WordVectors(words.words[:most], words.vectors[:most])


def files(path: Path) -> list[Path]:
    """Returns a file, or those of a folder."""
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def read_rows(path: Path, source: io.WordVectors, target: io.WordVectors) -> np.ndarray:
    """Reads a dictionary as rows [P, 2] of words that have vectors.

    Raises:
      InputError: naming the file, if it is no dictionary, or no pair has vectors.
    """
    pairs = read_dictionary(path)
    try:
        return alignment.rows_of(source, target, pairs)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def title(path: Path, other: str) -> str:
    """Returns what a language is called: by its file, if that has a name."""
    return path.name.partition(".")[0] or other


def write_languages(out: Path, sides: Sequence[tuple[str, io.WordVectors]]) -> None:
    """Writes the words of each language as word2vec text, NAME.txt."""
    for name, words in sides:
        with phase(f"writing {name}.txt"):
            io.write(out / f"{name}.txt", words)


def write_dictionary(
    path: Path, words: Sequence[str], found: Sequence[Sequence[tuple[str, float]]]
) -> None:
    """Writes words with their translations and scores, and prints the first.

    Args:
      path: a file, tab-separated.
      words: of one language.
      found: the translations of each, the best first.
    """
    with replacing(path) as part, part.open("w", encoding="utf-8") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE)
        table.writerow(("word", "translation", "score"))
        for word, best in zip(words, found, strict=True):
            table.writerows((word, other, f"{value:.4f}") for other, value in best)
    # Short words of all languages are spelled alike, and show little.
    shown = [at for at, word in enumerate(words) if len(word) > 4][:10]
    for at in shown:
        print(f"  {words[at]:>15}: {', '.join(other for other, _ in found[at])}")


def right_answers(rows: np.ndarray) -> tuple[np.ndarray, list[set[int]]]:
    """Returns the words asked, [Q] rows of one language, and which of the other are right.

    Args:
      rows: [P, 2] pairs of a test.
    """
    words = np.unique(rows[:, 0])
    return words, [set(rows[rows[:, 0] == word, 1].tolist()) for word in words]


def told_precision(name: str, found: np.ndarray, right: Sequence[set[int]]) -> float:
    """Returns, and prints, the share of first translations that are right."""
    share = precision_at_one(found, right)
    print(f"  {name:>16}: {share:.1%} of the first translations are right")
    return share


def draw(
    common: command.Common,
    sides: Sequence[io.WordVectors],
    links: Sequence[np.ndarray],
    *,
    titles: Sequence[str],
    drawn: int,
) -> float:
    """Draws the first words of languages in one map, a line between those that translate.

    Args:
      common: of the run.
      sides: two languages or more.
      links: of the first language with each other one: [P, 2] rows of words and translations.
      titles: what the languages are called.
      drawn: words of each.

    Returns:
      Share of these words of the first language with a translation among the ten words nearest on
      the map; NaN where none has a translation drawn.
    """
    parts = [(side.words[:drawn], side.vectors[:drawn]) for side in sides]
    # Frequent words of all sides first: of names there is room for some.
    order = np.argsort(np.concatenate([np.arange(len(words)) for words, _ in parts]), kind="stable")
    every = [word for words, _ in parts for word in words]
    sizes = [len(words) for words, _ in parts]
    starts = np.cumsum([0, *sizes])
    there = [
        rows[(rows[:, 0] < sizes[0]) & (rows[:, 1] < size)] + [0, start]
        for rows, size, start in zip(links, sizes[1:], starts[1:-1], strict=True)
    ]
    lines = np.argsort(order)[np.concatenate(there)]
    places = drawing.draw_space(
        common,
        np.concatenate([vectors for _, vectors in parts])[order],
        names=[every[row] for row in order],
        labels=np.repeat(np.arange(len(parts)), sizes)[order],
        classes=titles,
        links=lines,
        named=True,
        title=f"{', '.join(titles[:-1])} and {titles[-1]} in one space, by t-SNE",
    )
    near = near_on_map(places, lines)
    if np.isfinite(near):
        print(
            f"{len(np.unique(lines[:, 0])):,} words are drawn with a translation; {near:.1%} have "
            f"one among the {NEAR} nearest words on the map"
        )
    return near


def near_on_map(places: np.ndarray, links: np.ndarray) -> float:
    """Returns the share of linked words with a partner among those nearest on the map.

    Args:
      places: [N, 2] of all words.
      links: [L, 2] rows of words and their partners.

    Returns:
      The share; NaN without links.
    """
    words, partners = right_answers(links)
    if not len(words):
        return float("nan")
    k = min(NEAR, len(places) - 1)
    found = nearest_neighbors(places, k=k, metric="euclidean").ids[words]
    hits = [bool(own & set(row)) for own, row in zip(partners, found.tolist(), strict=True)]
    return float(np.mean(hits))
