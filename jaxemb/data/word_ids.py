"""Texts to word ids by way of a tokenizer, with a count of what the tokenizer changes."""

import itertools
import unicodedata
from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.data.token_numbers import TokenNumbers
from jaxemb.data.tokenize import CLAUSE, UNSPACED_SCRIPT, Tokenizer
from jaxemb.data.vocabulary import ProvisionalIds

# Characters of tokens remembered; beyond, all are forgotten and split again.
_MOST_CHARACTERS = 1 << 26
_LOWERED, _CUT, _UNSPACED, _LONG = 1, 2, 4, 8
_EXAMPLES = 2


class Changes(NamedTuple):
    """What a tokenizer made of the tokens between white space."""

    tokens: int = 0
    lowered: int = 0
    cut: int = 0  # to several words, to none or to part of one
    unspaced: int = 0  # with a word in a script without spaces
    long: int = 0  # ... that is longer than a word is
    cuts: tuple[tuple[str, tuple[str, ...]], ...] = ()  # two examples
    clause: str = ""  # an example of a long one

    def and_of(self, other: "Changes") -> "Changes":
        """Returns the changes of two texts."""
        return Changes(
            self.tokens + other.tokens,
            self.lowered + other.lowered,
            self.cut + other.cut,
            self.unspaced + other.unspaced,
            self.long + other.long,
            (*self.cuts, *other.cuts)[:_EXAMPLES],
            self.clause or other.clause,
        )


class WordIds:
    """Turns texts into word ids. Each different token between white space is split only once."""

    def __init__(self, tokenizer: Tokenizer, ids: ProvisionalIds):
        """Starts without any token.

        Args:
          tokenizer: how text becomes words.
          ids: numbers of words; new words get theirs here.
        """
        self._tokenizer = tokenizer
        self._ids = ids
        self._tally = np.zeros(16, np.int64)  # tokens by their flags
        self._cuts: list[tuple[str, tuple[str, ...]]] = []  # of tokens cut within
        self._trims: list[tuple[str, tuple[str, ...]]] = []  # of tokens cut at their ends
        self._clause = ""
        self.forget()

    def forget(self) -> None:
        """Drops what is known of tokens; words that come keep their ids or get new ones."""
        self._tokens = TokenNumbers()
        self._characters = 0
        # Token i has the words numbers[starts[i] : starts[i] + counts[i]].
        self._numbers, self._starts, self._counts = array("i"), array("q"), array("i")
        self._flags = array("B")

    def of(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers the words of texts.

        Args:
          texts: N texts.

        Returns:
          [M] int32 ids of all their words, and [N] int64 how many each has.
        """
        if not self._tokenizer.by_token:
            split = [self._tokenizer.split(unicodedata.normalize("NFC", text)) for text in texts]
            sizes = np.fromiter(map(len, split), np.int64, len(split))
            every = itertools.chain.from_iterable(split)
            return np.fromiter(map(self._ids.__getitem__, every), np.int32, sizes.sum()), sizes
        token, sizes = self._tokens.of(texts)
        self._learn()
        self._tally += np.bincount(np.asarray(self._flags)[token], minlength=16)
        counts = np.asarray(self._counts)[token]
        starts = np.asarray(self._starts)[token]
        numbers = np.asarray(self._numbers)
        if (counts == 1).all():
            ids = numbers[starts]
        else:
            ends = np.cumsum(counts, dtype=np.int64)
            ids = numbers[np.repeat(starts - ends + counts, counts) + np.arange(ends[-1])]
            sizes = np.diff(np.append(0, ends)[np.cumsum(sizes)], prepend=0)
        if self._characters > _MOST_CHARACTERS:
            self.forget()
        return ids, sizes

    @property
    def changes(self) -> Changes:
        """What the tokenizer made of the tokens so far."""
        return Changes(
            int(self._tally.sum()),
            self._with(_LOWERED),
            self._with(_CUT),
            self._with(_UNSPACED),
            self._with(_LONG),
            tuple((self._cuts + self._trims)[:_EXAMPLES]),
            self._clause,
        )

    def _with(self, flag: int) -> int:
        return int(self._tally[np.arange(16) & flag > 0].sum())

    def _learn(self) -> None:
        """Splits the tokens that are new."""
        new, self._tokens.new = self._tokens.new, []
        every: list[str] = []
        counts, flags = [], []
        # No list is kept for each token: the garbage collector would go through all of them.
        for token in new:
            words = self._tokenizer.split(token)
            every += words
            counts.append(len(words))
            same = words == [token] and token.isascii()
            flags.append(0 if same else self._flag(token, words))
        ends = len(self._numbers) + np.cumsum(counts, dtype=np.int64)
        self._characters += sum(map(len, new))
        self._numbers.extend(map(self._ids.__getitem__, every))
        self._starts.frombytes((ends - counts).tobytes())
        self._counts.extend(counts)
        self._flags.extend(flags)

    def _flag(self, token: str, words: list[str]) -> int:
        """Tells how a token differs from its words, and keeps examples."""
        plain = unicodedata.normalize("NFC", token).replace("\u2019", "'")
        lowered = plain.lower()
        kept = "".join(words)
        flag = _LOWERED if kept and plain != lowered and kept == kept.lower() else 0
        if words not in ([plain], [lowered]):
            flag |= _CUT
            examples = self._trims if len(words) == 1 else self._cuts
            if len(examples) < _EXAMPLES:
                examples.append((token, tuple(words)))
        if not token.isascii() and any(map(UNSPACED_SCRIPT.search, words)):
            flag |= _UNSPACED
            clause = next(filter(CLAUSE.search, words), "")
            if clause:
                flag |= _LONG
                self._clause = self._clause or clause
        return flag
