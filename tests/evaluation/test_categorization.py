import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.data.word_sets import CategorySet
from jaxemb.evaluation.categorization import categorization


def _groups(sizes, spread):
    """Words around a few orthogonal directions, lengths from 1 to 100: [sum(sizes), 5]."""
    rng = np.random.default_rng(2)
    direction = np.repeat(np.arange(len(sizes)), sizes)
    points = np.eye(5)[direction] + spread * rng.normal(size=(sum(sizes), 5))
    points *= 100 ** rng.uniform(size=(sum(sizes), 1))
    words = [f"w{i}" for i in range(sum(sizes))]
    return words, {word: i for i, word in enumerate(words)}, points, direction


def test_is_the_best_partition_of_directions():
    """Against all ways of making three clusters of nine words."""
    words, index, points, _ = _groups([2, 3, 4], spread=0.35)
    categories = list("aabbbccac")
    unit = points / np.sqrt(np.sum(points**2, axis=1, keepdims=True))
    best = np.inf, None
    for partition in itertools.product(range(3), repeat=9):
        clusters = [[i for i in range(9) if partition[i] == k] for k in range(3)]
        if all(clusters):
            squares = sum(np.sum((unit[c] - unit[c].mean(axis=0)) ** 2) for c in clusters)
            best = min(best, (squares, clusters), key=lambda pair: pair[0])
    right = sum(
        max(sum(categories[i] == category for i in cluster) for category in "abc")
        for cluster in best[1]
    )
    score = categorization(jnp.asarray(points), index, CategorySet("x", words, categories))
    assert score == ("x", right / 9, 9, ())
    assert 1 / 3 < score.purity < 1


def test_separate_groups_are_pure():
    words, index, points, direction = _groups([7, 11, 5, 9], spread=0.05)
    categories = [str(d) for d in direction]
    score = categorization(jnp.asarray(points), index, CategorySet("x", words, categories))
    assert score.purity == 1


def test_missing_words_and_categories():
    words, index, points, direction = _groups([7, 11, 5], spread=0.05)
    word_set = CategorySet(
        "x", ["yeti", *words, "elf", "elf"], ["no", *(str(d) for d in direction), "0", "1"]
    )
    score = categorization(jnp.asarray(points), index, word_set)
    assert score == ("x", 1, 23, ("elf", "yeti"))


def test_nothing_known():
    score = categorization(jnp.ones((2, 3)), {}, CategorySet("x", ["elf"], ["a"]))
    assert np.isnan(score.purity)
    assert score[2:] == (0, ("elf",))


@pytest.mark.parametrize("value", [0, 3])
def test_equal_vectors_are_one_cluster(value):
    words, index, points, direction = _groups([2, 7, 4], spread=0.1)
    same = jnp.full(points.shape, value, jnp.float32)
    score = categorization(same, index, CategorySet("x", words, [str(d) for d in direction]))
    assert score.purity == 7 / 13
