"""Maps that keep distances, as estimators."""

import dataclasses
import warnings
from typing import Any, Literal

import jax
import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags

from jaxemb.checks import as_key
from jaxemb.errors import InputError
from jaxemb.methods import mds, sammon
from jaxemb.methods.mds.all_pairs import checked_start
from jaxemb.projections.distance_matrix import distance_matrix, equal_points
from jaxemb.sklearn.parameters import (
    checked_points,
    is_named,
    meaning_of,
    options_with,
    parameters_named,
    refuse_metric_params,
    seed_of,
)
from jaxemb.training.run import Run

_STARTS = {"classical_mds": "classical", "random": "random"}


class MDS(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Multidimensional scaling, see `jaxemb.methods.mds`. It places no new points.

    Args:
      n_components: dimensions of the map.
      metric_mds: True; nonmetric scaling is not supported.
      n_init: random starts, of which the map of least stress is kept; for `init` "random".
      init: "classical_mds" or "random".
      method: "smacof", "gradient", "classical" or "sampled".
      max_iter: steps at most; None takes the method's.
      verbose: above 0 shows a progress bar.
      eps: relative change of the stress in a step below which the map has converged.
      n_jobs: ignored; all cores are used.
      random_state: seed, a RandomState, or None for another map each time.
      dissimilarity: former name of `metric`.
      metric: "euclidean", or "precomputed" for X a matrix of distances.
      metric_params: None, for no metric has any.
      normalized_stress: whether `stress_` is Kruskal's stress-1; "auto" is False.
      options: of all other numbers; None takes the defaults.

    Attributes:
      embedding_: [N, n_components] the map.
      stress_: of the map, raw or normalized; for the method "sampled" an estimate.
      dissimilarity_matrix_: [N, N] the distances to keep; the method "sampled" has none.
      n_iter_: steps taken.
      fitted_: what `jaxemb.methods.mds.fit` returned.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        metric_mds: bool = True,
        n_init: int = 1,
        init: Literal["classical_mds", "random"] = "classical_mds",
        method: Literal["smacof", "gradient", "classical", "sampled"] = "smacof",
        max_iter: int | None = None,
        verbose: int = 0,
        eps: float = 1e-5,
        n_jobs: Any = None,
        random_state: Any = 0,
        dissimilarity: str = "deprecated",
        metric: str = "euclidean",
        metric_params: None = None,
        normalized_stress: bool | Literal["auto"] = "auto",
        options: mds.Options | None = None,
    ):
        """Keeps the parameters: scikit-learn checks none before `fit`."""
        self.n_components = n_components
        self.metric_mds = metric_mds
        self.n_init = n_init
        self.init = init
        self.method = method
        self.max_iter = max_iter
        self.verbose = verbose
        self.eps = eps
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.dissimilarity = dissimilarity
        self.metric = metric
        self.metric_params = metric_params
        self.normalized_stress = normalized_stress
        self.options = options

    def fit(self, X: Any, y: Any = None, init: Any = None) -> "MDS":
        """Maps points X [N, D], or distances [N, N], from `init` [N, n_components] if given."""
        points = checked_points(self, X, at_least=4)
        self._check()
        fields = {
            "dim": self.n_components,
            "method": self.method,
            "metric": self._metric(),
            "iterations": self.max_iter,
            "tolerance": self.eps,
            "initialization": meaning_of("init", self.init, _STARTS),
        }
        with parameters_named():
            options = options_with(self.options, mds.Options, fields)
            given, how = points, options
            if options.method != "sampled":
                if options.metric == "euclidean":
                    given = distance_matrix(points)
                self.dissimilarity_matrix_ = given
                how = dataclasses.replace(options, metric="precomputed")
            key = as_key(seed_of(self.random_state))
            random = init is None and options.initialization == "random"
            found = []
            for run in range(self.n_init if random and options.method != "classical" else 1):
                one = mds.fit(
                    jax.random.fold_in(key, run) if run else key,
                    given,
                    how,
                    positions=init,
                    run=Run(progress=bool(self.verbose)),
                )
                stress = (
                    float(one.stress[-1])
                    if options.method == "sampled"
                    else _raw_stress(one.embedding, given)
                )
                found.append((stress, run, one))
        self.stress_, _, best = min(found)
        self.fitted_ = best._replace(options=options)
        self.embedding_, self.n_iter_ = best.embedding, len(best.stress)
        if self.normalized_stress is True:
            self.stress_ = _normalized(self.stress_, self.embedding_)
        return self

    def fit_transform(self, X: Any, y: Any = None, init: Any = None) -> np.ndarray:
        """Maps X as `fit` does, and returns the map [N, n_components]."""
        return self.fit(X, init=init).embedding_

    def _check(self) -> None:
        """Refuses what scikit-learn's has and this has not."""
        refuse_metric_params(self.metric_params)
        if self.metric_mds is not True:
            raise InputError(
                f"metric_mds must be True, found {self.metric_mds!r}: nonmetric scaling is not "
                "supported"
            )
        whole = isinstance(self.n_init, (int, np.integer)) and not isinstance(self.n_init, bool)
        if not whole or self.n_init < 1:
            raise InputError(f"n_init must be a whole number of at least 1, found {self.n_init!r}")
        if not (
            isinstance(self.normalized_stress, bool) or is_named(self.normalized_stress, "auto")
        ):
            raise InputError(
                f"normalized_stress must be True, False or 'auto', found {self.normalized_stress!r}"
            )

    def _metric(self) -> str:
        """Returns the metric, under whichever name it was given."""
        if is_named(self.dissimilarity, "deprecated"):
            return self.metric
        if not is_named(self.metric, "euclidean"):
            raise InputError("dissimilarity is the former name of metric; give metric alone")
        warnings.warn(
            "dissimilarity is the former name of metric, and will go when scikit-learn's does",
            FutureWarning,
            stacklevel=3,
        )
        return self.dissimilarity

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Tags:
        """Tells scikit-learn when X holds distances."""
        tags = super().__sklearn_tags__()
        given = is_named(self.metric, "precomputed") or is_named(self.dissimilarity, "precomputed")
        tags.input_tags.pairwise = given
        return tags


