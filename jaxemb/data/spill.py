"""Word ids on disk while a text is being read, and what is known of its words."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxemb.data.text_notes import Note
from jaxemb.data.vocabulary import ProvisionalIds

# Different words held at a time: two gigabytes. Beyond, the rarest are forgotten.
MOST_WORDS = 1 << 23
_PART = 1 << 22


class Spill:
    """The words of a text by provisional ids, in files; counts of the different ones in memory.

    Attributes:
      ids: the provisional id of each word.
      words: how many there are in the files.
    """

    def __init__(self, folder: Path, most_words: int = MOST_WORDS):
        """Starts without words.

        Args:
          folder: where the files lie.
          most_words: different words at most. Beyond, the rarest are forgotten, so that half of
            that number is left (as in word2vec's ReduceVocab); where they stood nothing is left.
        """
        self.ids = ProvisionalIds()
        self.words = 0
        self._ids_file, self._starts_file = folder / "spill", folder / "starts"
        self._ids_file.touch()
        self._starts_file.touch()
        self._most_words = most_words
        self._counts = np.zeros(1 << 16, np.int64)
        self._document_begins = True
        self._forgotten = self._forgotten_words = self._rare = 0

    @property
    def counts(self) -> np.ndarray:
        """[V] int64, how often each word comes, by provisional id."""
        return self._counts[: len(self.ids)]

    def begin_document(self) -> None:
        """Lets the next word begin a document."""
        self._document_begins = True

    def add(self, ids: np.ndarray, sizes: np.ndarray) -> bool:
        """Appends documents; the first goes on with the one before.

        Args:
          ids: [M] int32 words of all of them.
          sizes: [N] int64 words of each.

        Returns:
          Whether words have new ids, since some were forgotten.
        """
        begins = sizes > 0
        begins[0] &= self._document_begins
        starts = self.words + np.cumsum(sizes) - sizes
        if len(sizes) > 1:
            self._document_begins = sizes[-1] == 0
        elif sizes[0]:
            self._document_begins = False
        _append(self._ids_file, ids)
        _append(self._starts_file, starts[begins])
        self.words += len(ids)
        if len(self.ids) > len(self._counts):
            more = np.zeros(2 * len(self.ids), np.int64)
            more[: len(self._counts)] = self._counts
            self._counts = more
        np.add.at(self._counts, ids, 1)
        if len(self.ids) <= self._most_words:
            return False
        self._forget_rare()
        return True

    def parts(self, size: int = _PART) -> Iterator[np.ndarray]:
        """Yields the words, so many at a time."""
        with self._ids_file.open("rb") as file:
            while (part := np.fromfile(file, np.int32, size)).size:
                yield part

    def documents(self) -> np.ndarray:
        """Maps [D] int64, where each document starts."""
        return np.memmap(self._starts_file, np.int64, "r")

    def remove(self) -> None:
        """Removes the files."""
        self._ids_file.unlink()
        self._starts_file.unlink()

    def notes(self) -> list[Note]:
        """Returns what there is to say."""
        if not self._forgotten:
            return []
        return [
            (
                "warning",
                f"more than {self._most_words:,} different words: the rarest were forgotten on "
                f"the way, {self._forgotten:,} with {self._forgotten_words:,} occurrences in all; "
                f"counts of those that are left may be too low by up to {self._rare:,} each",
            )
        ]

    def _forget_rare(self) -> None:
        counts = self.counts
        # Smallest count to forget at which at most half remains.
        place = len(counts) - self._most_words // 2 - 1
        rare = int(np.partition(counts, place)[place])
        kept = counts > rare
        self._forgotten += int(np.count_nonzero(~kept))
        self._forgotten_words += int(counts[~kept].sum())
        self._rare += rare
        number = np.where(kept, np.cumsum(kept, dtype=np.int32) - 1, np.int32(-1))
        self._rewrite(number)
        left = [(word, int(number[i])) for word, i in self.ids.items() if kept[i]]
        # The same object: tokenizers hold it.
        self.ids.clear()
        self.ids.update(left)
        self._counts = np.append(counts[kept], np.zeros(len(counts), np.int64))

    def _rewrite(self, number: np.ndarray) -> None:
        """Renumbers the words in the files and drops those without a number."""
        ids_new, starts_new = (
            file.with_suffix(".new") for file in (self._ids_file, self._starts_file)
        )
        starts = np.fromfile(self._starts_file, np.int64)
        moved = np.empty_like(starts)
        before = after = 0
        for part in self.parts():
            part = number[part]
            kept = part >= 0
            low, high = np.searchsorted(starts, (before, before + len(part)))
            moved[low:high] = after + np.append(0, np.cumsum(kept))[starts[low:high] - before]
            _append(ids_new, part[kept])
            before += len(part)
            after += int(np.count_nonzero(kept))
        # Documents without words start where the next does, or at the end.
        moved = np.unique(moved)
        if moved.size and moved[-1] == after:
            moved, self._document_begins = moved[:-1], True
        _append(starts_new, moved)
        ids_new.replace(self._ids_file)
        starts_new.replace(self._starts_file)
        self.words = after


def _append(path: Path, values: np.ndarray) -> None:
    with path.open("ab") as file:
        values.tofile(file)
