import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.factorize import within_class

RNG = np.random.default_rng(2)
LABELS = RNG.permutation(np.repeat([4, -1, 9, 30], [9, 12, 7, 11]))
# Individuals vary along some directions much more than along others.
VECTORS = (RNG.normal(size=(39, 6)) * [9, 1, 3, 0.5, 2, 1] + LABELS[:, None]).astype(np.float32)


@pytest.mark.parametrize("components", [6, 3])
def test_individuals_vary_alike_in_all_directions(components):
    fitted = within_class.fit(VECTORS, LABELS, components=components, shrinkage=1e-5)
    placed = (VECTORS - np.asarray(fitted.mean)) @ np.asarray(fitted.matrix)
    assert placed.shape == (39, components)
    within = placed.astype(np.float64)
    for label in np.unique(LABELS):
        rows = np.flatnonzero(label == LABELS)
        within[rows] -= within[rows].mean(axis=0)
    np.testing.assert_allclose(within.T @ within / 39, np.eye(components), atol=1e-3)


def test_distances_are_those_of_the_formula():
    fitted = within_class.fit(VECTORS, LABELS, components=6, shrinkage=0.7)
    values = VECTORS.astype(np.float64)
    covariance = np.zeros((6, 6))
    for label in np.unique(LABELS):
        rows = np.flatnonzero(label == LABELS)
        for row in rows:
            apart = values[row] - values[rows].mean(axis=0)
            covariance += np.outer(apart, apart) / 39
    # With all components, the ridge is the same in any basis.
    covariance += 0.7 * np.trace(covariance) / 6 * np.eye(6)
    gap = values[3] - values[20]
    placed = gap @ np.asarray(fitted.matrix, np.float64)
    assert placed @ placed == pytest.approx(gap @ np.linalg.solve(covariance, gap), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"components": 7}, r"components must be in 1\.\.6, found 7"),
        ({"components": 0}, r"components must be in 1\.\.6, found 0"),
        ({"shrinkage": 0.0}, "shrinkage must be finite and more than 0, found 0.0"),
        ({"shrinkage": float("nan")}, "found nan"),
        ({"labels": np.arange(39)}, "39 vectors of 39 classes don't vary within classes"),
        ({"labels": LABELS[:5]}, "labels must be one for each of 39 rows"),
    ],
)
def test_what_cannot_be_whitened_is_refused(change, message):
    arguments = {"labels": LABELS, "components": 3, "shrinkage": 1.0} | change
    with pytest.raises(InputError, match=message):
        within_class.fit(VECTORS, **arguments)
