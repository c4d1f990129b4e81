import numpy as np
import pytest

from jaxemb import items
from jaxemb.errors import InputError
from jaxemb.io import WordVectors

RNG = np.random.default_rng(6)
FEATURES = RNG.integers(2, size=(40, 3)).astype(np.float32)
TRUE = RNG.normal(size=(4, 5))


def vectors_of(features):
    found = np.concatenate([features, np.ones((len(features), 1))], axis=1) @ TRUE
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


FITTED = items.Fitted(
    WordVectors([f"i{i}" for i in range(40)], vectors_of(FEATURES)), {}, items.Options()
)


def test_it_is_the_ridge_regression_of_unit_vectors():
    new = np.array([[1, 0, 1], [0, 0, 0]], np.float32)
    found = items.place(FITTED, FEATURES, new, penalty=0.5)
    x = np.concatenate([FEATURES, np.ones((40, 1))], axis=1).astype(float)
    amount = 0.5 * np.mean(np.linalg.svd(x, compute_uv=False) ** 2)
    w = np.linalg.solve(x.T @ x + amount * np.eye(4), x.T @ FITTED.vectors.vectors)
    expected = np.concatenate([new, np.ones((2, 1))], axis=1) @ w
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_items_without_a_vector_teach_nothing():
    fitted = FITTED._replace(
        vectors=WordVectors(
            [*FITTED.vectors.words, "new"], np.pad(FITTED.vectors.vectors, [(0, 1), (0, 0)])
        )
    )
    features = np.concatenate([FEATURES, 9 * np.ones((1, 3), np.float32)])
    found = items.place(fitted, features, FEATURES[:2])
    np.testing.assert_allclose(found, items.place(FITTED, FEATURES, FEATURES[:2]), atol=1e-6)


def test_features_of_other_items_are_refused():
    with pytest.raises(InputError, match="features must have a row for each of 40 items"):
        items.place(FITTED, FEATURES[:5], FEATURES[:2])
    with pytest.raises(InputError, match="penalty must be at least 0"):
        items.place(FITTED, FEATURES, FEATURES, penalty=-1.0)
