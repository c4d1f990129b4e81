"""Corpora by name or path: which files, how their words and documents are told apart."""

import dataclasses
import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pooch

from jaxemb.data.pydocs import write_pydocs
from jaxemb.data.text_files import find_files
from jaxemb.data.tokenize import Tokenizer, words
from jaxemb.errors import InputError

_TEXT8_URL = "http://mattmahoney.net/dc/text8.zip"
_TEXT8_SHA256 = "a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232"
_WIKI = {"simplewiki": "corpus_simplewiki.txt.xz", "enwiki": "corpus_enwiki_a.txt.xz"}
_NAMES = ("pydocs", "text8", *_WIKI)


class Source(NamedTuple):
    """Files that are read alike."""

    files: tuple[Path, ...]
    tokenize: Tokenizer
    separator: str  # between documents: "\n", or "\n\n" where lines are paragraphs


@dataclasses.dataclass(frozen=True)
class Corpus:
    """One body of text, read in this order."""

    name: str
    sources: tuple[Source, ...]

    @property
    def files(self) -> list[Path]:
        """All files, in order."""
        return [file for source in self.sources for file in source.files]

    @property
    def sha256(self) -> dict[str, str]:
        """The checksum of each file; an unchanged file is read for it once a process."""
        return {str(file): file_sha256(file) for file in self.files}


def default_data_dir() -> Path:
    """Returns where data sets lie: JAXEMB_DATA, or a folder in the user's cache."""
    if folder := os.environ.get("JAXEMB_DATA"):
        return Path(folder)
    return pooch.os_cache("jaxemb") / "data"


def open_corpus(names: Sequence[str], data_dir: Path) -> Corpus:
    """Finds the files of a corpus; text8 is downloaded if it is missing.

    Args:
      names: what the corpus is made of, in order: `pydocs` (the docstrings of the Python packages
        installed here), `text8`, `simplewiki`, `enwiki`, or the path of a text file or folder of
        text files, where each line is a document.
      data_dir: folder of the named corpora but pydocs.

    Returns:
      The corpus; its text isn't read yet.

    Raises:
      InputError: if a name is neither known nor a path, a file is missing, or text8 is damaged or
        can't be downloaded.
    """
    if not names:
        raise InputError(f"no corpus is named; known are {', '.join(_NAMES)}, or give a path")
    return Corpus("+".join(names), tuple(_open_source(name, data_dir) for name in names))


def file_sha256(path: Path) -> str:
    """Returns a file's checksum in hexadecimal, computed once while size and time stay the same."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@functools.cache
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_source(name: str, data_dir: Path) -> Source:
    if name == "pydocs":
        return Source((write_pydocs(pooch.os_cache("jaxemb")),), words, "\n")
    if name == "text8":
        return Source((_find_text8(data_dir),), str.split, "\n")
    if name in _WIKI:
        path = data_dir / _WIKI[name]
        if not path.is_file():
            raise InputError(
                f"{path}: no such file. {name} is expected there as UTF-8 text, lower case and "
                "without punctuation: a line for each paragraph, a blank line between articles, "
                "the title first. --data-dir or JAXEMB_DATA names the folder"
            )
        return Source((path,), str.split, "\n\n")
    path = Path(name)
    if not path.exists():
        raise InputError(
            f"{name}: no such file or folder, nor a known corpus ({', '.join(_NAMES)})"
        )
    return Source(tuple(find_files(path)), words, "\n")


def _find_text8(data_dir: Path) -> Path:
    for form in ("text8", "text8.gz"):
        if (data_dir / form).is_file():
            return data_dir / form
    path = data_dir / "text8.zip"
    if not path.is_file():
        try:
            pooch.retrieve(
                _TEXT8_URL,
                known_hash=f"sha256:{_TEXT8_SHA256}",
                fname=path.name,
                path=data_dir,
                progressbar=True,
            )
        except (OSError, ValueError) as error:
            raise InputError(
                f"text8 is not in {data_dir} and could not be downloaded: {error}. Get "
                f"{_TEXT8_URL} and put it there as text8.zip, text8.gz or, unpacked, text8; "
                "--data-dir or JAXEMB_DATA names the folder"
            ) from error
    if (found := file_sha256(path)) != _TEXT8_SHA256:
        raise InputError(
            f"{path}: its sha256 is {found}, not {_TEXT8_SHA256}: it is truncated or another "
            f"file. Remove it, so that it is downloaded again, or get {_TEXT8_URL}"
        )
    return path
