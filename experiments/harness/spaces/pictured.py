"""Pictures and their words: emoji in two drawing styles, or a folder of one's own."""

import unicodedata
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb.data import pictures
from jaxemb.data.files import file_sha256
from jaxemb.data.sets import emoji
from jaxemb.data.text_files import read_lines
from jaxemb.data.tokenize import words as split_words
from jaxemb.errors import InputError

# Pixels of a side that pictures are brought to.
SIDE = 32
# Pictures with words that can be split into those learned from and those held out, twice.
FEWEST = 20


class Pictured(NamedTuple):
    """Pictures and their words.

    Attributes:
      names: N, as they are shown.
      texts: N lists of words by which a picture is asked for.
      words: N lists of all its words.
      keywords: N lists of those that are to be told from the picture.
      images: {style: [N, 32, 32, 3] uint8}, first the style that is asked.
      others: names of pictures without words, M.
      other_images: [M, 32, 32, 3] uint8.
      sha256: of what was read.
    """

    names: list[str]
    texts: list[list[str]]
    words: list[list[str]]
    keywords: list[list[str]]
    images: dict[str, np.ndarray]
    others: list[str]
    other_images: np.ndarray
    sha256: dict[str, str]


def read_emoji(data_dir: Path) -> Pictured:
    """Reads the emoji that both styles have, without flags.

    Raises:
      InputError: if the file is missing or damaged.
    """
    found = emoji.read(data_dir)
    rows = np.flatnonzero(~found.flags() & np.logical_and(*found.there.values()))
    texts = [found.names[row].lower().split() for row in rows]
    keywords = [[word.lower() for word in found.keywords[row]] for row in rows]
    return Pictured(
        [found.names[row] for row in rows],
        texts,
        [list(dict.fromkeys([*a, *b])) for a, b in zip(texts, keywords, strict=True)],
        keywords,
        {style: found.images[style][rows] for style in emoji.STYLES},
        [],
        np.empty((0, SIDE, SIDE, 3), np.uint8),
        {str(path): file_sha256(path) for path in found.files},
    )


def read_own(folder: Path, listed: Path) -> Pictured:
    """Reads a folder of pictures, and words of each; what lacks the other is counted and told.

    Args:
      folder: pictures, at any depth.
      listed: a line for each picture, or several: its path in the folder, or its name if no other
        has it, a tab, and words.

    Raises:
      InputError: if a file is damaged, or too few pictures have words.
    """
    files = pictures.find_pictures(folder)
    said = read_words(listed)
    paths = [unicodedata.normalize("NFC", str(file.relative_to(folder))) for file in files]
    places = {path: at for at, path in enumerate(paths)}
    ends = [path.rpartition("/")[2] for path in paths]
    alone = {end: at for at, end in enumerate(ends) if ends.count(end) == 1}
    found: dict[int, list[str]] = {}
    unknown = []
    for name, own in said.items():
        at = places.get(name, alone.get(name))
        if at is None:
            unknown.append(name)
        else:
            found[at] = list(dict.fromkeys([*found.get(at, ()), *own]))
    rows = sorted(at for at, own in found.items() if own)
    wordless = sorted(set(range(len(files))) - set(rows))
    if unknown:
        print(
            f"{len(unknown):,} of {len(said):,} names in {listed} are of no picture in {folder}: "
            f"{', '.join(unknown[:3])}"
        )
    if wordless:
        print(
            f"{len(wordless):,} of {len(files):,} pictures have no words; they are placed by their "
            f"looks: {', '.join(paths[at] for at in wordless[:3])}"
        )
    if len(rows) < FEWEST:
        raise InputError(
            f"{listed}: has words of {len(rows)} of {len(files):,} pictures in {folder}, {FEWEST} "
            f"are needed; a line is a picture's name, a tab and words, as {paths[0]}, a tab, a dog"
        )
    images = pictures.read_pictures(files, side=SIDE, color=True)
    words = [found[at] for at in rows]
    return Pictured(
        [paths[at] for at in rows],
        words,
        words,
        words,
        {"pictures": images[rows]},
        [paths[at] for at in wordless],
        images[wordless],
        {str(folder): pictures.files_sha256(folder, files), str(listed): file_sha256(listed)},
    )


def read_words(path: Path) -> dict[str, list[str]]:
    """Reads lines of a name, a tab and words.

    Returns:
      Names in Unicode's form NFC, and the words of each, lower-cased, none twice.

    Raises:
      InputError: if a line has no tab.
      OSError: if the file cannot be read.
    """
    said: dict[str, list[str]] = {}
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        name, tab, rest = line.partition("\t")
        if not tab:
            raise InputError(
                f"{path}: line {number}: expected a picture's name, a tab and words, found no tab "
                f"in {line.strip()[:80]!r}"
            )
        name = unicodedata.normalize("NFC", name.strip()).removeprefix("./")
        said[name] = list(dict.fromkeys([*said.get(name, ()), *split_words(rest)]))
    return said


def everything(given: Pictured) -> tuple[list[str], np.ndarray]:
    """Returns names and images of all pictures: of each style, then those without words."""
    names = given.names * len(given.images) + given.others
    return names, np.concatenate([*given.images.values(), given.other_images])


def unlike(given: Pictured, names: list[str]) -> list[str]:
    """Returns names that differ: with the style before, and a number after those that repeat."""
    drawn = np.repeat(list(given.images), len(given.names)).tolist()
    if len(drawn) > len(given.names):
        names = [f"{style}/{name}" for style, name in zip(drawn, names, strict=True)]
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return told
