"""Numbers of the different tokens between white space, found many at a time."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

_WIDEST = 16  # bytes of a token that the table holds, two machine words
_SLOT_BITS = 17
_SPACE = np.array([byte < 128 and chr(byte).isspace() for byte in range(256)])
# White space beyond ASCII, as str.split knows it: code points of two bytes and of three.
_WIDE_SPACES = [
    [0x85, 0xA0],
    [0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000],
]
_FIRST_OF_WIDE = np.isin(np.arange(256), (0xC2, 0xE1, 0xE2, 0xE3))
# Of eight bytes the first n, little endian.
_FIRST = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)


class TokenNumbers:
    """Numbers tokens in the order in which they first come, as `str.split` finds them.

    A dictionary of Python asked for one token at a time spends most of its time on waiting for
    memory. So the first token to reach each slot of a table of short ones is compared with all
    tokens of a text at once, in NumPy; only those that are longer or find another token in their
    slot are looked up in the dictionary.

    Attributes:
      new: tokens numbered since the list was last emptied.
    """

    def __init__(self) -> None:
        """Starts without any token."""
        self.new: list[str] = []
        self._numbers: dict[bytes, int] = {}
        # A token of no bytes never comes, so an empty slot is no token's.
        self._slots = np.zeros((2, 1 << _SLOT_BITS), np.uint64)
        self._slot_numbers = np.zeros(1 << _SLOT_BITS, np.int32)

    def of(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Numbers the tokens of texts.

        Args:
          texts: N texts.

        Returns:
          [M] int32 numbers of all their tokens, and [N] int64 how many each has.
        """
        data, ends_of_texts = _encode(texts)
        starts, ends = _between_spaces(data)
        sizes = np.diff(np.searchsorted(starts, ends_of_texts), prepend=0)
        return self._look_up(data, starts, ends), sizes

    def _look_up(self, data: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        if b"\0" in data:  # a token that ends in it would look like one without
            return np.array(self._ask(data, starts.tolist(), ends.tolist()), np.int32)
        halves = _halves(data, starts, ends - starts)
        hashes = (halves[0] * _FACTORS[0]) ^ (halves[1] * _FACTORS[1])
        slots = (hashes >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)
        numbers = self._slot_numbers[slots]
        found = (self._slots[0][slots] == halves[0]) & (self._slots[1][slots] == halves[1])
        found &= ends - starts <= _WIDEST
        missing = np.flatnonzero(~found)
        if missing.size:
            numbers[missing] = self._ask(data, starts[missing].tolist(), ends[missing].tolist())
            self._keep(missing, slots, halves, numbers, ends - starts)
        return numbers

    def _ask(self, data: bytes, starts: list[int], ends: list[int]) -> list[int]:
        """Looks tokens up in the dictionary; new ones get the next numbers."""
        known = self._numbers
        before, number = len(known), known.setdefault
        bounds = zip(starts, ends, strict=True)
        numbers = [number(data[start:end], len(known)) for start, end in bounds]
        latest = itertools.islice(reversed(known), len(known) - before)
        self.new += [token.decode("utf-8", "surrogatepass") for token in latest][::-1]
        return numbers

    def _keep(
        self,
        missing: np.ndarray,
        slots: np.ndarray,
        halves: np.ndarray,
        numbers: np.ndarray,
        sizes: np.ndarray,
    ) -> None:
        """Puts short tokens to empty slots."""
        short = missing[(sizes[missing] <= _WIDEST) & (self._slots[0][slots[missing]] == 0)]
        places, first = np.unique(slots[short], return_index=True)
        self._slots[:, places] = halves[:, short[first]]
        self._slot_numbers[places] = numbers[short[first]]


def _encode(texts: Sequence[str]) -> tuple[bytes, np.ndarray]:
    """Returns UTF-8 of the texts, white space between them, and [N] int64 where each ends."""
    joined = "\n".join(texts)
    data = joined.encode("utf-8", "surrogatepass")
    sizes: Iterable[int] = map(len, texts)
    if len(data) > len(joined):
        sizes = (len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return data, np.cumsum(np.fromiter(sizes, np.int64, len(texts)) + 1)


def _between_spaces(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Returns where tokens start and end."""
    characters = np.frombuffer(data + bytes(2), np.uint8)
    inside = np.zeros(len(data) + 3, bool)
    np.logical_not(_SPACE[characters], out=inside[1:])
    inside[-2:] = False
    if not data.isascii():
        first = np.flatnonzero(_FIRST_OF_WIDE[characters])
        one, two, three = (characters[first + i].astype(np.int32) & 0x3F for i in range(3))
        wide = characters[first] >= 0xE0
        code = np.where(wide, (one & 0xF) << 12 | two << 6 | three, (one & 0x1F) << 6 | two)
        for width, codes in zip((2, 3), _WIDE_SPACES, strict=True):
            found = first[(wide == (width == 3)) & np.isin(code, codes)]
            inside[found[:, None] + np.arange(1, width + 1)] = False
    bounds = np.flatnonzero(inside[1:] != inside[:-1])
    return bounds[::2], bounds[1::2]


def _halves(data: bytes, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns [2, M] uint64, the first and second eight bytes of tokens, zeros where they end."""
    padded = data + bytes(_WIDEST)
    # The eight bytes from every place on; places overlap.
    eight = np.ndarray((len(data) + 9,), "<u8", padded, strides=(1,))
    first = eight[starts] & _FIRST[np.minimum(sizes, 8)]
    second = eight[starts + 8] & _FIRST[np.clip(sizes - 8, 0, 8)]
    return np.stack([first, second])
