import re

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp
import sklearn.decomposition
import sklearn.manifold
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from jaxemb.errors import InputError
from jaxemb.losses.stress import kruskal_stress, raw_stress
from jaxemb.methods import mds, pca, sammon, tsne
from jaxemb.projections.distance_matrix import distance_matrix
from jaxemb.sklearn import MDS, PCA, TSNE, Sammon

# Of the same shape as much of scikit-learn's data, so that programs are shared.
N, D = 20, 3
POINTS = np.random.default_rng(0).normal(size=(N, D)) * np.linspace(3, 1, D)
# As few neighbors as can be: the graph has a row of eight for each point, whatever the data.
SMALL = TSNE(perplexity=1, max_iter=3)
KINDS = [TSNE, PCA, MDS, Sammon]


# MDS's other methods differ below the estimator, and take a second to compile for each shape.
@parametrize_with_checks([SMALL, PCA(), MDS(method="classical"), Sammon(max_iter=3)])
def test_scikit_learns_own_checks(estimator, check):
    """All of them, without an exception; its own TSNE has no `transform` to be checked."""
    check(estimator)


@pytest.fixture(scope="module")
def fitted():
    """A map with two equal points."""
    points = POINTS.copy()
    points[7] = points[3]
    return clone(SMALL).fit(points), points


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_got_set_and_cloned(kind):
    estimator = kind(n_components=3, random_state=7)
    params = estimator.get_params()
    assert params["n_components"] == 3
    assert clone(estimator).get_params() == params
    estimator.set_params(n_components=1)
    assert estimator.n_components == 1


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_the_methods(kind, monkeypatch):
    method = {TSNE: tsne, PCA: pca, MDS: mds, Sammon: sammon}[kind]
    asked = []

    def stop(*args, **kwargs):
        asked.extend(arg for arg in args if isinstance(arg, method.Options))
        raise InterruptedError

    monkeypatch.setattr(method, "fit", stop)
    with pytest.raises(InterruptedError):
        kind().fit(POINTS)
    usual = method.Options()
    if kind is PCA:
        usual = pca.Options(components=D)
    if kind is MDS:
        usual = mds.Options(metric="precomputed")
    assert asked == [usual]


@pytest.mark.parametrize(
    ("estimator", "theirs"),
    [
        (SMALL, sklearn.manifold.TSNE),
        (PCA(), sklearn.decomposition.PCA),
        (MDS(method="classical"), sklearn.manifold.MDS),
    ],
)
def test_each_has_scikit_learns_parameters_and_attributes(estimator, theirs):
    assert theirs().get_params().keys() <= estimator.get_params().keys()
    found = set(dir(clone(estimator).fit(pd.DataFrame(POINTS, columns=list("abc")))))
    documented = re.findall(r"^    (\w+_) : ", theirs.__doc__, re.MULTILINE)
    assert "n_features_in_" in documented
    assert {*documented, *(name for name in dir(theirs) if name[0] != "_")} <= found


def test_maps_are_those_of_the_methods():
    for estimator, expected in (
        (PCA(), pca.fit(POINTS, pca.Options(components=3))),
        (MDS(max_iter=3), mds.fit(0, POINTS, mds.Options(iterations=3))),
        (Sammon(max_iter=3), sammon.fit(0, POINTS, sammon.Options(iterations=3))),
        (SMALL, tsne.fit(0, POINTS, tsne.Options(perplexity=1.0, iterations=3))),
    ):
        found = clone(estimator).fit_transform(POINTS)
        np.testing.assert_array_equal(found, expected.embedding)


def test_parameters_of_tsne_are_handed_on(monkeypatch):
    asked = []

    def stop(key, points, options, *, positions, run):
        asked.append((key, options, positions, run.progress))
        raise InterruptedError

    monkeypatch.setattr(tsne, "fit", stop)
    start = np.random.default_rng(1).normal(size=(N, 3))
    for given in (
        {"method": "exact", "metric": "cosine", "early_exaggeration": 4, "min_grad_norm": 1e-7},
        {"learning_rate": 200, "verbose": 1, "init": start, "n_components": 3, "random_state": 5},
        {"init": "spectral", "options": tsne.Options(repulsion="accurate")},
    ):
        with pytest.raises(InterruptedError):
            TSNE(**given).fit(POINTS)
    first, second, third = asked
    assert (first[1].repulsion, first[1].metric, first[1].exaggeration) == ("exact", "cosine", 4.0)
    assert first[1].min_gradient_norm == 1e-7
    assert second[0] == 5
    assert second[1].learning_rate == 200
    assert second[2] is start
    assert (first[3], second[3]) == (False, True)
    assert (third[1].initialization, third[1].repulsion) == ("spectral", "accurate")


