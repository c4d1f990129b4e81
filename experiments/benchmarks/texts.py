"""Forms of a corpus that a measurement needs, made once."""

import itertools
import lzma
from collections.abc import Iterator
from pathlib import Path

from jaxemb.errors import InputError


def write_plain(source: Path, target: Path) -> Path:
    """Unpacks an .xz text without its blank lines, unless that was done before.

    Returns:
      The target.
    """
    if not target.exists():
        part = target.with_name(target.name + ".part")
        with lzma.open(source, "rb") as lines, part.open("wb") as file:
            file.writelines(line for line in lines if not line.isspace())
        part.replace(target)
    return target


def write_prefix(source: Path, target: Path, *, words: int) -> Path:
    """Cuts the first words out of an .xz text into another, unless that was done before.

    Returns:
      The target.

    Raises:
      InputError: if the text has fewer words.
    """
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        # The quickest preset: the file is read once.
        with lzma.open(source, "rb") as lines, lzma.open(part, "wb", preset=0) as file:
            file.writelines(_prefix(lines, words, source))
        part.replace(target)
    return target


def _prefix(lines: lzma.LZMAFile, words: int, source: Path) -> Iterator[bytes]:
    missing = words
    for line in lines:
        here = line.split()
        if len(here) >= missing:
            yield b" ".join(itertools.islice(here, missing)) + b"\n"
            return
        missing -= len(here)
        yield line
    raise InputError(f"{source} has {words - missing:,} words, not {words:,}")


def link(source: Path, folder: Path) -> Path:
    """Returns a folder that holds the file alone, by a link."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    target.unlink(missing_ok=True)
    target.symlink_to(source.resolve())
    return folder
