"""Text that is held out of training, for evaluation."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError

# Words of a stretch held out: about a document, and many of them in a large corpus.
STRETCH = 500
# Words in a block.
BLOCK = 1 << 20

Read = Callable[[int, int], np.ndarray]


class Parts(NamedTuple):
    """A text for training and one for evaluation; words keep their places in the whole text.

    Attributes:
      trained_on: copies the ids of words [start, stop), V instead of words that are held out.
      held_out: the same, V instead of words that are trained on.
      documents: [D] where each document starts, and where each stretch held out starts and ends: no
        window crosses these.
    """

    trained_on: Read
    held_out: Read
    documents: np.ndarray


def hold_out(
    read: Read,
    *,
    words: int,
    documents: np.ndarray,
    share: float,
    least: int,
    unknown: int,
    longest: int = STRETCH,
) -> Parts:
    """Holds out stretches at equal distances, whatever the documents.

    Args:
      read: copies the ids of words [start, stop) of the text.
      words: N, its length.
      documents: [D] where each document starts.
      share: of the text to hold out, in (0, 0.5].
      least: words that a stretch must have.
      unknown: V, the id that stands for any other word.
      longest: words of a stretch, fewer in a short text.

    Returns:
      The parts: one of every round(1 / share) stretches is held out.

    Raises:
      InputError: if the text is too short for a stretch to be held out.
    """
    every = round(1 / share)
    # A short text has shorter stretches.
    stretch = min(longest, words // every)
    if stretch < least:
        raise InputError(
            f"{words:,} words are too few to hold out a share of {share:g}, which would be "
            f"{words // every} words; {least} are needed, so that the text must have "
            f"{least * every:,}"
        )
    # In the middle of each round, so that a text a little longer than a round has one.
    first = stretch * (every // 2)
    cuts = np.arange(first, words, stretch * every)
    cuts = np.concatenate([cuts, cuts + stretch])

    def is_held_out(start: int, stop: int) -> np.ndarray:
        return np.arange(start, stop) // stretch % every == every // 2

    def trained_on(start: int, stop: int) -> np.ndarray:
        return np.where(is_held_out(start, stop), np.int32(unknown), read(start, stop))

    def held_out(start: int, stop: int) -> np.ndarray:
        return np.where(is_held_out(start, stop), read(start, stop), np.int32(unknown))

    return Parts(trained_on, held_out, np.union1d(documents, cuts[cuts < words]))


def count_windows(
    read: Read,
    *,
    words: int,
    documents: np.ndarray,
    window: int,
    unknown: int,
    enough: int,
    block: int = BLOCK,
) -> int:
    """Counts the windows of a text without its unknown words; none crosses a document.

    Reading stops once enough windows are found.

    Args:
      read: copies the ids of words [start, stop) of the text.
      words: N, its length.
      documents: [D] where each document starts, the first at 0.
      window: words of a window.
      unknown: V; this id and larger ones are dropped.
      enough: windows after which reading stops: a count above it may be too low.
      block: words read at a time; changes speed alone.
    """
    count = 0
    lengths = np.zeros(len(documents), np.int64)
    for start in range(0, words, block):
        stop = min(start + block, words)
        first, last = np.searchsorted(documents, [start, stop - 1], "right")
        edges = np.maximum(documents[first - 1 : last] - start, 0)
        lengths[first - 1 : last] += np.add.reduceat(
            read(start, stop) < unknown, edges, dtype=np.int64
        )
        if (count := int(np.maximum(lengths - window + 1, 0).sum())) >= enough:
            break
    return count
