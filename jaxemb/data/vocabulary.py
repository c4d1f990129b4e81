"""The words of a corpus with their counts; a word's id is its rank."""

import collections
import dataclasses
import functools
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from jaxemb.data.text_files import decode
from jaxemb.errors import InputError

_LINES = re.compile(r"(?:\S+[ \t]+[0-9]{1,18}[ \t\r]*\n)*+")


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Words in order of descending count, ties in order of the words.

    Attributes:
      words: V different words; a word's id is its place here.
      counts: [V] int64, occurrences of each in the corpus.
    """

    words: list[str]
    counts: np.ndarray

    def __len__(self) -> int:
        """Returns V."""
        return len(self.words)

    @functools.cached_property
    def ids(self) -> dict[str, int]:
        """The id of each word."""
        return {word: i for i, word in enumerate(self.words)}

    def encode(self, words: Iterable[str]) -> np.ndarray:
        """Looks words up.

        Args:
          words: N words.

        Returns:
          [N] int32 ids.

        Raises:
          InputError: naming the words that the vocabulary lacks.
        """
        words = list(words)
        unknown = [word for word in dict.fromkeys(words) if word not in self.ids]
        if unknown:
            shown = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
            raise InputError(
                f"{len(unknown)} words are not among the vocabulary's {len(self)}: {shown}. Is "
                "the spelling (lower case?) that of the corpus, or is min_count too large?"
            )
        return np.array([self.ids[word] for word in words], np.int32)

    def save(self, path: Path) -> None:
        """Writes a line `word count` for each word, in UTF-8 (word2vec's -save-vocab form).

        Raises:
          InputError: if a word is empty or contains white space.
        """
        if " ".join(self.words).split() != self.words:
            bad = next(word for word in self.words if word.split() != [word])
            raise InputError(f"{path}: the word {bad!r} is empty or contains white space")
        lines = (f"{w} {c}\n" for w, c in zip(self.words, self.counts.tolist(), strict=True))
        path.write_bytes("".join(lines).encode())


class ProvisionalIds(collections.defaultdict[str, int]):
    """Numbers words in the order in which they appear."""

    def __init__(self) -> None:
        """Starts without words; the number of a new one is how many came before."""
        super().__init__(self.__len__)


def rank(ids: dict[str, int], counts: np.ndarray) -> tuple[Vocabulary, np.ndarray]:
    """Orders words by descending count, those counted alike by themselves.

    Args:
      ids: V words in the order of their provisional ids, 0 to V - 1.
      counts: [V] int64 occurrences of each, by provisional id.

    Returns:
      The vocabulary, and [V] int32 the id there of each provisional id.
    """
    words = list(ids)
    by_word = np.array(sorted(range(len(words)), key=words.__getitem__))
    order = by_word[np.argsort(-counts[by_word], kind="stable")]
    ranks = np.empty(len(words), np.int32)
    ranks[order] = np.arange(len(words), dtype=np.int32)
    return Vocabulary(list(map(words.__getitem__, order.tolist())), counts[order]), ranks


def load(path: Path) -> Vocabulary:
    """Reads what `Vocabulary.save` writes.

    Args:
      path: UTF-8 text, a line for each word: the word, a space or tab, its count.

    Returns:
      The vocabulary; empty for an empty file.

    Raises:
      InputError: if the file can't be read, at a bad line or duplicate word, and where the counts
        don't descend, naming the line.
    """
    try:
        text = decode(path.read_bytes(), path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if not text.endswith("\n") and text:
        text += "\n"
    good = _LINES.match(text)
    if good is not None and good.end() < len(text):
        line = text[good.end() :].partition("\n")[0]
        raise InputError(
            f"{path}: line {text.count(chr(10), 0, good.end()) + 1}: expected a word and its "
            f"count (at least 0), found {line[:80]!r}"
        )
    fields = text.split()
    words, counts = fields[::2], np.array([int(count) for count in fields[1::2]], np.int64)
    vocabulary = Vocabulary(words, counts)
    if len(vocabulary.ids) != len(words):
        number = next(n for n, word in enumerate(words, 1) if vocabulary.ids[word] != n - 1)
        raise InputError(f"{path}: line {number}: the word {words[number - 1]!r} comes again later")
    if (rises := np.flatnonzero(np.diff(counts) > 0)).size:
        number = int(rises[0]) + 2
        raise InputError(
            f"{path}: line {number}: the count {counts[number - 1]} is larger than "
            f"{counts[number - 2]} before it; words come in order of descending count"
        )
    return vocabulary


def truncate(vocabulary: Vocabulary, *, min_count: int, max_size: int | None = None) -> Vocabulary:
    """Keeps the frequent words. Their ids stay the same: ids from the new size on are unknown.

    Args:
      vocabulary: V words.
      min_count: a word that occurs less often is left out.
      max_size: keep at most so many words. None keeps all.

    Returns:
      The first words of the vocabulary.

    Raises:
      InputError: if no word is left.
    """
    size = int(np.count_nonzero(vocabulary.counts >= min_count))
    if max_size is not None:
        if max_size < 1:
            raise InputError(f"max_size must be at least 1, found {max_size}")
        size = min(size, max_size)
    if size == 0:
        most = f"the largest is {vocabulary.counts[0]}" if len(vocabulary) else "there are no words"
        raise InputError(f"no word has a count of at least min_count = {min_count}: {most}")
    return Vocabulary(vocabulary.words[:size], vocabulary.counts[:size])


def check_ids(ids: np.ndarray, size: int, what: str) -> None:
    """Refuses ids outside a table, which JAX would silently clamp.

    Args:
      ids: integers, any shape.
      size: rows of the table they index.
      what: what holds the ids, for the message, e.g. a file name.

    Raises:
      InputError: naming the first bad id, its (flat) position and how many there are.
    """
    if not ids.size or (ids.min() >= 0 and ids.max() < size):
        return
    flat = ids.ravel()
    bad = np.flatnonzero((flat < 0) | (flat >= size))
    raise InputError(
        f"{what}: word id {flat[bad[0]]} at position {bad[0]} is outside [0, {size}); "
        f"{bad.size} such ids. Was it encoded with another vocabulary?"
    )
