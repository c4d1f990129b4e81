import numpy as np
import pytest
import scipy.optimize
import scipy.special

from jaxemb.evaluation.probes import linear_probe, weighted_knn

RNG = np.random.default_rng(11)
MIDDLES = RNG.normal(size=(4, 6))
LABELS = RNG.integers(4, size=120)
VECTORS = (MIDDLES[LABELS] + RNG.normal(size=(120, 6))).astype(np.float32)
QUERIES = RNG.normal(size=(50, 6)).astype(np.float32)


@pytest.mark.parametrize(("k", "temperature"), [(1, 0.07), (9, 0.07), (30, 0.5)])
def test_weighted_knn_as_in_loops(k, temperature):
    found = weighted_knn(VECTORS, LABELS, QUERIES, k=k, temperature=temperature)
    for query, label in zip(QUERIES.astype(np.float64), found, strict=True):
        cosines = [
            float(query @ one / np.linalg.norm(query) / np.linalg.norm(one))
            for one in VECTORS.astype(np.float64)
        ]
        votes = [0.0] * 4
        for at in sorted(range(len(cosines)), key=lambda at: -cosines[at])[:k]:
            votes[LABELS[at]] += np.exp(cosines[at] / temperature)
        assert label == int(np.argmax(votes))


def test_linear_probe_has_the_least_loss():
    mean = VECTORS.mean(axis=0)
    scale = np.sqrt(np.square(VECTORS - mean).mean())
    scaled = (VECTORS - mean) / scale

    def loss(flat: np.ndarray) -> float:
        weights = flat.reshape(7, 4)
        logits = scaled @ weights[:6] + weights[6]
        own = scipy.special.log_softmax(logits, axis=1)[np.arange(120), LABELS]
        return -own.mean() + 0.5 * 0.1 * np.square(weights[:6]).sum()

    weights = scipy.optimize.minimize(loss, np.zeros(28), method="BFGS").x.reshape(7, 4)
    asked = (QUERIES - mean) / scale
    expected = (asked @ weights[:6] + weights[6]).argmax(axis=1)
    found = linear_probe(VECTORS, LABELS, QUERIES, penalty=0.1)
    assert (found == expected).mean() >= 0.98
    assert not np.array_equal(found, linear_probe(VECTORS, LABELS, QUERIES, penalty=30.0))


def test_classes_may_have_names():
    names = np.array(["ant", "bee", "cow", "dog"])[LABELS]
    for classify in (weighted_knn, linear_probe):
        found = classify(VECTORS, names, QUERIES)
        assert set(found) <= set(names)


def test_refuses_more_neighbors_than_there_are():
    with pytest.raises(AssertionError, match="k = 200 of 120"):
        weighted_knn(VECTORS, LABELS, QUERIES, k=200)
