"""t-SNE as an estimator."""

from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from jaxemb.methods import tsne
from jaxemb.methods.tsne.fit import phases_for
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


class TSNE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """t-SNE, see `jaxemb.methods.tsne`; unlike scikit-learn's it places new points, too.

    Args:
      n_components: dimensions of the map, 1 to 3.
      perplexity: how many neighbors a point sees, from 1 to less than a third of the points; None:
        30, or as many as there can be.
      early_exaggeration: factor on the attraction in the first 250 steps.
      learning_rate: "auto" takes the number of points over the exaggeration.
      max_iter: steps of the descent.
      n_iter_without_progress: ignored; `max_iter` and `min_grad_norm` end the descent.
      min_grad_norm: a shorter gradient ends the descent; 0 takes all steps.
      metric: "euclidean", "cosine", or "precomputed" for X a matrix of distances.
      metric_params: None, for no metric has any.
      init: "pca", of distances by classical scaling; "spectral"; "random"; or [N, n_components]
        positions, whose scale does not matter.
      verbose: above 0 shows a progress bar.
      random_state: seed, a RandomState, or None for another map each time.
      method: "barnes_hut" approximates the repulsion, by a grid, as `options.repulsion` says;
        "exact" sums it over all pairs.
      angle: ignored; `options.repulsion` is the grid's error.
      n_jobs: ignored; all cores are used.
      options: of all other numbers; None takes the defaults.

    Attributes:
      embedding_: [N, n_components] the map.
      kl_divergence_: of the map, in nats.
      learning_rate_: of the last step.
      n_iter_: steps that moved the points.
      fitted_: what `jaxemb.methods.tsne.fit` returned.
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        perplexity: float | None = None,
        early_exaggeration: float = 12.0,
        learning_rate: float | Literal["auto"] = "auto",
        max_iter: int = 750,
        n_iter_without_progress: Any = 300,
        min_grad_norm: float = 0.0,
        metric: str = "euclidean",
        metric_params: None = None,
        init: Any = "pca",
        verbose: int = 0,
        random_state: Any = 0,
        method: Literal["barnes_hut", "exact"] = "barnes_hut",
        angle: Any = 0.5,
        n_jobs: Any = None,
        options: tsne.Options | None = None,
    ):
        """Keeps the parameters: scikit-learn checks none before `fit`."""
        self.n_components = n_components
        self.perplexity = perplexity
        self.early_exaggeration = early_exaggeration
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.n_iter_without_progress = n_iter_without_progress
        self.min_grad_norm = min_grad_norm
        self.metric = metric
        self.metric_params = metric_params
        self.init = init
        self.verbose = verbose
        self.random_state = random_state
        self.method = method
        self.angle = angle
        self.n_jobs = n_jobs
        self.options = options

    def fit(self, X: Any, y: Any = None) -> "TSNE":
        """Maps points X [N, D], or distances [N, N]."""
        points = checked_points(self, X, at_least=4)
        refuse_metric_params(self.metric_params)
        named = self.init is None or isinstance(self.init, str)
        fields: dict[str, Any] = {
            "dim": self.n_components,
            "perplexity": self.perplexity,
            "exaggeration": self.early_exaggeration,
            "learning_rate": None if is_named(self.learning_rate, "auto") else self.learning_rate,
            "iterations": self.max_iter,
            "min_gradient_norm": self.min_grad_norm,
            "metric": self.metric,
        }
        if named:
            fields["initialization"] = self.init
        if meaning_of("method", self.method, {"barnes_hut": False, "exact": True}):
            fields["repulsion"] = "exact"
        with parameters_named():
            options = options_with(self.options, tsne.Options, fields)
            self.fitted_ = tsne.fit(
                seed_of(self.random_state),
                points,
                options,
                positions=None if named else self.init,
                run=Run(progress=bool(self.verbose)),
            )
        self.embedding_ = self.fitted_.embedding
        self.kl_divergence_ = self.fitted_.kl
        self.n_iter_ = steps = self.fitted_.iterations
        last = phases_for(options, len(points))(steps - 1, steps)
        self.learning_rate_ = float(last.learning_rate[0])
        return self

    def fit_transform(self, X: Any, y: Any = None) -> np.ndarray:
        """Maps X as `fit` does, and returns the map [N, n_components]."""
        return self.fit(X).embedding_

    def transform(self, X: Any) -> np.ndarray:
        """Places points X [M, D], or their distances [M, N] to those fitted: [M, n_components].

        A point that was fitted has its own place; of several that are equal, each in turn.
        """
        check_is_fitted(self)
        points = checked_points(self, X, reset=False)
        fitted = self.fitted_.points
        rows = _rows_of(fitted, points.astype(fitted.dtype, copy=False))
        places = self.embedding_[rows]
        new = rows < 0
        if new.any():
            places[new] = tsne.transform(self.fitted_, points[new])
        return places

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]

    def __sklearn_tags__(self) -> Tags:
        """Tells scikit-learn that results are float32, and when X holds distances."""
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = is_named(self.metric, "precomputed")
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _rows_of(points: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Returns which row of the points [N, D] each query [M, D] equals, -1 for none, [M].

    Where several rows are equal, queries that equal them are given these in turn, so that all
    points asked for have a row each.
    """
    asked: dict[bytes, list[int]] = {}
    for number, query in enumerate(queries):
        asked.setdefault(_bytes(query), []).append(number)
    found: dict[bytes, list[int]] = {}
    for row, point in enumerate(points):
        if (key := _bytes(point)) in asked:
            found.setdefault(key, []).append(row)
    rows = np.full(len(queries), -1)
    for key, equal in found.items():
        rows[asked[key]] = np.resize(equal, len(asked[key]))
    return rows


def _bytes(row: np.ndarray) -> bytes:
    return (row + 0).tobytes()  # -0 + 0 is 0
