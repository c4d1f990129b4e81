"""The maps behind scikit-learn's conventions, for those who have a pipeline.

Example:
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from jaxemb.sklearn import PCA, TSNE

    points = np.random.default_rng(0).normal(size=(200, 8))
    pipeline = make_pipeline(StandardScaler(), PCA(5), TSNE(perplexity=10, max_iter=300))
    embedding = pipeline.fit_transform(points)  # [200, 2]
    placed = pipeline.transform(points[:5])  # [5, 2], in the same map

Parameters have scikit-learn's names and the method's defaults. All other numbers are fields of the
method's `Options`, given as `options`; an estimator's own parameters replace theirs.
"""

import dataclasses
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from jaxemb.checks import as_options
from jaxemb.methods import mds, pca, sammon, tsne

__all__ = ["MDS", "PCA", "TSNE", "Sammon"]


class TSNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """t-SNE, see `jaxemb.methods.tsne`; unlike scikit-learn's it places new points, too.

    Args:
      n_components: dimensions of the map, 1 to 3.
      perplexity: how many neighbors a point sees.
      learning_rate: "auto" takes the number of points over the exaggeration.
      max_iter: steps of the descent.
      random_state: seed, a RandomState, or None for another map each time.
      options: of all other numbers; None takes the defaults.

    Attributes:
      embedding_: [N, n_components] the map.
      kl_divergence_: of the map, in nats.
      n_iter_: steps taken.
      fitted_: what `jaxemb.methods.tsne.fit` returned.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        perplexity: float = 30.0,
        learning_rate: float | Literal["auto"] = "auto",
        max_iter: int = 750,
        random_state: Any = 0,
        options: tsne.Options | None = None,
    ):
        """Keeps the parameters: scikit-learn checks none before `fit`."""
        self.n_components = n_components
        self.perplexity = perplexity
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.random_state = random_state
        self.options = options

    def fit(self, X: Any, y: Any = None) -> "TSNE":
        """Maps the points X [N, D]."""
        options = dataclasses.replace(
            as_options(self.options, tsne.Options),
            dim=self.n_components,
            perplexity=self.perplexity,
            learning_rate=None if self.learning_rate == "auto" else self.learning_rate,
            iterations=self.max_iter,
        )
        self.fitted_ = tsne.fit(_seed(self.random_state), _points(self, X), options)
        self.embedding_ = self.fitted_.embedding
        self.kl_divergence_ = self.fitted_.kl
        self.n_iter_ = self.fitted_.history.steps
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Maps the points X [N, D] and returns the map [N, n_components]."""
        return self.fit(X).embedding_

    def transform(self, X: Any) -> np.ndarray:
        """Places points X [M, D] into the map, [M, n_components]; those of the map, too, anew."""
        check_is_fitted(self)
        return tsne.transform(self.fitted_, _points(self, X, reset=False))

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal components, see `jaxemb.methods.pca`.

    Args:
      n_components: directions to keep.
      whiten: whether each coordinate is divided by its standard deviation.
      svd_solver: "exact" or "randomized".
      random_state: seed, a RandomState, or None, for "randomized".
      options: of all other numbers; None takes the defaults.

    Attributes:
      components_: [n_components, D] the directions.
      mean_: [D] of the points.
      explained_variance_: [n_components] along the directions.
      explained_variance_ratio_: [n_components] its share of the total.
      fitted_: what `jaxemb.methods.pca.fit` returned.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        whiten: bool = False,
        svd_solver: Literal["exact", "randomized"] = "exact",
        random_state: Any = 0,
        options: pca.Options | None = None,
    ):
        """Keeps the parameters: scikit-learn checks none before `fit`."""
        self.n_components = n_components
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.random_state = random_state
        self.options = options

    def fit(self, X: Any, y: Any = None) -> "PCA":
        """Finds the directions of greatest variance of points X [N, D]."""
        options = dataclasses.replace(
            as_options(self.options, pca.Options),
            components=self.n_components,
            whiten=self.whiten,
            solver=self.svd_solver,
        )
        self.fitted_ = pca.fit(_points(self, X), options, key=_seed(self.random_state))
        found = self.fitted_.pca
        self.components_ = np.asarray(found.directions).T
        self.mean_ = np.asarray(found.mean)
        self.explained_variance_ = np.asarray(found.explained_variance)
        self.explained_variance_ratio_ = np.asarray(found.explained_variance_ratio)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Maps points X [M, D] to [M, n_components]."""
        check_is_fitted(self)
        return pca.transform(self.fitted_, _points(self, X, reset=False))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Returns the points [M, D] that lie at X [M, n_components]."""
        check_is_fitted(self)
        return pca.inverse(self.fitted_, np.asarray(X))

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)


