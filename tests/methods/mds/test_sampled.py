import jax
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from jaxemb.errors import InputError
from jaxemb.methods.mds import fit as mds
from jaxemb.methods.mds import sampled as sampled_mds
from jaxemb.projections.distance_matrix import distance_matrix

N, D = 120, 6
KEY = jax.random.key(0)


def draw():
    rng = np.random.default_rng(0)
    points = (rng.normal(size=(N, D)) * np.linspace(3, 1, D)).astype(np.float32)
    return points, rng.normal(size=(N, 2)).astype(np.float32)


def stress(points, fitted):
    return np.square(pdist(points) - pdist(fitted.positions)).sum()


def test_samples_of_pairs_lead_where_all_pairs_lead():
    points, start = draw()
    best = mds.fit(KEY, distance_matrix(points), tolerance=1e-6)
    fitted = sampled_mds.fit(KEY, points, start=start, subset=24, iterations=1000)
    assert len(fitted.stress) == 1000
    assert fitted.stopped_because == "iterations done"
    assert stress(points, fitted) < 1.1 * stress(points, best)
    # Before each iteration it is estimated from 276 of 7,140 pairs, the last hundred times nearly
    # that of the same map.
    estimate = fitted.stress[-100:].mean()
    np.testing.assert_allclose(estimate, stress(points, fitted), rtol=0.05)


def test_the_whole_as_a_sample_is_smacof():
    points, start = draw()
    one = sampled_mds.fit(KEY, points, start=start, subset=10**6, iterations=1)
    other = mds.fit(KEY, distance_matrix(points), initialization=start, iterations=1)
    np.testing.assert_allclose(one.positions, other.positions, atol=1e-3)


def test_size_does_not_matter_nor_place():
    points, start = draw()
    expected = sampled_mds.fit(KEY, points, start=start, subset=30, iterations=20)
    for size, place in ((1e20, 0), (1e-20, 0), (1, 64)):
        found = sampled_mds.fit(
            KEY,
            (points + np.float32(place)) * np.float32(size),
            start=start * np.float32(size),
            subset=30,
            iterations=20,
        )
        np.testing.assert_allclose(found.positions / size, expected.positions, atol=0.01)


def test_what_cannot_be_used_is_refused():
    points, start = draw()
    bad = points.copy()
    bad[7, 2] = np.nan
    for changes, message in (
        ({"points": bad}, "found nan in row 7, column 2"),
        ({"points": points[:3]}, "at least 4 rows"),
        ({"points": points * 0 + 3}, "all 120 points are at the same place"),
        ({"start": start[:, :1]}, "the start must be 120 x 2"),
        ({"subset": 1}, "subset must be at least 2"),
        ({"dim": 0}, "dim must be from 1"),
    ):
        arguments = {"points": points, "start": start} | changes
        with pytest.raises(InputError, match=message):
            sampled_mds.fit(KEY, **arguments)
