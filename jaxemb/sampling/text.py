"""Subsampled text, cut into groups of neighboring words, one batch a step."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np

from jaxemb.sampling.subsampling import subsample

# Words that are subsampled together. A stream keeps two blocks for each group in memory.
BLOCK = 1 << 15


class TextBatch(NamedTuple):
    """G groups of S neighboring words with a margin of W words on both sides.

    Attributes:
      words: [G, S + 2W] int32 ids; V where a group reaches beyond the text.
      documents: [G, S + 2W] int32, the document of each word; -1 beyond the text.
    """

    words: np.ndarray
    documents: np.ndarray


class TextStream:
    """The batches of every epoch over a corpus, each a function of (corpus, key, step).

    Each epoch draws anew which words are kept. They are cut into G equal streams, which start far
    apart; a step uses the next S words of each, so that every word is a center once an epoch.

    Attributes:
      epoch_steps: [E] int, the steps of each epoch.
    """

    def __init__(
        self,
        key: jax.Array,
        read: Callable[[int, int], np.ndarray],
        words: int,
        documents: np.ndarray,
        keep: np.ndarray,
        *,
        epochs: int,
        groups: int,
        size: int,
        margin: int,
        block: int = BLOCK,
    ):
        """Draws how many words are kept in each block of each epoch.

        Args:
          key: random key.
          read: copies the ids of words [start, stop) of the corpus.
          words: length of the corpus.
          documents: [D] where each document starts.
          keep: [V + 1] from `keep_probability`.
          epochs: passes over the corpus.
          groups: G.
          size: S.
          margin: W.
          block: words that are subsampled together; another number draws other words.
        """
        self._read, self._words, self._documents = read, words, documents
        self._keep, self._unknown = keep, len(keep) - 1
        self._seed = [int(part) for part in jax.random.key_data(key).ravel()]
        self._groups, self._size, self._margin = groups, size, margin
        self._block_words = block
        blocks = -(-words // block)
        kept = np.array(
            [[self._mask(e, b)[1].sum() for b in range(blocks)] for e in range(epochs)], np.int64
        ).reshape(epochs, blocks)
        self._ends = np.concatenate([np.zeros((epochs, 1), np.int64), kept.cumsum(1)], axis=1)
        self.epoch_steps = -(-self._ends[:, -1] // (groups * size))
        # A call reads each stream where the last one stopped, in blocks seen before.
        self._block = functools.lru_cache(2 * groups + 2)(self._draw_block)

    def _mask(self, epoch: int, block: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the block's ids and which of them are kept."""
        ids = self._read(
            block * self._block_words, min((block + 1) * self._block_words, self._words)
        )
        # By NumPy's fastest generator: with XLA, draws would queue behind the steps under way.
        rng = np.random.Generator(np.random.SFC64([*self._seed, epoch, block]))
        return ids, subsample(rng, ids, self._keep)

    def _draw_block(self, epoch: int, block: int) -> tuple[np.ndarray, np.ndarray]:
        ids, mask = self._mask(epoch, block)
        kept = np.flatnonzero(mask)
        start = block * self._block_words
        before, after = np.searchsorted(self._documents, [start, start + len(mask)], "right")
        # How many words are kept of each document within the block.
        begins = np.searchsorted(kept, self._documents[before:after] - start)
        sizes = np.diff(begins, prepend=0, append=len(kept))
        documents = np.arange(before, after + 1, dtype=np.int32)
        return ids[kept], np.repeat(documents, sizes)

    def _kept(self, epoch: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns ids and documents of kept words [start, stop), padded beyond the text."""
        ends = self._ends[epoch]
        first, last = max(start, 0), min(stop, int(ends[-1]))
        words = np.full(stop - start, self._unknown, np.int32)
        documents = np.full(stop - start, -1, np.int32)
        for block in range(
            int(np.searchsorted(ends, first, "right")) - 1, int(np.searchsorted(ends, last))
        ):
            ids, document = self._block(epoch, block)
            low, high = max(first, int(ends[block])), min(last, int(ends[block + 1]))
            here = slice(low - start, high - start)
            there = slice(low - int(ends[block]), high - int(ends[block]))
            words[here], documents[here] = ids[there], document[there]
        return words, documents

    def batches(self, start: int, stop: int) -> TextBatch:
        """Returns the batches of steps [start, stop), stacked along a new first axis."""
        parts = []
        first = 0
        for epoch, steps in enumerate(self.epoch_steps):
            low, high = max(start, first), min(stop, first + int(steps))
            if low < high:
                parts.append(self._epoch_batches(epoch, low - first, high - first))
            first += int(steps)
        return TextBatch(*map(np.concatenate, zip(*parts, strict=True)))

    def _epoch_batches(self, epoch: int, start: int, stop: int) -> TextBatch:
        shape = (stop - start, self._groups, self._size + 2 * self._margin)
        words, documents = np.empty(shape, np.int32), np.empty(shape, np.int32)
        stream = int(self.epoch_steps[epoch]) * self._size
        for group in range(self._groups):
            offset = group * stream + start * self._size - self._margin
            length = (stop - start) * self._size + 2 * self._margin
            for out, kept in zip(
                (words, documents), self._kept(epoch, offset, offset + length), strict=True
            ):
                windows = np.lib.stride_tricks.sliding_window_view(kept, shape[2])
                out[:, group] = windows[:: self._size]
        return TextBatch(words, documents)
