import functools

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats

from jaxemb.sampling.windows import in_window, whole_windows, window_reach

WINDOW = 3
# Two stretches of 11 words, of which the middle 5 are centers; -1: beyond the text.
DOCUMENTS = jnp.array([[-1, -1, 4, 4, 4, 5, 5, 6, 6, 6, 6], [2, 2, 2, 2, 2, 2, 2, 2, 2, -1, -1]])


draw = jax.jit(functools.partial(window_reach, window=WINDOW))


def reaches(key, documents=DOCUMENTS):
    return map(np.asarray, draw(key, documents))


def test_no_window_crosses_a_document_or_the_end_of_the_text():
    left, right = np.zeros((2, 5), int), np.zeros((2, 5), int)
    for seed in range(60):
        new_left, new_right = reaches(jax.random.key(seed))
        left, right = np.maximum(left, new_left), np.maximum(right, new_right)
        assert (new_left >= 0).all()
        assert (new_right >= 0).all()
    # By hand: how far the largest window of 3 can go.
    np.testing.assert_array_equal(left, [[1, 2, 0, 1, 0], [3, 3, 3, 3, 3]])
    np.testing.assert_array_equal(right, [[1, 0, 1, 0, 3], [3, 3, 3, 2, 1]])


def test_the_window_is_uniform_and_one_for_both_sides():
    documents = jnp.zeros((500, 40 + 2 * WINDOW), jnp.int32)
    left, right = reaches(jax.random.key(7), documents)
    np.testing.assert_array_equal(left, right)
    assert scipy.stats.chisquare(np.bincount(left.ravel(), minlength=4)[1:]).pvalue > 1e-3


def test_words_beyond_the_text_have_no_context():
    documents = jnp.full((1, 4 + 2 * WINDOW), -1)
    left, right = reaches(jax.random.key(0), documents)
    assert not left.any()
    assert not right.any()


def test_in_window_marks_the_pairs():
    left, right = jnp.array([[0, 2], [1, 0]]), jnp.array([[2, 0], [0, 1]])
    marked = np.asarray(in_window(left, right, margin=2, columns=7))
    for g in range(2):
        for s in range(2):
            for c in range(6):
                offset = c - (s + 2)
                expected = offset != 0 and -left[g, s] <= offset <= right[g, s]
                assert marked[g, s, c] == expected


def test_whole_windows_lie_in_one_document():
    for window in (1, 3, 4):
        found = np.asarray(whole_windows(DOCUMENTS, window=window))
        assert found.shape == (2, 11 - window + 1)
        for g in range(2):
            for s in range(11 - window + 1):
                inside = set(DOCUMENTS[g, s : s + window].tolist())
                assert found[g, s] == (len(inside) == 1 and inside != {-1})
