"""Numbers of the different tokens between white space, found many at a time."""

import collections
from array import array
from collections.abc import Iterable, Sequence

import numpy as np

_WORDS = 4  # machine words that the table holds of a token
_BYTES = 8 * _WORDS
_SLOT_BITS = 20
_AT_ONCE = 1 << 15  # tokens: what is computed of them stays in the processor's cache
# White space beyond ASCII, as str.split knows it: code points of two bytes and of three.
_WIDE_SPACES = [
    [0x85, 0xA0],
    [0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000],
]
_FIRST_OF_WIDE = (0xC2, 0xE1, 0xE2, 0xE3)
# Of eight bytes the first n, little endian.
_FIRST = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
_FACTORS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F], np.uint64
)


class TokenNumbers:
    """Numbers tokens in the order in which they first come, as `str.split` finds them.

    A dictionary of Python asked for one token at a time spends most of its time on waiting for
    memory. So the first token to reach each slot of a table of short ones is compared with many
    tokens of a text at once, in NumPy; only those that are longer or find another token in their
    slot are looked up in a dictionary.

    Attributes:
      new: tokens numbered since it was last emptied, each a line.
    """

    def __init__(self) -> None:
        """Starts without any token."""
        self.new = ""
        self._count = 0
        # A token of no bytes never comes, so an empty slot is no token's.
        self._slots = np.zeros((_WORDS, 1 << _SLOT_BITS), np.uint64)
        self._slot_numbers = np.zeros(1 << _SLOT_BITS, np.int32)
        # The tokens outside the table, in the order in which they came, and their numbers.
        self._others: collections.defaultdict[bytes, int] = collections.defaultdict()
        self._others.default_factory = self._others.__len__
        self._other_numbers = array("i")

    def of(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers the tokens of texts.

        Args:
          texts: N texts.

        Returns:
          [M] int32 numbers of all their tokens, and [N] int64 how many each has.
        """
        data, ends_of_texts = _encode(texts)
        starts, sizes = _between_spaces(data)
        short = sizes < _BYTES
        if b"\0" in data:  # a token that ends in it would look like one without
            nul = np.flatnonzero(np.frombuffer(data, np.uint8) == 0)
            short[np.searchsorted(starts, nul, "right") - 1] = False
        data += bytes(_BYTES)
        numbers = np.empty(len(starts), np.int32)
        for i in range(0, len(starts), _AT_ONCE):
            part = slice(i, i + _AT_ONCE)
            numbers[part] = self._look_up(data, starts[part], sizes[part], short[part])
        return numbers, np.diff(np.searchsorted(starts, ends_of_texts), prepend=0)

    def _look_up(
        self, data: bytes, starts: np.ndarray, sizes: np.ndarray, short: np.ndarray
    ) -> np.ndarray:
        words = [_word(data, starts, sizes, 0)]
        hashes = words[0] * _FACTORS[0]
        longer = [np.arange(0)]
        for i in range(1, _WORDS):
            longer.append(np.flatnonzero(sizes >= 8 * i))
            words.append(_word(data, starts[longer[i]], sizes[longer[i]], i))
            hashes[longer[i]] ^= words[i] * _FACTORS[i]
        slots = (hashes >> np.uint64(64 - _SLOT_BITS)).view(np.int64)
        found = self._slots[0].take(slots) == words[0]
        found &= short
        for i in range(1, _WORDS):
            found[longer[i]] &= self._slots[i].take(slots[longer[i]]) == words[i]
        numbers = self._slot_numbers.take(slots)
        if not found.all():
            missing = np.flatnonzero(~found)
            numbers[missing] = self._number(
                data, starts[missing], sizes[missing], short[missing], slots[missing]
            )
        return numbers

    def _number(
        self,
        data: bytes,
        starts: np.ndarray,
        sizes: np.ndarray,
        short: np.ndarray,
        slots: np.ndarray,
    ) -> np.ndarray:
        """Numbers tokens that the table lacks, and puts to it those whose slots are empty."""
        empty = np.flatnonzero(short & (self._slots[0].take(slots) == 0))
        # Of several tokens the last to be written stays, which is the first in the text.
        self._slot_numbers[slots[empty[::-1]]] = empty[::-1]
        put = empty[self._slot_numbers.take(slots[empty]) == empty]
        same = short.copy()
        for i in range(_WORDS):
            word = _word(data, starts, sizes, i)
            self._slots[i, slots[put]] = word[put]
            same &= self._slots[i].take(slots) == word
        other = np.flatnonzero(~same)
        bounds = map(slice, starts[other].tolist(), (starts + sizes)[other].tolist())
        asked = map(self._others.__getitem__, map(data.__getitem__, bounds))
        places = np.fromiter(asked, np.int64, len(other))
        place, first = np.unique(places, return_index=True)
        appended = other[first[place >= len(self._other_numbers)]]
        new = np.sort(np.concatenate([put, appended]))
        self._slot_numbers[slots[put]] = self._count + np.searchsorted(new, put)
        self._other_numbers.extend((self._count + np.searchsorted(new, appended)).tolist())
        self._count += len(new)
        if new.size:
            self.new += _lines(data, starts[new], sizes[new])
        numbers = self._slot_numbers.take(slots)
        numbers[other] = np.asarray(self._other_numbers)[places]
        return numbers


def _encode(texts: Sequence[str]) -> tuple[bytes, np.ndarray]:
    """Returns UTF-8 of the texts, white space between them, and [N] int64 where each ends."""
    joined = "\n".join(texts)
    data = joined.encode("utf-8", "surrogatepass")
    line_ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    if len(line_ends) == len(texts) - 1:
        return data, np.append(line_ends, len(data))
    sizes: Iterable[int] = map(len, texts)
    if len(data) > len(joined):
        sizes = (len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return data, np.cumsum(np.fromiter(sizes, np.int64, len(texts)) + 1)


def _between_spaces(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Returns where tokens start, and how many bytes they have."""
    characters = np.frombuffer(data + b"\n\0", np.uint8)
    # Below zero is above 255: tab to carriage return, and from the file separator to the space.
    spaces = (characters - 9 < 5) | (characters - 28 < 5)
    if not data.isascii():
        may_be = characters == _FIRST_OF_WIDE[0]
        for byte in _FIRST_OF_WIDE[1:]:
            may_be |= characters == byte
        first = np.flatnonzero(may_be)
        one, two, three = (characters[first + i].astype(np.int32) & 0x3F for i in range(3))
        wide = characters[first] >= 0xE0
        code = np.where(wide, (one & 0xF) << 12 | two << 6 | three, (one & 0x1F) << 6 | two)
        for width, codes in zip((2, 3), _WIDE_SPACES, strict=True):
            found = first[(wide == (width == 3)) & np.isin(code, codes)]
            spaces[found[:, None] + np.arange(width)] = True
    ends = np.flatnonzero(spaces)
    starts = np.append(0, ends[:-1] + 1)
    sizes = ends - starts
    some = sizes > 0
    return starts[some], sizes[some]


def _word(data: bytes, starts: np.ndarray, sizes: np.ndarray, i: int) -> np.ndarray:
    """Returns [M] uint64, the i-th eight bytes of tokens, zeros where they end."""
    # The eight bytes from every place on; places overlap.
    eight = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    if i:
        starts, sizes = starts + 8 * i, sizes - 8 * i
    return eight[starts] & _FIRST.take(sizes, mode="clip")


def _lines(data: bytes, starts: np.ndarray, sizes: np.ndarray) -> str:
    """Returns tokens, each as a line."""
    ends = np.cumsum(sizes + 1)
    places = np.arange(ends[-1]) + np.repeat(starts - ends + sizes + 1, sizes + 1)
    characters = np.frombuffer(data, np.uint8)[places]
    characters[ends - 1] = ord("\n")
    return characters.tobytes().decode("utf-8", "surrogatepass")