def test_points_of_the_map_have_their_own_places(fitted):
    map_, points = fitted
    np.testing.assert_array_equal(map_.transform(points), map_.embedding_)
    np.testing.assert_array_equal(map_.transform(points[[9, 2]]), map_.embedding_[[9, 2]])
    # Two equal points have two places.
    assert np.any(map_.embedding_[3] != map_.embedding_[7])
    np.testing.assert_array_equal(map_.transform(points[[3, 7]]), map_.embedding_[[3, 7]])
    mixed = np.stack([points[4] + 0.1, points[4]])
    placed = map_.transform(mixed)
    expected = tsne.transform(map_.fitted_, mixed[:1])
    np.testing.assert_array_equal(placed, [expected[0], map_.embedding_[4]])


def test_rows_are_told_by_their_numbers():
    one = clone(SMALL)
    points = np.float32(POINTS)
    points[0, 0] = 0
    one.fit(points)
    asked = points.astype(np.float64)
    asked[0, 0] = -0.0
    np.testing.assert_array_equal(one.transform(asked), one.embedding_)


def test_a_pipeline_places_new_points(fitted):
    pipeline = make_pipeline(StandardScaler(), PCA(), clone(SMALL))
    assert pipeline.fit_transform(POINTS).shape == (N, 2)
    new = POINTS[:1] + 0.1
    expected = tsne.transform(pipeline[-1].fitted_, pipeline[:-1].transform(new))
    np.testing.assert_array_equal(pipeline.transform(new), expected)
    assert list(pipeline[:-1].get_feature_names_out()) == ["pca0", "pca1", "pca2"]


def test_a_grid_is_searched():
    labels = np.arange(N) % 2
    pipeline = make_pipeline(PCA(), KNeighborsClassifier(3))
    found = GridSearchCV(pipeline, {"pca__n_components": [1, 0.9, None]}, cv=2, n_jobs=1)
    assert found.fit(POINTS, labels).best_params_
    pipeline = make_pipeline(clone(SMALL), KNeighborsClassifier(3))
    everything = [(np.arange(N), np.arange(N))]
    found = GridSearchCV(pipeline, {"tsne__early_exaggeration": [4, 12]}, cv=everything)
    assert np.isfinite(found.fit(POINTS, labels).cv_results_["mean_test_score"]).all()


def test_a_fitted_estimator_is_kept_by_joblib(fitted, tmp_path):
    map_, points = fitted
    for one in (map_, PCA().fit(points)):
        joblib.dump(one, tmp_path / "kept.joblib")
        for how in (None, "r"):
            again = joblib.load(tmp_path / "kept.joblib", mmap_mode=how)
            new = points[:1] + 0.1
            np.testing.assert_array_equal(again.transform(new), one.transform(new))
            np.testing.assert_array_equal(again.transform(points), one.transform(points))


def test_components_are_told_and_give_points_back():
    found = PCA(whiten=True).fit(POINTS)
    assert found.components_.shape == (D, D)
    assert found.n_features_in_ == D
    np.testing.assert_allclose(found.explained_variance_ratio_.sum(), 1, rtol=1e-5)
    given_back = found.inverse_transform(found.transform(POINTS))
    np.testing.assert_allclose(given_back, POINTS, atol=1e-4)
    other = PCA(2, svd_solver="randomized", iterated_power=1, random_state=None)
    assert other.fit_transform(POINTS).shape == (N, 2)


