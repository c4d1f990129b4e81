import itertools

import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.models.huffman import huffman_tree

COUNTS = np.array([45, 16, 13, 12, 9, 5])


def lengths(tree):
    return (tree.codes != 0).sum(axis=1)


def test_the_textbooks_example():
    # Cormen et al., "Introduction to Algorithms": codes of 1, 3, 3, 3, 4 and 4 bits
    tree = huffman_tree(COUNTS)
    assert lengths(tree).tolist() == [1, 3, 3, 3, 4, 4, 0]
    assert (lengths(tree)[:-1] * COUNTS).sum() == 224


def test_no_tree_has_a_shorter_mean_path():
    """Of all lengths that a binary tree of six leaves can have, by Kraft's equality."""
    rng = np.random.default_rng(0)
    possible = [
        depth
        for depth in itertools.combinations_with_replacement(range(1, 6), 6)
        if sum(2.0**-d for d in depth) == 1
    ]
    for _ in range(20):
        counts = np.sort(rng.integers(1, 60, 6))[::-1]
        best = min(sum(d * c for d, c in zip(depth, counts, strict=True)) for depth in possible)
        assert (lengths(huffman_tree(counts))[:-1] * counts).sum() == best


@pytest.mark.parametrize("words", [2, 3, 11, 200])
def test_each_way_is_one_of_a_tree(words):
    tree = huffman_tree(np.random.default_rng(words).integers(1, 1000, words))
    assert tree.nodes.dtype == np.int32
    assert tree.codes.dtype == np.int8
    assert tree.nodes.shape == tree.codes.shape == (words + 1, lengths(tree).max())
    children = {}
    for word in range(words):
        length = lengths(tree)[word]
        # The way, then padding.
        assert (tree.codes[word, :length] != 0).all()
        assert (tree.codes[word, length:] == 0).all()
        assert (tree.nodes[word, length:] == words - 1).all()
        assert tree.nodes[word, 0] == words - 2
        ends = [*tree.nodes[word, 1:length].tolist(), f"word {word}"]
        for node, code, end in zip(tree.nodes[word], tree.codes[word], ends, strict=False):
            # Whoever takes this turn comes to the same place.
            assert children.setdefault((int(node), int(code)), end) == end
    # Each of the V - 1 inner nodes has two children, and no place is reached twice.
    assert len(children) == len(set(children.values())) == 2 * (words - 1)
    # No way leads to words outside the vocabulary.
    assert (tree.codes[words] == 0).all()


def test_the_tree_is_a_function_of_the_counts():
    equal = [huffman_tree(np.full(7, 3)) for _ in range(2)]
    for first, second in zip(*equal, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_steep_vocabulary_has_long_ways():
    # Powers of two: each join takes one word more.
    tree = huffman_tree(2 ** np.arange(40, dtype=np.int64)[::-1])
    assert lengths(tree)[:-1].tolist() == [*range(1, 40), 39]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([3], "at least 2 words, found 1"),
        ([3.0, np.nan, 2.0], "found nan at word 1; 1 such counts"),
        ([3.0, 2.0, np.inf], "found inf at word 2"),
        ([3, -1, -2], "found -1 at word 1; 2 such counts"),
    ],
)
def test_counts_that_make_no_tree_are_refused(counts, message):
    with pytest.raises(InputError, match=message):
        huffman_tree(np.array(counts))
