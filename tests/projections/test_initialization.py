import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.decomposition import PCA

from jaxemb.errors import InputError
from jaxemb.projections.affinities import join, multiscale
from jaxemb.projections.initialization import initialize
from jaxemb.projections.neighbors import nearest_neighbors

N, D = 40, 6
DEVIATION, NOISE = 1e-4, 1e-2


def made(width=D):
    rng = np.random.default_rng(0)
    return (rng.normal(size=(N, width)) * np.linspace(3, 1, width)).astype(np.float32)


def graph_of(points):
    found = nearest_neighbors(points, k=9)
    return join(found.ids, multiscale(jnp.asarray(found.distances), perplexities=[3.0]))


def start(how, points=None, dim=2, graph=None, seed=0):
    points = made() if points is None else points
    graph = graph_of(points) if graph is None else graph
    key = jax.random.key(seed)
    return np.asarray(
        initialize(key, how, points=points, graph=graph, dim=dim, deviation=DEVIATION, noise=NOISE)
    )


def assert_agree(found, expected, dim=2):
    """Up to signs, scale and noise, which has 1/100 of the first coordinate's deviation."""
    expected = expected / expected[:, 0].std() * DEVIATION
    for axis in range(dim):
        difference = min(np.abs(found[:, axis] - s * expected[:, axis]).max() for s in (1, -1))
        assert difference < 5 * NOISE * DEVIATION


@pytest.mark.parametrize("width", [D, 60])
@pytest.mark.parametrize("size", [1.0, 1e25])
def test_pca_is_that_of_scikit_learn(width, size):
    points = made(width)
    found = start("pca", points * np.float32(size), dim=3, graph=graph_of(points))
    assert_agree(found, PCA(3).fit_transform(points.astype(float)), dim=3)
    np.testing.assert_allclose(found[:, 0].std(), DEVIATION, rtol=0.01)
    assert found.dtype == np.float32


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("apart", [5, 12])
def test_spectral_is_smooth_on_the_graph(apart, seed):
    """Two groups with few or no edges between: the first coordinate tells them apart."""
    points = made()
    points[:15] += apart
    found = start("spectral", points, seed=seed)
    assert len({*np.sign(found[:15, 0])}) == len({*np.sign(found[15:, 0])}) == 1
    assert np.sign(found[0, 0]) != np.sign(found[20, 0])


def test_random_depends_on_the_key_alone():
    np.testing.assert_array_equal(start("random"), start("random", made() ** 3))
    assert np.abs(start("random") - start("random", seed=1)).min() > 0


def test_given_positions_are_scaled_and_centered():
    given = np.random.default_rng(1).normal(size=(N, 2)) * 1e30 + 5e30
    assert_agree(start(given), given - given.mean(axis=0))


def test_columns_that_are_missing_or_constant_are_noise():
    line = made()[:, :1]
    for points in (line, np.concatenate([line, np.ones_like(line)], axis=1)):
        found = start("pca", points)
        assert 0 < found[:, 1].std() < 3 * NOISE * DEVIATION
    equal = start("pca", np.ones((N, D), np.float32), graph=graph_of(made()))
    assert 0.5 * DEVIATION < equal.std() < 2 * DEVIATION


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (np.ones((N, 3)), r"positions must be of shape \(40, 2\), found \(40, 3\)"),
        (np.ones((N, 2)), "all points at the same first coordinate"),
        (np.full((N, 2), np.nan), "positions must be finite, found nan in row 0, column 0"),
    ],
)
def test_bad_starts_are_named(how, message):
    with pytest.raises(InputError, match=message):
        start(how)