@pytest.mark.parametrize("wanted", [None, 2, 0.5, 0.95])
def test_components_and_likelihoods_are_scikit_learns(wanted):
    found = PCA(wanted).fit(POINTS)
    expected = sklearn.decomposition.PCA(wanted).fit(POINTS)
    assert found.n_components_ == expected.n_components_ == found.fitted_.options.components
    assert found.n_samples_ == expected.n_samples_
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_", "mean_"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-4)
    np.testing.assert_allclose(found.noise_variance_, expected.noise_variance_, rtol=1e-3)
    np.testing.assert_allclose(
        np.abs(found.transform(POINTS)), np.abs(expected.transform(POINTS)), atol=1e-4
    )
    np.testing.assert_allclose(found.get_covariance(), expected.get_covariance(), atol=1e-4)
    np.testing.assert_allclose(found.get_precision(), expected.get_precision(), atol=1e-4)
    np.testing.assert_allclose(
        found.score_samples(POINTS), expected.score_samples(POINTS), rtol=1e-3
    )
    np.testing.assert_allclose(found.score(POINTS), expected.score(POINTS), rtol=1e-4)


@pytest.mark.parametrize("estimator", [SMALL, MDS(max_iter=3), Sammon(max_iter=3)])
def test_distances_may_be_given(estimator):
    distances = distance_matrix(POINTS)
    found = clone(estimator).set_params(metric="precomputed").fit(distances)
    expected = clone(estimator).fit_transform(POINTS)
    # t-SNE rounds squares of distances.
    np.testing.assert_allclose(found.embedding_, expected, rtol=1e-3, atol=1e-6)
    assert found.n_iter_ == 3
    # Cross-validation then takes columns like rows.
    assert found.__sklearn_tags__().input_tags.pairwise
    if hasattr(found, "transform"):
        np.testing.assert_array_equal(found.transform(distances[4:6]), found.embedding_[4:6])


def test_the_former_name_of_the_metric_is_known():
    distances = distance_matrix(POINTS)
    with pytest.warns(FutureWarning, match="former name of metric"):
        found = MDS(dissimilarity="precomputed", method="classical").fit(distances)
    expected = MDS(metric="precomputed", method="classical").fit(distances)
    np.testing.assert_array_equal(found.embedding_, expected.embedding_)
    with pytest.raises(InputError, match="give metric alone"):
        MDS(dissimilarity="euclidean", metric="precomputed").fit(distances)


def test_the_stress_is_that_of_the_map(monkeypatch):
    found = MDS(max_iter=3).fit(POINTS)
    distances = distance_matrix(POINTS)
    np.testing.assert_array_equal(found.dissimilarity_matrix_, distances)
    np.testing.assert_allclose(found.stress_, raw_stress(found.embedding_, distances), rtol=1e-4)
    assert found.stress_ < found.fitted_.stress[-1]
    found = MDS(max_iter=3, normalized_stress=True).fit(POINTS)
    expected = kruskal_stress(found.embedding_, distances)
    np.testing.assert_allclose(found.stress_, expected, rtol=1e-4)
    classical = MDS(1, method="classical").fit(POINTS)
    expected = raw_stress(classical.embedding_, distances)
    np.testing.assert_allclose(classical.stress_, expected, rtol=1e-4)
    assert classical.n_iter_ == 0
    made = found.fitted_._replace(stress=np.array([5.0, 4.0]))
    monkeypatch.setattr(mds, "fit", lambda key, points, *args, **kwargs: made)
    sampled = MDS(method="sampled").fit(POINTS)
    assert (sampled.stress_, sampled.n_iter_) == (4, 2)
    assert not hasattr(sampled, "dissimilarity_matrix_")


def test_the_best_of_several_starts_is_kept():
    one = MDS(init="random", max_iter=3, random_state=4).fit(POINTS)
    best = MDS(init="random", max_iter=3, random_state=4, n_init=3).fit(POINTS)
    assert best.stress_ < one.stress_
    start = np.random.default_rng(0).normal(size=(N, 2))
    given = MDS(max_iter=3).fit_transform(POINTS, init=start)
    expected = mds.fit(0, POINTS, mds.Options(iterations=3), positions=start)
    np.testing.assert_array_equal(given, expected.embedding)


