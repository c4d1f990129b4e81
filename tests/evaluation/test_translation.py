import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.evaluation.translation import precision_at_one, retrieve

RNG = np.random.default_rng(8)
QUERIES, CANDIDATES, OTHERS = (RNG.normal(size=(size, 5)) + 0.5 for size in (11, 23, 17))


def cosines(a, b):
    a, b = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (a, b))
    return a @ b.T


def expected_scores(by, others):
    found = cosines(QUERIES, CANDIDATES)
    seen = cosines(others, CANDIDATES)
    if by == "csls":
        own = [np.sort(row)[-4:].mean() for row in found]
        hubs = [np.sort(column)[-4:].mean() for column in seen.T]
        return 2 * found - np.array(own)[:, None] - np.array(hubs)[None, :]
    if by == "inverted_softmax":
        return np.log(np.exp(found / 0.2) / np.exp(seen / 0.2).sum(axis=0)[None, :])
    return found


@pytest.mark.parametrize("others", [None, OTHERS])
@pytest.mark.parametrize("by", ["nearest", "csls", "inverted_softmax"])
def test_scores_are_those_of_plain_loops(by, others):
    expected = expected_scores(by, QUERIES if others is None else others)
    found = retrieve(
        *(jnp.float32(one) for one in (QUERIES, CANDIDATES)),
        k=3,
        by=by,
        neighbors=4,
        temperature=0.2,
        others=None if others is None else jnp.float32(others),
    )
    order = np.argsort(-expected, axis=1)[:, :3]
    np.testing.assert_array_equal(found.ids, order)
    np.testing.assert_allclose(found.scores, np.take_along_axis(expected, order, axis=1), atol=1e-4)


def test_a_hub_is_nearest_to_all_by_cosine_alone():
    queries = np.hstack([np.eye(6), np.ones((6, 1))])
    # Each query has its partner, which points elsewhere a little, and one is half near to all.
    partners = np.hstack([np.eye(6), np.zeros((6, 1))])
    candidates = np.vstack([partners, [[0.1] * 6 + [1]]])
    plain = retrieve(jnp.float32(queries), jnp.float32(candidates), by="nearest").ids[:, 0]
    corrected = retrieve(jnp.float32(queries), jnp.float32(candidates), neighbors=3).ids[:, 0]
    assert plain.tolist() == [6] * 6
    assert corrected.tolist() == [0, 1, 2, 3, 4, 5]


def test_any_right_answer_counts():
    found = np.array([[3, 1], [2, 0], [5, 5]])
    assert precision_at_one(found, [{1, 3}, {0}, {5}]) == pytest.approx(2 / 3)
    assert np.isnan(precision_at_one(np.empty((0, 1), int), []))
