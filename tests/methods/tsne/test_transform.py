import dataclasses

import numpy as np
import pytest
from scipy.optimize import minimize

from jaxemb.errors import InputError
from jaxemb.methods import tsne
from jaxemb.methods.tsne import TransformOptions, transform


def made(seed=0):
    """References in three clusters, and a map that has them as they are."""
    rng = np.random.default_rng(seed)
    centers = np.array([[0.0, 0], [9, 2], [3, 11]])
    labels = np.arange(90) % 3
    embedding = centers[labels] + rng.normal(size=(90, 2))
    lift = rng.normal(size=(2, 6))
    return (embedding @ lift).astype(np.float32), embedding.astype(np.float32), labels, lift


def fitted(embedding, references, **options):
    """A finished map of these references."""
    count = len(references)
    return tsne.Fitted(
        embedding=embedding,
        kl=0.0,
        kl_trace=np.zeros((1, 2)),
        iterations=1,
        perplexity=np.full(count, 30, np.float32),
        recall=1.0,
        seconds={},
        points=references,
        options=tsne.Options(**options),
    )


def objective(y, embedding, p):
    w = 1 / (1 + np.sum((y - embedding) ** 2, axis=1))
    q = w / w.sum()
    return float(np.sum(p * np.log(np.where(p > 0, p, 1) / q)))


def test_new_points_are_where_their_objectives_are_smallest():
    references, embedding, _, _ = made()
    points = references[:5] + np.float32(0.05)
    options = TransformOptions(perplexity=4, iterations=1000, repulsion="accurate")
    found = transform(fitted(embedding, references), points, options)
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
    map_ = fitted(embedding, references)
    found = transform(map_, points)
    for place, label in zip(found, labels[near], strict=True):
        assert labels[np.argmin(np.sum((place - embedding) ** 2, axis=1))] == label
    alone = transform(map_, points[3:4])
    np.testing.assert_allclose(alone[0], found[3], atol=1e-3)


def test_neighbors_are_by_the_maps_metric():
    references, embedding, labels, _ = made(3)
    far = references[:6] * 1000
    found = transform(fitted(embedding, references, metric="cosine"), far)
    # Of the same direction, however far.
    np.testing.assert_allclose(
        found, transform(fitted(embedding, references, metric="cosine"), references[:6]), atol=1e-3
    )
    assert np.abs(found - transform(fitted(embedding, references), far)).max() > 1


@pytest.mark.parametrize(
    "change",
    [
        {"perplexity": 9.0},
        {"iterations": 20},
        {"learning_rate": 0.03},
        {"momentum": 0.2},
        {"neighbors_per_perplexity": 2.0},
        {"repulsion": "accurate"},
        {"margin": 13.7},
    ],
)
def test_each_option_changes_the_result(change):
    references, embedding, _, _ = made(4)
    map_, points = fitted(embedding, references), references[:7] + np.float32(0.1)
    options = TransformOptions(iterations=40)
    changed = dataclasses.replace(options, **change)
    assert (transform(map_, points, options) != transform(map_, points, changed)).any()


def test_every_option_is_changed():
    tested = test_each_option_changes_the_result.pytestmark[0].args[1]
    names = {field.name for field in dataclasses.fields(TransformOptions)}
    assert {name for change in tested for name in change} == names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"perplexity": 31.0}, "from 1 to a third of the 90 points of the map, found 31"),
        ({"perplexity": 0.5}, "perplexity must be at least 1"),
        ({"learning_rate": np.nan}, "learning_rate must be more than 0"),
        ({"learning_rate": 0.6}, "at most 0.5"),
        ({"repulsion": "exact"}, "repulsion must be 'fast', 'accurate'"),
    ],
)
def test_bad_options_are_named(options, message):
    references, embedding, _, _ = made()
    with pytest.raises(InputError, match=message):
        transform(fitted(embedding, references), references[:2], TransformOptions(**options))


def test_bad_input_is_named():
    references, embedding, _, _ = made()
    map_ = fitted(embedding, references)
    with pytest.raises(InputError, match="new_points must be finite"):
        transform(map_, np.full((1, 6), np.nan))
    with pytest.raises(InputError, match="points must have 6 columns, as the references, found 5"):
        transform(map_, np.ones((2, 5)))
    with pytest.raises(InputError, match="too many for a grid"):
        transform(map_._replace(embedding=embedding * 1e6), references[:2])