def test_the_seed_is_random_state():
    one = MDS(max_iter=3, init="random", random_state=3).fit_transform(POINTS)
    options = mds.Options(initialization="random", iterations=3)
    np.testing.assert_array_equal(one, mds.fit(3, POINTS, options).embedding)
    states = [np.random.RandomState(5), np.random.RandomState(5), None]
    drawn = [MDS(max_iter=3, init="random", random_state=x).fit_transform(POINTS) for x in states]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (TSNE(n_components=4), "^n_components must be at least 1 and at most 3, found 4"),
        (TSNE(perplexity=10), "^perplexity must be from 1 to less than a third of the 20 points"),
        (TSNE(early_exaggeration=0.5), "^early_exaggeration must be at least 1"),
        (TSNE(max_iter=0), "^max_iter must be at least 1"),
        (TSNE(min_grad_norm=-1.0), "^min_grad_norm must be at least 0"),
        (TSNE(learning_rate="fast"), "^learning_rate must be a number or None, found 'fast'"),
        (TSNE(metric="manhattan"), "^metric must be .*'cosine'.*, found 'manhattan'"),
        (TSNE(metric=np.dot), "^metric must be .*'cosine'.*, found <"),
        (TSNE(metric_params={"p": 3}), "^metric_params must be None"),
        (TSNE(init="tree"), "^init must be 'pca', 'spectral', 'random', found 'tree'"),
        (TSNE(init=None), "^init must be 'pca', 'spectral', 'random', found None"),
        (TSNE(perplexity=1, init=np.ones((4, 2))), "^init must be of shape|^init must have"),
        (TSNE(method="fft"), "^method must be 'barnes_hut', 'exact', found 'fft'"),
        (TSNE(options=tsne.Options(dim=3)), "^options.dim must be left alone.* n_components sets"),
        (TSNE(options=mds.Options()), "^options must be tsne.Options"),
        (TSNE(random_state=-1), "^a seed must be at least 0"),
        (PCA(4), "^n_components must be at most 3, the smaller side"),
        (PCA(0), "^n_components must be at least 1"),
        (PCA("mle"), "^n_components must be None, a whole number, or a share.*found 'mle'"),
        (PCA(1.0), "^n_components must be None, a whole number, or a share.*found 1.0"),
        (PCA(0.5, svd_solver="randomized"), "^n_components must be a whole number or None"),
        (PCA(svd_solver="svd"), "^svd_solver must be 'full', 'covariance_eigh', .*found 'svd'"),
        (PCA(iterated_power=0), "^iterated_power must be at least 1"),
        (PCA(n_oversamples=-1), "^n_oversamples must be at least 0"),
        (MDS(n_components=20), "^n_components must be from 1 to 19"),
        (MDS(metric_mds=False), "^metric_mds must be True"),
        (MDS(metric="cosine"), "^metric must be .*found 'cosine'.*pairwise_distances"),
        (MDS(metric=True), "^metric must be 'euclidean', 'precomputed', found True"),
        (MDS(metric_params={"p": 3}), "^metric_params must be None"),
        (MDS(dissimilarity="l1"), "^metric must be 'euclidean', 'precomputed', found 'l1'"),
        (MDS(n_init="warn"), "^n_init must be a whole number"),
        (MDS(init="warn"), "^init must be 'classical_mds', 'random', found 'warn'"),
        (MDS(eps=-1.0), "^eps must be at least 0"),
        (MDS(normalized_stress="no"), "^normalized_stress must be"),
        (MDS(metric="precomputed"), "^distances must be a square matrix, found 20 x 3"),
        (Sammon(metric="cosine"), "^metric must be 'euclidean', 'precomputed', found 'cosine'"),
        (Sammon(init="pca"), "^init must be 'classical_mds', 'random', found 'pca'"),
    ],
    ids=lambda value: None if isinstance(value, str) else repr(value).partition(" at ")[0][:40],
)
@pytest.mark.filterwarnings("ignore:dissimilarity:FutureWarning")
def test_what_a_parameter_may_not_be(estimator, message):
    with pytest.raises(InputError, match=message):
        estimator.fit(POINTS)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_table_is_refused_as_scikit_learn_does(kind):
    masked = np.ma.masked_greater(POINTS, 2)
    for given, error, message in (
        (np.full((5, 3), np.nan), ValueError, "contains NaN"),
        (POINTS[0], ValueError, "Expected 2D array, got 1D"),
        (POINTS[:1], ValueError, r"1 sample\(s\)"),
        (POINTS + 1j, ValueError, "Complex data"),
        (sp.csr_array(POINTS), TypeError, "dense data is required"),
        ([["a", "b"]] * 9, ValueError, "could not convert string to float"),
        (pd.DataFrame({"x": [0.5] * 9, "y": ["a"] * 9}), ValueError, "string to float"),
        (masked, InputError, "no masked values, found .* the first at"),
    ):
        with pytest.raises(error, match=message):
            kind().fit(given)


