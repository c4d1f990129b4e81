"""How a file is read: what of its faults is forgiven, and what that changed."""

import codecs
import dataclasses
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal, cast

import numpy as np

from jaxemb.checks import check_fields
from jaxemb.data.text_files import check_encoding
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.io.word_table import check

Format = Literal[
    "word2vec", "word2vec-binary", "glove", "fasttext", "safetensors", "numpy", "tensorboard"
]

_logger = logging.getLogger("jaxemb")


@documented
@dataclasses.dataclass(frozen=True)
class ReadOptions:
    """What is forgiven of a file of word vectors."""

    format: Format | None = None
    """Format of the file. None tells it by the content."""
    encoding: str = "utf-8"
    """Encoding of the words, such as latin-1 or gb18030. UTF-16 with its mark needs no name."""
    errors: Literal["strict", "replace", "skip"] = "strict"
    """Words in another encoding: refuse the file, put U+FFFD for what can't be read, or leave them
    out. They are counted."""
    lenient: bool = False
    """Keep the first of equal words, leave out empty words and blank lines, and count the rows
    where line 1 claims another number. What was changed is told."""

    def __post_init__(self):
        check_fields(self)
        check_encoding(self.encoding)


@dataclasses.dataclass
class Reading:
    """A file while it is read.

    Attributes:
      path: the file as the user named it, for messages.
      source: where its bytes lie, unpacked.
      options: what is forgiven.
      changes: how often what was changed.
    """

    path: Path
    source: Path
    options: ReadOptions = ReadOptions()
    changes: Counter[str] = dataclasses.field(default_factory=Counter)

    def open_text(self, name: str = "") -> BinaryIO:
        """Opens the file, or one of this name in the folder, behind a byte order mark."""
        file = (self.source / name).open("rb")
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        return file

    def decode(self, raw: bytes, place: str) -> str | None:
        """Decodes a word.

        Args:
          raw: its bytes.
          place: where it stands in the file, for the message: "line 7".

        Returns:
          The word; None if it is to be left out.

        Raises:
          InputError: if the bytes are in another encoding, and that isn't forgiven.
        """
        encoding, errors = self.options.encoding, self.options.errors
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError as error:
            name = "UTF-8" if encoding == "utf-8" else encoding
            if errors == "strict":
                raise InputError(
                    f"{self.path}: {place}: byte {error.start + 1} of word {raw[:40]!r} is not "
                    f"{name}. Words in another encoding are read with its name, as in "
                    "encoding='latin-1'; errors='replace' puts U+FFFD there, errors='skip' leaves "
                    "such words out"
                ) from error
            if errors == "skip":
                self.changes[f"words left out that are not {name}"] += 1
                return None
            self.changes[f"words with U+FFFD for what is not {name}"] += 1
            return raw.decode(encoding, "replace")

    def decode_rows(self, raws: list[bytes], place: str, first: int) -> list[str | None]:
        """Decodes words, as `decode`; the first stands at "`place` `first`"."""
        try:
            return [raw.decode(self.options.encoding) for raw in raws]
        except UnicodeDecodeError:
            return [self.decode(raw, f"{place} {first + row}") for row, raw in enumerate(raws)]

    def settle(
        self, words: list[str | None], vectors: np.ndarray, *, place: str = "row", first: int = 0
    ) -> tuple[list[str], np.ndarray]:
        """Leaves out what is to be left out, and checks the rest.

        Args:
          words: [V] words, None for those left out already.
          vectors: [V, D] float32.
          place: what one row is called in this file: "row" or "line".
          first: the number of the first such place.

        Returns:
          The words and their vectors.

        Raises:
          InputError: as `word_table.check`.
        """
        numbers: Sequence[int] = range(first, first + len(words))
        if self.options.lenient or None in words:
            rows = self._kept_rows(words)
            if len(rows) < len(words):
                words, numbers = [words[row] for row in rows], [numbers[row] for row in rows]
                vectors = vectors[rows]
        kept = cast(list[str], words)
        check(kept, vectors, self.path, place=place, numbers=numbers)
        return kept, vectors

    def tell(self) -> None:
        """Tells in a line what was changed, if anything was."""
        if self.changes:
            told = "; ".join(f"{what}: {count:,}" for what, count in self.changes.items())
            _logger.warning(f"{self.path}: {told}")

    def _kept_rows(self, words: list[str | None]) -> list[int]:
        rows, met = [], set()
        for row, word in enumerate(words):
            if word is None:
                continue
            if self.options.lenient and (not word or word in met):
                self.changes["repeated words left out" if word else "empty words left out"] += 1
                continue
            rows.append(row)
            met.add(word)
        return rows