class MDS(BaseEstimator):
    """Multidimensional scaling, see `jaxemb.methods.mds`. It places no new points.

    Args:
      n_components: dimensions of the map.
      method: "smacof", "gradient", "classical" or "sampled".
      metric: "euclidean", or "precomputed" for X a matrix of distances.
      max_iter: steps at most; None takes the method's.
      eps: relative change of the stress in a step below which the map has converged.
      random_state: seed, a RandomState, or None for another map each time.
      options: of all other numbers; None takes the defaults.

    Attributes:
      embedding_: [N, n_components] the map.
      stress_: raw stress before the last step; NaN for classical scaling.
      n_iter_: steps taken.
      fitted_: what `jaxemb.methods.mds.fit` returned.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        method: Literal["smacof", "gradient", "classical", "sampled"] = "smacof",
        metric: Literal["euclidean", "precomputed"] = "euclidean",
        max_iter: int | None = None,
        eps: float = 1e-5,
        random_state: Any = 0,
        options: mds.Options | None = None,
    ):
        """Keeps the parameters: scikit-learn checks none before `fit`."""
        self.n_components = n_components
        self.method = method
        self.metric = metric
        self.max_iter = max_iter
        self.eps = eps
        self.random_state = random_state
        self.options = options

    def fit(self, X: Any, y: Any = None) -> "MDS":
        """Maps points X [N, D], or distances [N, N]."""
        options = dataclasses.replace(
            as_options(self.options, mds.Options),
            dim=self.n_components,
            method=self.method,
            metric=self.metric,
            iterations=self.max_iter,
            tolerance=self.eps,
        )
        self.fitted_ = mds.fit(_seed(self.random_state), _points(self, X), options)
        _keep(self, self.fitted_)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Maps points X [N, D], or distances [N, N], and returns the map [N, n_components]."""
        return self.fit(X).embedding_


class Sammon(BaseEstimator):
    """Sammon's mapping, see `jaxemb.methods.sammon`. It places no new points.

    Args:
      n_components: dimensions of the map.
      metric: "euclidean", or "precomputed" for X a matrix of distances.
      max_iter: steps at most.
      eps: relative change of the stress in a step below which the map has converged.
      random_state: seed, a RandomState, or None for another map each time.
      options: of all other numbers; None takes the defaults.

    Attributes:
      embedding_: [N, n_components] the map.
      stress_: Sammon's, before the last step.
      n_iter_: steps taken.
      fitted_: what `jaxemb.methods.sammon.fit` returned.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        metric: Literal["euclidean", "precomputed"] = "euclidean",
        max_iter: int = 300,
        eps: float = 1e-5,
        random_state: Any = 0,
        options: sammon.Options | None = None,
    ):
        """Keeps the parameters: scikit-learn checks none before `fit`."""
        self.n_components = n_components
        self.metric = metric
        self.max_iter = max_iter
        self.eps = eps
        self.random_state = random_state
        self.options = options

    def fit(self, X: Any, y: Any = None) -> "Sammon":
        """Maps points X [N, D], or distances [N, N]."""
        options = dataclasses.replace(
            as_options(self.options, sammon.Options),
            dim=self.n_components,
            metric=self.metric,
            iterations=self.max_iter,
            tolerance=self.eps,
        )
        self.fitted_ = sammon.fit(_seed(self.random_state), _points(self, X), options)
        _keep(self, self.fitted_)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Maps points X [N, D], or distances [N, N], and returns the map [N, n_components]."""
        return self.fit(X).embedding_


def _keep(estimator: Any, fitted: mds.Fitted) -> None:
    """Sets the attributes that maps of distances have."""
    estimator.embedding_ = fitted.embedding
    estimator.stress_ = float(fitted.stress[-1]) if len(fitted.stress) else float("nan")
    estimator.n_iter_ = len(fitted.stress)


def _points(estimator: Any, X: Any, *, reset: bool = True) -> np.ndarray:
    """Returns X as floats, checked as scikit-learn checks it."""
    kinds = [np.float64, np.float32]
    return validate_data(estimator, X, dtype=kinds, reset=reset)


def _seed(random_state: Any) -> int:
    """Returns the seed of a key."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))
