import dataclasses

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jaxemb.methods import mds, pca, sammon, tsne
from jaxemb.projections.distance_matrix import distance_matrix
from jaxemb.sklearn import MDS, PCA, TSNE, Sammon

POINTS = np.random.default_rng(0).normal(size=(60, 5))
SMALL = TSNE(perplexity=5, max_iter=60)


@pytest.mark.parametrize("kind", [TSNE, PCA, MDS, Sammon])
def test_parameters_are_got_set_and_cloned(kind):
    estimator = kind(n_components=3, random_state=7)
    params = estimator.get_params()
    assert params["n_components"] == 3
    assert clone(estimator).get_params() == params
    estimator.set_params(n_components=1)
    assert estimator.n_components == 1
    # Its own numbers stand for themselves: the defaults are those of the method.
    fields = {"TSNE": tsne, "PCA": pca, "MDS": mds, "Sammon": sammon}[kind.__name__].Options()
    names = {"n_components": "dim", "max_iter": "iterations", "eps": "tolerance"}
    names |= {"svd_solver": "solver"}
    for name, value in kind().get_params().items():
        if name not in ("n_components", "random_state", "options", "learning_rate"):
            assert getattr(fields, names.get(name, name)) == value


def test_maps_are_those_of_the_methods():
    for estimator, expected in (
        (PCA(3), pca.fit(POINTS, pca.Options(components=3))),
        (MDS(max_iter=20), mds.fit(0, POINTS, mds.Options(iterations=20))),
        (Sammon(max_iter=20), sammon.fit(0, POINTS, sammon.Options(iterations=20))),
        (SMALL, tsne.fit(0, POINTS, tsne.Options(perplexity=5.0, iterations=60))),
    ):
        found = clone(estimator).fit_transform(POINTS)
        np.testing.assert_array_equal(found, expected.embedding)


def test_a_pipeline_places_new_points():
    pipeline = make_pipeline(StandardScaler(), PCA(4), SMALL)
    assert pipeline.fit_transform(POINTS).shape == (60, 2)
    expected = tsne.transform(pipeline[-1].fitted_, pipeline[:-1].transform(POINTS[:3]))
    np.testing.assert_array_equal(pipeline.transform(POINTS[:3]), expected)
    assert list(pipeline[:-1].get_feature_names_out()) == ["pca0", "pca1", "pca2", "pca3"]


def test_components_are_told_and_give_points_back():
    found = PCA(5, whiten=True).fit(POINTS)
    assert found.components_.shape == (5, 5)
    assert found.n_features_in_ == 5
    np.testing.assert_allclose(found.explained_variance_ratio_.sum(), 1, rtol=1e-5)
    given_back = found.inverse_transform(found.transform(POINTS))
    np.testing.assert_allclose(given_back, POINTS, atol=1e-4)
    other = PCA(2, svd_solver="randomized", options=pca.Options(power_iterations=1))
    assert other.fit_transform(POINTS).shape == (60, 2)


@pytest.mark.parametrize("kind", [MDS, Sammon])
def test_distances_may_be_given(kind):
    estimator = kind(metric="precomputed", max_iter=20)
    found = estimator.fit(distance_matrix(POINTS))
    np.testing.assert_array_equal(found.embedding_, kind(max_iter=20).fit_transform(POINTS))
    assert found.n_iter_ == 20
    assert found.stress_ == found.fitted_.stress[-1]


def test_options_hold_the_other_numbers_and_the_seed_is_random_state():
    begin = mds.Options(initialization="random")
    one = MDS(max_iter=10, options=begin, random_state=3).fit_transform(POINTS)
    options = dataclasses.replace(begin, iterations=10)
    np.testing.assert_array_equal(one, mds.fit(3, POINTS, options).embedding)
    states = [np.random.RandomState(5), np.random.RandomState(5), None]
    drawn = [MDS(max_iter=10, options=begin, random_state=x).fit_transform(POINTS) for x in states]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_what_is_no_table_is_refused_as_scikit_learn_does():
    with pytest.raises(ValueError, match="contains NaN"):
        PCA().fit(np.full((5, 3), np.nan))
    with pytest.raises(NotFittedError):
        PCA().transform(POINTS)
    with pytest.raises(ValueError, match="expecting 5 features"):
        PCA().fit(POINTS).transform(POINTS[:, :3])
