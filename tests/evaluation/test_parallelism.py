import itertools

import jax
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.evaluation.parallelism import parallelism

KEY = jax.random.key(3)


def _related(rng, pairs, *, offset, kind=0.0, dim=30):
    """Vectors and rows of pairs; second words are the first, an offset of all, and noise."""
    first = rng.normal(size=(pairs, dim))
    second = first + offset * np.linspace(1.5, 0, dim) + kind + rng.normal(size=(pairs, dim))
    rows = np.stack([np.arange(pairs), pairs + np.arange(pairs)], axis=1)
    return np.concatenate([first, second]), rows


def _by_loops(vectors, pairs):
    found = []
    for (a, b), (c, d) in itertools.combinations(pairs.tolist(), 2):
        if len({a, b, c, d}) < 4:
            continue
        x, y = (
            vectors[j] / np.linalg.norm(vectors[j]) - vectors[i] / np.linalg.norm(vectors[i])
            for i, j in ((a, b), (c, d))
        )
        found.append(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    return np.mean(found)


def test_mean_cosine_of_pairs_without_a_common_word():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 5)) * rng.gamma(2, size=(12, 1))
    pairs = np.array([[0, 1], [2, 1], [3, 0], [4, 5], [11, 6], [6, 10], [8, 9]])
    found = parallelism(KEY, vectors, pairs, resamples=40)
    assert found.cosine == pytest.approx(_by_loops(vectors, pairs))
    assert found.interval[0] < found.cosine < found.interval[1]


def test_parallel_offsets_of_like_words():
    rng = np.random.default_rng(1)
    found = parallelism(KEY, *_related(rng, 20, offset=1.5), resamples=200)
    assert found.cosine > 0.4
    assert found.excess_interval[0] > 0


def test_another_kind_of_word_is_not_taken_for_a_relation():
    # Second words lie elsewhere, but which belongs to which first one nothing tells.
    rng = np.random.default_rng(2)
    vectors, pairs = _related(rng, 20, offset=2)
    vectors[20:] = rng.permutation(vectors[20:])
    found = parallelism(KEY, vectors, pairs, resamples=200)
    assert found.cosine > 0.2
    assert found.shuffled == pytest.approx(found.cosine, abs=0.05)
    assert found.excess_interval[0] < 0 < found.excess_interval[1]


def test_words_alike_without_a_direction():
    rng = np.random.default_rng(3)
    found = parallelism(KEY, *_related(rng, 25, offset=0), resamples=200)
    for low, high in (found.interval, found.shuffled_interval, found.excess_interval):
        assert low < 0 < high
    # Dealt out, both words of a pair take part in two offsets, with opposite signs: were these
    # compared, the mean would be below 0.
    assert abs(found.shuffled) < 0.01


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(4)
    truth = parallelism(KEY, *_related(rng, 1500, offset=0.7), resamples=1).cosine
    inside = 0
    for i in range(60):
        key = jax.random.fold_in(KEY, i)
        low, high = parallelism(key, *_related(rng, 10, offset=0.7), resamples=60).interval
        inside += low <= truth <= high
    # 57 of 60 are expected, with a standard deviation of 1.7.
    assert inside >= 51


def test_the_same_key_gives_the_same_figures():
    related = _related(np.random.default_rng(5), 8, offset=1)
    first, again = (parallelism(KEY, *related, resamples=40) for _ in range(2))
    assert first == again
    assert parallelism(jax.random.key(4), *related, resamples=40) != first


def test_equal_and_zero_vectors():
    vectors = np.ones((8, 3))
    vectors[5:] = 0
    found = parallelism(KEY, vectors, np.array([[0, 1], [2, 3], [4, 5], [6, 7]]), resamples=40)
    assert np.isfinite(np.hstack(found)).all()
    assert found.cosine == 0


def test_too_few_pairs():
    vectors = np.random.default_rng(6).normal(size=(6, 3))
    two = parallelism(KEY, vectors, np.array([[0, 1], [2, 3]]), resamples=40)
    assert two.cosine == pytest.approx(_by_loops(vectors, np.array([[0, 1], [2, 3]])))
    assert np.isnan(np.hstack(two)[1:]).all()
    for pairs in (np.empty((0, 2), int), [[0, 1]], [[0, 1], [1, 2]], 5 * [[0, 1]]):
        found = parallelism(KEY, vectors, np.array(pairs), resamples=40)
        assert np.isnan(np.hstack(found)).all()


def test_rows_out_of_range_are_refused():
    with pytest.raises(InputError, match=r"pairs: word id 6 at position 3 is outside \[0, 6\)"):
        parallelism(KEY, np.ones((6, 3)), np.array([[0, 1], [2, 6]]))
    with pytest.raises(AssertionError):
        parallelism(KEY, np.ones((6, 3)), np.array([0, 1]))
