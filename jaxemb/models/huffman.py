"""Huffman's tree over a vocabulary: frequent words get short paths."""

import heapq
from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError


class HuffmanTree(NamedTuple):
    """The path from the root to each word, padded to the longest.

    Attributes:
      nodes: [V + 1, L] int32, the V - 1 inner nodes of the path, the root (V - 2) first; V - 1
        after its end. The last row, for words outside the vocabulary, is an empty path.
      codes: [V + 1, L] int8, 1 where the path goes to the first child, -1 to the second; 0 after
        its end.
    """

    nodes: np.ndarray
    codes: np.ndarray


def huffman_tree(counts: np.ndarray) -> HuffmanTree:
    """Joins the two rarest words or subtrees until one tree is left.

    No other binary tree has a shorter mean path over the corpus. Ties are broken by age, words
    first, so that the tree is a function of the counts.

    Args:
      counts: [V] occurrences of each word, V at least 2.

    Returns:
      The tree.

    Raises:
      InputError: if there are fewer than two words, or a count is negative or not finite.

    Reference:
      Huffman 1952, Proc. IRE 40(9); Mikolov et al. 2013, arXiv:1310.4546, section 2.1.
    """
    counts = np.asarray(counts)
    words = len(counts)
    if words < 2:
        raise InputError(f"a Huffman tree needs at least 2 words, found {words}")
    # NaN fails these comparisons.
    if (bad := np.flatnonzero(~((counts >= 0) & (counts < np.inf)))).size:
        raise InputError(
            f"counts must be finite and at least 0, found {counts[bad[0]]} at word {bad[0]}; "
            f"{bad.size} such counts"
        )
    heap = [(count, i) for i, count in enumerate(counts.tolist())]
    heapq.heapify(heap)
    parents, turns = np.zeros(2 * words - 1, np.int64), np.zeros(2 * words - 1, np.int8)
    for node in range(words, 2 * words - 1):
        (first_count, first), (second_count, second) = heapq.heappop(heap), heapq.heappop(heap)
        parents[[first, second]], turns[[first, second]] = node, (1, -1)
        heapq.heappush(heap, (first_count + second_count, node))
    return _paths(parents, turns, words)


def _paths(parents: np.ndarray, turns: np.ndarray, words: int) -> HuffmanTree:
    """Climbs from all words at once, then reverses each path to begin at the root."""
    root = len(parents) - 1
    at, climbed = np.arange(words), []
    while (below := at != root).any():
        climbed.append((np.where(below, parents[at], -1), np.where(below, turns[at], 0)))
        at = np.where(below, parents[at], root)
    nodes, codes = (np.stack(part, axis=1) for part in zip(*climbed, strict=True))
    lengths = (codes != 0).sum(axis=1, keepdims=True)
    level = np.arange(len(climbed))
    # A path's step l from the root is the word's step (length - 1 - l).
    step = np.maximum(lengths - 1 - level, 0)
    inside = level < lengths
    nodes = np.where(inside, np.take_along_axis(nodes, step, axis=1) - words, words - 1)
    codes = np.where(inside, np.take_along_axis(codes, step, axis=1), 0)
    return HuffmanTree(
        np.pad(nodes, ((0, 1), (0, 0)), constant_values=words - 1).astype(np.int32),
        np.pad(codes, ((0, 1), (0, 0))).astype(np.int8),
    )
