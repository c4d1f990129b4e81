import numpy as np
import pytest
from scipy.optimize import minimize

from jaxemb.errors import InputError
from jaxemb.methods.tsne.transform import transform
from jaxemb.projections.repulsion import ACCURATE


def made(seed=0):
    """References in three clusters, and a map that has them as they are."""
    rng = np.random.default_rng(seed)
    centers = np.array([[0.0, 0], [9, 2], [3, 11]])
    labels = np.arange(90) % 3
    embedding = centers[labels] + rng.normal(size=(90, 2))
    lift = rng.normal(size=(2, 6))
    return (embedding @ lift).astype(np.float32), embedding.astype(np.float32), labels, lift


def objective(y, embedding, p):
    w = 1 / (1 + np.sum((y - embedding) ** 2, axis=1))
    q = w / w.sum()
    return float(np.sum(p * np.log(np.where(p > 0, p, 1) / q)))


def test_new_points_are_where_their_objectives_are_smallest():
    references, embedding, _, _ = made()
    points = references[:5] + np.float32(0.05)
    found = transform(embedding, references, points, perplexity=4, iterations=1000, mesh=ACCURATE)
    for place, point in zip(found, points, strict=True):
        squares = np.sum((point.astype(float) - references) ** 2, axis=1)
        near = np.argsort(squares)[:12]
        low, high = 1e-6, 1e6
        for _ in range(200):
            precision = np.sqrt(low * high)
            weights = np.exp(-precision * (squares[near] - squares[near].min()))
            share = weights / weights.sum()
            wide = np.exp(-np.sum(share * np.log(np.maximum(share, 1e-300)))) > 4
            low, high = (precision, high) if wide else (low, precision)
        p = np.zeros(90)
        p[near] = share
        best = minimize(objective, place, (embedding, p), method="BFGS")
        assert objective(place, embedding, p) < best.fun + 1e-4
        np.testing.assert_allclose(place, best.x, atol=0.05)


def test_new_points_land_in_their_cluster_alone_or_together():
    references, embedding, labels, lift = made(1)
    rng = np.random.default_rng(2)
    near = rng.permutation(90)[:12]
    points = ((embedding[near] + 0.2 * rng.normal(size=(12, 2))) @ lift).astype(np.float32)
    found = transform(embedding, references, points)
    for place, label in zip(found, labels[near], strict=True):
        assert labels[np.argmin(np.sum((place - embedding) ** 2, axis=1))] == label
    alone = transform(embedding, references, points[3:4])
    np.testing.assert_allclose(alone[0], found[3], atol=1e-3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embedding": made()[1][:50]}, "a row for each of 90 references"),
        ({"perplexity": 31}, "from 1 to a third of the 90 references, found 31"),
        ({"learning_rate": np.nan}, "learning_rate must be more than 0"),
        ({"points": np.full((1, 6), np.nan)}, "points must be finite"),
        ({"embedding": made()[1] * 1e6}, "too many for a grid"),
    ],
)
def test_bad_input_is_named(change, message):
    references, embedding, _, _ = made()
    given = {"embedding": embedding, "references": references, "points": references[:2]} | change
    with pytest.raises(InputError, match=message):
        transform(**given)
