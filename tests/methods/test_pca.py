import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.sparse import coo_matrix, csr_array

from jaxemb.errors import InputError
from jaxemb.factorize import pca as pieces
from jaxemb.methods import pca

POINTS = (np.random.default_rng(0).normal(size=(40, 6)) * np.arange(6, 0, -1) + 3).astype(
    np.float32
)


def test_the_map_is_that_of_the_directions():
    fitted = pca.fit(POINTS, pca.Options(components=3))
    table = jnp.asarray(POINTS)
    expected = pieces.fit(table, components=3)
    jax.tree.map(np.testing.assert_array_equal, fitted.pca, expected)
    np.testing.assert_array_equal(fitted.embedding, pieces.transform(expected, table))
    np.testing.assert_array_equal(pca.transform(fitted, POINTS), fitted.embedding)
    drawn = pca.fit(POINTS, pca.Options(components=3, solver="randomized"), key=4)
    expected = pieces.fit_randomized(jax.random.key(4), table, components=3)
    np.testing.assert_array_equal(drawn.pca.directions, expected.directions)


@pytest.mark.parametrize("whiten", [False, True])
def test_all_components_give_the_points_back(whiten):
    fitted = pca.fit(POINTS, pca.Options(components=6, whiten=whiten))
    spread = fitted.embedding.std(axis=0, ddof=1)
    np.testing.assert_allclose(spread, 1 if whiten else fitted.pca.deviation, rtol=1e-3)
    new = POINTS[:5] + 1
    given_back = pca.inverse(fitted, pca.transform(fitted, new))
    np.testing.assert_allclose(given_back, new, atol=1e-3)


def test_whole_numbers_and_lists_are_points():
    whole = POINTS.astype(int)
    expected = pca.fit(whole.astype(float)).embedding
    np.testing.assert_array_equal(pca.fit(whole.tolist()).embedding, expected)


def test_each_field_changes_the_map():
    base = {"components": 2, "solver": "randomized", "oversamples": 1, "power_iterations": 1}
    changed = {
        "components": 3,
        "solver": "exact",
        "whiten": True,
        "oversamples": 2,
        "power_iterations": 2,
    }
    one = pca.fit(POINTS, pca.Options(**base), key=0).embedding
    for name, value in changed.items():
        other = pca.fit(POINTS, pca.Options(**base | {name: value}), key=0).embedding
        assert not np.array_equal(one, other), name
    assert not np.array_equal(one, pca.fit(POINTS, pca.Options(**base), key=1).embedding)
    assert set(changed) == {field.name for field in dataclasses.fields(pca.Options)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"components": 0}, "components must be at least 1, found 0"),
        ({"components": 7}, r"components must be at most 6, .* of shape \[40, 6\], found 7"),
        ({"components": 2.5}, "components must be a whole number, found 2.5"),
        ({"solver": "fast"}, "solver must be 'exact', 'randomized', found 'fast'"),
        ({"power_iterations": 0}, "power_iterations must be at least 1"),
        ({"solver": "randomized"}, 'key is needed by the solver "randomized"'),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(InputError, match=message):
        pca.fit(POINTS, pca.Options(**options))


def test_points_that_are_no_points():
    fitted = pca.fit(POINTS)
    bad = POINTS.copy()
    bad[3, 1] = np.nan
    for call, message in (
        (lambda: pca.fit(bad), "found nan in row 3, column 1"),
        (lambda: pca.fit(POINTS[0]), "points must be a matrix"),
        (lambda: pca.transform(fitted, POINTS[:, :4]), "points must have 6 numbers, .* found 4"),
        (lambda: pca.inverse(fitted, POINTS), "embedding must have 2 columns, found 6"),
    ):
        with pytest.raises(InputError, match=message):
            call()


@pytest.mark.parametrize(("shape", "kind"), [((80, 12), csr_array), ((30, 1100), coo_matrix)])
@pytest.mark.parametrize("whiten", [False, True])
def test_sparse_points_have_the_components_of_dense_ones(shape, kind, whiten):
    rng = np.random.default_rng(3)
    dense = rng.normal(size=shape) * (rng.random(shape) < 0.3) * np.linspace(3, 1, shape[1]) + 0.0
    dense[:, 0] += 5
    options = pca.Options(components=4, whiten=whiten)
    found, expected = pca.fit(kind(dense), options), pca.fit(dense, options)
    np.testing.assert_allclose(found.embedding, expected.embedding, atol=1e-3)
    np.testing.assert_allclose(found.pca.deviation, expected.pca.deviation, rtol=1e-4)
    np.testing.assert_allclose(
        found.pca.explained_variance_ratio, expected.pca.explained_variance_ratio, rtol=1e-4
    )
    new = dense[:7] + (rng.random((7, shape[1])) < 0.1)
    for fitted in (found, expected):
        np.testing.assert_allclose(
            pca.transform(fitted, kind(new)), pca.transform(expected, new), atol=1e-3
        )
    given_back = pca.inverse(found, found.embedding)
    np.testing.assert_allclose(given_back, pca.inverse(expected, expected.embedding), atol=1e-3)


def test_sparse_points_that_are_no_points():
    gap = csr_array([[1.0, 0, 2], [0, np.nan, 0], [0, 0, 1]])
    with pytest.raises(InputError, match="found nan in row 1, column 1; 1 such values"):
        pca.fit(gap)
    with pytest.raises(InputError, match="components must be at most 3"):
        pca.fit(csr_array(np.eye(3)), pca.Options(components=4))
    with pytest.raises(InputError, match="must be a matrix of real numbers"):
        pca.fit(csr_array(np.eye(3) * 1j))
    fitted = pca.fit(csr_array(np.eye(3)), pca.Options(components=3))
    with pytest.raises(InputError, match="points must have 3 numbers"):
        pca.transform(fitted, csr_array(np.eye(4)))
