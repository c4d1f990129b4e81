"""Character n-grams of words, hashed into buckets as fastText does."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_OFFSET, _PRIME = np.uint32(2166136261), np.uint32(16777619)


class Subwords(NamedTuple):
    """The n-grams of some words, word after word."""

    buckets: np.ndarray  # [S] int64 in [0, number of buckets)
    words: np.ndarray  # [S] int64, ascending: which word each is a part of


def subwords(words: Sequence[str], *, shortest: int, longest: int, buckets: int) -> Subwords:
    """Cuts words, with < before and > behind them, into overlapping pieces.

    Args:
      words: N words.
      shortest: characters in a piece, at least. Brackets alone are none.
      longest: characters, at most; 0 gives no pieces.
      buckets: pieces are numbered by a hash of 32 bits modulo this.

    Returns:
      The number of each piece; equal pieces of a word are repeated.

    Reference:
      Bojanowski et al. 2017, arXiv:1607.04606, section 3.2. The hash is FNV-1a over bytes, taken
      as signed numbers: what fastText computes, so that its models can be read.
    """
    text = "".join(f"<{word}>" for word in words)
    sizes = np.array([len(word) + 2 for word in words], np.int64)
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    encoded = np.frombuffer(text.encode(), np.uint8)
    lengths = 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
    starts = np.cumsum(lengths) - lengths
    owner = np.repeat(np.arange(len(sizes)), sizes)
    ends = np.cumsum(sizes)[owner]  # one past the last character of each one's word
    first, last = ends - sizes[owner], ends - 1

    found, owners = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    begins = np.arange(len(points))
    hashes = np.full(len(points), _OFFSET)
    for count in range(1, longest + 1):
        # Pieces of one character more; those that extend beyond their word are dropped.
        inside = begins + count <= ends[begins]
        begins, hashes = begins[inside], hashes[inside]
        character = begins + count - 1
        for place in range(4):
            longer = lengths[character] > place
            byte = encoded[starts[character[longer]] + place].astype(np.int8)
            hashes[longer] = (hashes[longer] ^ byte.astype(np.uint32)) * _PRIME
        if count >= shortest:
            bracket = (begins == first[begins]) | (begins == last[begins])
            kept = ~bracket if count == 1 else slice(None)
            found.append(hashes[kept].astype(np.int64) % buckets)
            owners.append(owner[begins[kept]])
    order = np.argsort(np.concatenate(owners), kind="stable")
    return Subwords(np.concatenate(found)[order], np.concatenate(owners)[order])
