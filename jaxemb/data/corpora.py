"""Corpora by name or path: which files, how their words and documents are told apart."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from jaxemb.data.columns import check_column
from jaxemb.data.files import file_sha256
from jaxemb.data.sets import CORPORA
from jaxemb.data.text_files import PLAIN, Reading, Source, find_files
from jaxemb.data.tokenize import Tokenizer, as_tokenizer
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
        """The checksum of each file, and of modules whose functions make the words.

        An unchanged file is read for it once a process.
        """
        modules = {
            f"tokenizer {source.tokenizer.name}": source.tokenizer.identity.split()[-1]
            for source in self.sources
            if source.tokenizer.identity and not source.tokenizer.split_lines
        }
        return {str(file): file_sha256(file) for file in self.files} | modules

    @property
    def can_be_told(self) -> bool:
        """Whether something tells each tokenizer from others."""
        return all(source.tokenizer.identity is not None for source in self.sources)


def open_corpus(
    names: Sequence[str],
    data_dir: Path,
    *,
    tokenizer: Tokenizer | None = None,
    reading: Reading = PLAIN,
) -> Corpus:
    """Finds the files of a corpus; text8 is downloaded if it is missing.

    Args:
      names: what the corpus is made of, in order: a name of `jaxemb.data.sets.CORPORA`, or the
        path of a text file or folder of text files.
      data_dir: folder of the named corpora.
      tokenizer: for files; named corpora are words already. None takes `words`.
      reading: how files are read.

    Returns:
      The corpus; its text isn't read yet.

    Raises:
      InputError: if a name is neither known nor a path, a file is missing, or text8 is damaged or
        can't be downloaded; if a file with columns comes without a column, or the other way round.
    """
    if not names:
        raise InputError(f"no corpus is named; known are {', '.join(CORPORA)}, or give a path")
    usual = as_tokenizer("words")
    named = [name for name in names if name in CORPORA]
    if named and (reading != PLAIN or (tokenizer and tokenizer.identity != usual.identity)):
        raise InputError(
            f"{named[0]} is words already: a tokenizer, encoding, column or kind of documents is "
            "for files"
        )
    sources = [_open_source(name, data_dir, tokenizer or usual, reading) for name in names]
    if len(named) < len(names):
        files = [
            file
            for name, source in zip(names, sources, strict=True)
            for file in source.files
            if name not in CORPORA
        ]
        check_column(files, reading.column)
    return Corpus("+".join(names), tuple(sources))


def _open_source(name: str, data_dir: Path, tokenizer: Tokenizer, reading: Reading) -> Source:
    if name in CORPORA:
        return CORPORA[name](data_dir)
    path = Path(name)
    if not path.exists():
        raise InputError(
            f"{name}: no such file or folder, nor a known corpus ({', '.join(CORPORA)})"
        )
    return Source(tuple(find_files(path)), tokenizer, reading)
