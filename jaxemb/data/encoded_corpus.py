"""Corpora as word ids, in memory or memory-mapped from disk."""

import dataclasses
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.data import vocabulary
from jaxemb.data.vocabulary import Vocabulary, check_ids
from jaxemb.errors import InputError


@dataclasses.dataclass(frozen=True)
class EncodedCorpus:
    """Every word of a corpus as its id; ids are ranks by count, so a prefix is a vocabulary.

    Attributes:
      vocabulary: all V different words.
      words: N, the length of the corpus.
      documents: [D] int64, where each document starts; documents without words aren't recorded.
      shards: int32 arrays, or files of them, which together are the corpus.
      shard_size: words in each but the last.
      shard_offset: bytes of a file before its first word, the header of .npy.
      sha256: the checksum of each data file.
      directory: where all this lies; None for a corpus in memory.
      notes: what there is to say about the text: "info" or "warning", and a sentence.
      sizes: words of each document that was given, 0 for those that aren't recorded; None where
        nobody has counted them, as in files.
    """

    vocabulary: Vocabulary
    words: int
    documents: np.ndarray
    shards: list[Path] | list[np.ndarray]
    shard_size: int
    shard_offset: int
    sha256: dict[str, str]
    directory: Path | None
    notes: Sequence[Sequence[str]] = ()
    sizes: np.ndarray | None = None

    def read(self, start: int, stop: int) -> np.ndarray:
        """Copies part of the corpus to memory.

        Args:
          start: the first word.
          stop: one past the last word.

        Returns:
          [stop - start] int32 ids in [0, V).

        Raises:
          IndexError: unless 0 <= start <= stop <= words.
          InputError: if the file holds other ids than it was written with.
        """
        if not 0 <= start <= stop <= self.words:
            raise IndexError(f"[{start}, {stop}) is outside the corpus of {self.words} words")
        size = self.shard_size
        parts = []
        for i in range(start // size, -(-stop // size)):
            shard, where = self.shards[i], "the corpus"
            if not isinstance(shard, np.ndarray):
                # Mapped anew each time: pages of a lasting map would count as the process's memory.
                where = str(shard)
                shard = np.memmap(shard, np.int32, "r", offset=self.shard_offset)
            part = shard[max(start - i * size, 0) : stop - i * size]
            check_ids(part, len(self.vocabulary), f"{where} (slice)")
            parts.append(part)
        return np.concatenate([np.empty(0, np.int32), *parts])


def shard_name(i: int) -> str:
    """Returns the file name of the i-th shard."""
    return f"tokens_{i:05d}.npy"


def load(directory: Path, known: Vocabulary | None = None) -> EncodedCorpus:
    """Maps what `encode` wrote.

    Args:
      directory: one encoded corpus.
      known: its vocabulary, if it need not be read again.

    Returns:
      The corpus on disk.

    Raises:
      InputError, OSError, ValueError, KeyError, TypeError: if a file is missing or damaged. Only
        the number of ids is checked here; `read` checks the ids.
    """
    manifest = json.loads((directory / "manifest.json").read_text())
    for name, size in manifest["bytes"].items():
        if (found := os.path.getsize(directory / name)) != size:
            raise InputError(f"{name} has {found} bytes, not {size}")
    shards = [directory / n for n in sorted(manifest["bytes"]) if n.startswith("tokens_")]
    first = np.load(shards[0], mmap_mode="r")
    return EncodedCorpus(
        vocabulary=known or vocabulary.load(directory / "vocabulary.txt"),
        words=manifest["words"],
        documents=np.load(directory / "documents.npy", mmap_mode="r"),
        shards=shards,
        shard_size=len(first),
        shard_offset=first.offset,
        sha256=manifest["sha256"],
        directory=directory,
        notes=manifest["notes"],
    )