def test_tables_of_any_kind_are_one():
    whole = np.round(10 * POINTS).astype(int)
    expected = PCA(2).fit_transform(whole.astype(np.float64))
    half = whole.astype(np.float16)
    frame = pd.DataFrame(whole, columns=list("abc"))
    nothing_masked = np.ma.masked_greater(whole, 10**6)
    for given in (whole, whole.tolist(), half, frame, pl.from_numpy(whole), nothing_masked):
        np.testing.assert_array_equal(PCA(2).fit_transform(given), expected)
    huge = PCA(1).fit(POINTS * 1e25)
    assert np.isfinite(huge.explained_variance_).all()
    assert np.isfinite(huge.noise_variance_)
    constant = whole.copy()
    constant[:, 1] = 4
    assert np.isfinite(PCA().fit(constant).score(constant))


@pytest.mark.parametrize("estimator", [PCA(2), MDS(method="classical"), SMALL, Sammon(max_iter=3)])
def test_frames_come_and_go(estimator):
    index = [f"row {i}" for i in range(N)]
    frame = pd.DataFrame(POINTS, columns=list("abc"), index=index)
    estimator = clone(estimator).set_output(transform="pandas")
    found = estimator.fit_transform(frame)
    name = type(estimator).__name__.lower()
    assert list(found.columns) == [f"{name}0", f"{name}1"]
    assert list(found.index) == index
    assert list(estimator.feature_names_in_) == list("abc")
    np.testing.assert_array_equal(found.to_numpy(), clone(estimator).fit(POINTS).fitted_.embedding)
    if hasattr(estimator, "transform"):
        estimator.fit(frame)
        assert list(estimator.transform(frame[:2]).index) == index[:2]
        with pytest.raises(ValueError, match="feature names"):
            estimator.transform(frame[list("cba")])
    found = estimator.set_output(transform="polars").fit_transform(pl.from_pandas(frame))
    assert found.columns == [f"{name}0", f"{name}1"]


def test_what_was_not_fitted_is_told():
    with pytest.raises(NotFittedError):
        PCA().transform(POINTS)
    with pytest.raises(NotFittedError):
        TSNE().transform(POINTS)
    with pytest.raises(ValueError, match="expecting 3 features"):
        PCA().fit(POINTS).transform(POINTS[:, :2])
    with pytest.raises(AttributeError, match="transform"):
        _ = MDS().transform


def test_equal_points_share_a_place_of_sammons():
    points = np.concatenate([POINTS, POINTS[[4, 4, 2]]])
    found = Sammon(max_iter=3).fit(points)
    np.testing.assert_array_equal(found.embedding_[20:], found.embedding_[[4, 4, 2]])
    once = Sammon(max_iter=3).fit_transform(POINTS)
    np.testing.assert_array_equal(found.embedding_[:20], once)
    start = np.random.default_rng(0).normal(size=(23, 2))
    found.fit(points, init=start)
    np.testing.assert_array_equal(
        found.embedding_[:20], Sammon(max_iter=3).fit_transform(POINTS, init=start[:20])
    )
    with pytest.raises(InputError, match="start must be 23 x 2"):
        found.fit(points, init=start[:20])
    with pytest.raises(InputError, match="4 different points are needed, found 1"):
        found.fit(np.ones((9, 2)))
    with pytest.raises(InputError, match="pairs of points have distance 0"):
        Sammon(metric="precomputed").fit(distance_matrix(points))


def test_other_distances_go_by_way_of_a_matrix():
    matrix = pairwise_distances(POINTS, metric="manhattan")
    assert MDS(metric="precomputed", method="classical").fit_transform(matrix).shape == (N, 2)