class Sammon(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Sammon's mapping, see `jaxemb.methods.sammon`. It places no new points.

    Points that are equal, which the stress cannot hold apart, count once and share a place.

    Args:
      n_components: dimensions of the map.
      init: "classical_mds" or "random".
      metric: "euclidean", or "precomputed" for X a matrix of distances.
      max_iter: steps at most.
      verbose: above 0 shows a progress bar.
      eps: relative change of the stress in a step below which the map has converged.
      random_state: seed, a RandomState, or None for another map each time.
      options: of all other numbers; None takes the defaults.

    Attributes:
      embedding_: [N, n_components] the map.
      stress_: Sammon's, before the last step.
      n_iter_: steps taken.
      fitted_: what `jaxemb.methods.sammon.fit` returned; of equal points it has one.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        init: Literal["classical_mds", "random"] = "classical_mds",
        metric: Literal["euclidean", "precomputed"] = "euclidean",
        max_iter: int = 300,
        verbose: int = 0,
        eps: float = 1e-5,
        random_state: Any = 0,
        options: sammon.Options | None = None,
    ):
        """Keeps the parameters: scikit-learn checks none before `fit`."""
        self.n_components = n_components
        self.init = init
        self.metric = metric
        self.max_iter = max_iter
        self.verbose = verbose
        self.eps = eps
        self.random_state = random_state
        self.options = options

    def fit(self, X: Any, y: Any = None, init: Any = None) -> "Sammon":
        """Maps points X [N, D], or distances [N, N], from `init` [N, n_components] if given."""
        points = checked_points(self, X, at_least=4)
        fields = {
            "dim": self.n_components,
            "metric": self.metric,
            "iterations": self.max_iter,
            "tolerance": self.eps,
            "initialization": meaning_of("init", self.init, _STARTS),
        }
        with parameters_named():
            options = options_with(self.options, sammon.Options, fields)
            like = np.arange(len(points))
            if options.metric == "euclidean":
                for rows in equal_points(points):
                    like[rows] = rows[0]
            kept, places = np.unique(like, return_inverse=True)
            if len(kept) < 4:
                raise InputError(f"4 different points are needed, found {len(kept)}")
            once = kept if len(kept) < len(points) else slice(None)
            start = None if init is None else checked_start(init, len(points), options.dim)
            self.fitted_ = sammon.fit(
                seed_of(self.random_state),
                points[once],
                options,
                positions=None if start is None else start[once],
                run=Run(progress=bool(self.verbose)),
            )
        self.embedding_ = self.fitted_.embedding[places]
        self.stress_ = float(self.fitted_.stress[-1])
        self.n_iter_ = len(self.fitted_.stress)
        return self

    def fit_transform(self, X: Any, y: Any = None, init: Any = None) -> np.ndarray:
        """Maps X as `fit` does, and returns the map [N, n_components]."""
        return self.fit(X, init=init).embedding_

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Tags:
        """Tells scikit-learn when X holds distances."""
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = is_named(self.metric, "precomputed")
        return tags


def _raw_stress(embedding: np.ndarray, distances: np.ndarray) -> float:
    """Returns the sum of the squared errors of all distances, as `losses.stress.raw_stress`."""
    errors = distance_matrix(embedding) - distances
    return float(np.einsum("nm,nm->", errors, errors, dtype=np.float64)) / 2


def _normalized(stress: float, embedding: np.ndarray) -> float:
    """Returns Kruskal's stress-1, the root of the raw stress over the map's squared distances."""
    centered = embedding - embedding.mean(axis=0, keepdims=True)
    total = len(embedding) * float(np.sum(np.square(centered, dtype=np.float64)))
    return float(np.sqrt(stress / total)) if total > 0 else float("inf")
