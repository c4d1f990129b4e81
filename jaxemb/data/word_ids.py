"""Texts to word ids by way of a tokenizer, with a count of what the tokenizer changes."""

import itertools
import operator
import re
import unicodedata
from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.data.token_numbers import TokenNumbers
from jaxemb.data.tokenize import CLAUSE, UNSPACED_SCRIPT, SplitLines, Tokenizer
from jaxemb.data.vocabulary import ProvisionalIds

# Characters of tokens remembered; beyond, all are forgotten and split again.
_MOST_CHARACTERS = 1 << 26
_LOWERED, _CUT, _UNSPACED, _LONG = 1, 2, 4, 8
_EXAMPLES = 2
# Scripts without spaces are there, and many others.
_FROM_THAI_ON = re.compile("[\u0e00-\U0010ffff]")


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
        if self._tokenizer.split_lines is None:
            split = [self._tokenizer.split(unicodedata.normalize("NFC", text)) for text in texts]
            sizes = np.fromiter(map(len, split), np.int64, len(split))
            every = itertools.chain.from_iterable(split)
            return np.fromiter(map(self._ids.__getitem__, every), np.int32, sizes.sum()), sizes
        numbers, sizes = self._tokens.of(texts)
        if self._tokens.new:
            self._learn(self._tokenizer.split_lines)
        token = numbers.astype(np.intp)
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

    def _learn(self, split_lines: SplitLines) -> None:
        """Splits the tokens that are new."""
        tokens, self._tokens.new = self._tokens.new, ""
        words = split_lines(tokens)
        characters = np.frombuffer(words.encode("utf-8", "surrogatepass"), np.uint8)
        line_ends = np.flatnonzero(characters == ord("\n"))
        some = np.diff(line_ends, prepend=-1) > 1
        spaces = np.flatnonzero(characters == ord(" "))
        counts = np.diff(np.searchsorted(spaces, line_ends), prepend=0) + some
        ends = len(self._numbers) + np.cumsum(counts)
        self._characters += len(tokens)
        # No list is kept for each token: the garbage collector would go through all of them.
        self._numbers.extend(map(self._ids.__getitem__, words.split()))
        self._starts.frombytes((ends - counts).tobytes())
        self._counts.frombytes(counts.astype(np.int32).tobytes())
        self._flags.frombytes(self._flag(tokens, words, some).tobytes())

    def _flag(self, tokens: str, words: str, some: np.ndarray) -> np.ndarray:
        """Tells how tokens differ from their words, [N] uint8, and keeps examples."""
        plain = unicodedata.normalize("NFC", tokens).replace("\u2019", "'")
        lowered, words_lowered = plain.lower(), words.lower()
        flags = _LOWERED * (some & _differ(plain, lowered) & ~_differ(words, words_lowered))
        cut = _differ(words, lowered)
        if words != words_lowered:
            cut &= _differ(words, plain)
        flags |= _CUT * cut
        if min(len(self._cuts), len(self._trims)) < _EXAMPLES:
            pairs = zip(tokens.split("\n"), words.split("\n"), strict=True)
            for token, of_token in itertools.compress(pairs, flags & _CUT):
                examples = self._trims if of_token and " " not in of_token else self._cuts
                if len(examples) < _EXAMPLES:
                    examples.append((token, tuple(of_token.split())))
        if _FROM_THAI_ON.search(words) and UNSPACED_SCRIPT.search(words):
            for i, line in enumerate(words.split("\n")):
                if not line.isascii() and UNSPACED_SCRIPT.search(line):
                    clause = next(filter(CLAUSE.search, line.split()), "")
                    flags[i] |= _UNSPACED | (_LONG if clause else 0)
                    self._clause = self._clause or clause
        return flags.astype(np.uint8)


def _differ(first: str, second: str) -> np.ndarray:
    """Tells of each line of two texts whether it differs."""
    if first == second:
        return np.zeros(first.count("\n"), bool)
    return np.fromiter(map(operator.ne, first.split("\n"), second.split("\n")), bool)[:-1]
