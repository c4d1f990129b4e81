import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.projections.self_learning import best_of_both, best_of_each, by_similarities

RNG = np.random.default_rng(9)


def corrected(source, target, neighbors):
    source, target = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (source, target))
    cosines = source @ target.T
    rows = np.sort(cosines, axis=1)[:, -neighbors:].mean(axis=1)
    columns = np.sort(cosines, axis=0)[-neighbors:].mean(axis=0)
    return cosines, 2 * cosines - rows[:, None] - columns[None, :]


@pytest.mark.parametrize("sizes", [(30, 41), (700, 520)])  # the second is more than a block
def test_pairs_are_those_of_all_scores(sizes):
    source, target = (RNG.normal(size=(size, 6)) + 0.4 for size in sizes)
    cosines, scores = corrected(source, target, 5)
    pairs, similarity = best_of_each(
        jax.random.key(0), jnp.float32(source), jnp.float32(target), keep=1.0, neighbors=5
    )
    np.testing.assert_array_equal(pairs[: sizes[0], 0], np.arange(sizes[0]))
    np.testing.assert_array_equal(pairs[: sizes[0], 1], scores.argmax(axis=1))
    np.testing.assert_array_equal(pairs[sizes[0] :, 1], np.arange(sizes[1]))
    np.testing.assert_array_equal(pairs[sizes[0] :, 0], scores.argmax(axis=0))
    both = best_of_both(jnp.float32(source), jnp.float32(target), neighbors=5)
    forward, backward = scores.argmax(axis=1), scores.argmax(axis=0)
    mutual = [(row, column) for row, column in enumerate(forward) if backward[column] == row]
    assert both.tolist() == [list(pair) for pair in mutual]
    expected = (cosines.max(axis=1).mean() + cosines.max(axis=0).mean()) / 2
    assert similarity == pytest.approx(expected, rel=1e-4)


def test_a_share_is_looked_at():
    source, target = (jnp.float32(RNG.normal(size=(400, 6))) for _ in range(2))
    whole, some, same = (
        best_of_each(jax.random.key(3), source, target, keep=keep, neighbors=5)[0]
        for keep in (1.0, 0.3, 0.3)
    )
    np.testing.assert_array_equal(some, same)
    # The best is seen in three of ten cases.
    assert 0.22 < np.mean(whole[:400, 1] == some[:400, 1]) < 0.38


def test_a_turned_space_is_recognized_by_its_similarities():
    points = RNG.normal(size=(300, 8)) * np.linspace(2, 0.5, 8)
    points[:150] += 2
    order = RNG.permutation(300)
    turned = (points @ np.linalg.qr(RNG.normal(size=(8, 8)))[0])[order]
    pairs = by_similarities(jnp.float32(points), jnp.float32(turned), neighbors=5)
    assert np.mean(order[pairs[:, 1]] == pairs[:, 0]) > 0.99
