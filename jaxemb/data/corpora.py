"""Corpora by name or path: which files, how their words and documents are told apart."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.files import file_sha256
from jaxemb.data.sets import CORPORA
from jaxemb.data.text_files import Source, find_files
from jaxemb.data.tokenize import words
from jaxemb.errors import InputError


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


def open_corpus(names: Sequence[str], data_dir: Path) -> Corpus:
    """Finds the files of a corpus; text8 is downloaded if it is missing.

    Args:
      names: what the corpus is made of, in order: a name of `jaxemb.data.sets.CORPORA`, or the
        path of a text file or folder of text files, where each line is a document.
      data_dir: folder of the named corpora.

    Returns:
      The corpus; its text isn't read yet.

    Raises:
      InputError: if a name is neither known nor a path, a file is missing, or text8 is damaged or
        can't be downloaded.
    """
    if not names:
        raise InputError(f"no corpus is named; known are {', '.join(CORPORA)}, or give a path")
    return Corpus("+".join(names), tuple(_open_source(name, data_dir) for name in names))


def _open_source(name: str, data_dir: Path) -> Source:
    if name in CORPORA:
        return CORPORA[name](data_dir)
    path = Path(name)
    if not path.exists():
        raise InputError(
            f"{name}: no such file or folder, nor a known corpus ({', '.join(CORPORA)})"
        )
    return Source(tuple(find_files(path)), words, "\n")
