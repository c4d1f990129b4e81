"""Principal components as an estimator."""

import dataclasses
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from jaxemb.errors import InputError
from jaxemb.methods import pca
from jaxemb.sklearn.parameters import (
    checked_points,
    is_named,
    meaning_of,
    options_with,
    parameters_named,
    seed_of,
)

# PCA's "auto" is exact up to this smaller side of the table, and where it keeps more than a share.
_EXACT_UP_TO, _RANDOMIZED_UP_TO = 2000, 0.1


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Principal components, see `jaxemb.methods.pca`.

    Args:
      n_components: directions to keep; None keeps all, a share between 0 and 1 as few as have more
        than this share of the variance.
      copy: ignored; X is never written to.
      whiten: whether each coordinate is divided by its standard deviation.
      svd_solver: "full", "covariance_eigh", "arpack" and "exact" are the same here: exact;
        "randomized"; "auto" is exact unless both sides of X are above 2,000 and at most a tenth
        of the directions are kept.
      tol: ignored; an exact solver needs none.
      iterated_power: of "randomized": multiplications by the scatter matrix; "auto" takes the
        options'.
      n_oversamples: of "randomized": directions carried along beside those to keep.
      power_iteration_normalizer: ignored; it is QR.
      random_state: seed, a RandomState, or None, for "randomized".
      options: of all other numbers; None takes the defaults.

    Attributes:
      components_: [n_components_, D] the directions.
      explained_variance_: [n_components_] along the directions.
      explained_variance_ratio_: [n_components_] its share of the total.
      singular_values_: [n_components_] of the centered points.
      mean_: [D] of the points.
      n_components_: how many directions were kept.
      n_samples_: N.
      noise_variance_: the mean variance along the directions left out.
      fitted_: what `jaxemb.methods.pca.fit` returned.
    """

    def __init__(
        self,
        n_components: int | float | None = None,
        *,
        copy: Any = True,
        whiten: bool = False,
        svd_solver: str = "auto",
        tol: Any = 0.0,
        iterated_power: int | Literal["auto"] = "auto",
        n_oversamples: int = 10,
        power_iteration_normalizer: Any = "auto",
        random_state: Any = 0,
        options: pca.Options | None = None,
    ):
        """Keeps the parameters: scikit-learn checks none before `fit`."""
        self.n_components = n_components
        self.copy = copy
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state
        self.options = options

    def fit(self, X: Any, y: Any = None) -> "PCA":
        """Finds the directions of greatest variance of points X [N, D]."""
        points = checked_points(self, X, at_least=2)
        most = min(points.shape)
        share = self._share()
        kept = most if share is not None or self.n_components is None else self.n_components
        solver = meaning_of(
            "svd_solver",
            self.svd_solver,
            dict.fromkeys(("full", "covariance_eigh", "arpack", "exact"), "exact")
            | {"auto": "auto", "randomized": "randomized"},
        )
        if share is not None and solver == "randomized":
            raise InputError(
                f"n_components must be a whole number or None for svd_solver 'randomized', found "
                f"{share}: a share needs the variance along all directions"
            )
        fields: dict[str, Any] = {
            "components": kept,
            "solver": "exact" if solver == "auto" else solver,
            "whiten": self.whiten,
            "oversamples": self.n_oversamples,
        }
        if not is_named(self.iterated_power, "auto"):
            fields["power_iterations"] = self.iterated_power
        with parameters_named():
            options = options_with(self.options, pca.Options, fields)
            few = options.components <= _RANDOMIZED_UP_TO * most
            if solver == "auto" and most > _EXACT_UP_TO and few:
                options = dataclasses.replace(options, solver="randomized")
            random = options.solver == "randomized"
            found = pca.fit(points, options, key=seed_of(self.random_state) if random else None)
        if share is not None:
            found = _first(found, share)
        self.fitted_ = found
        self.components_ = np.asarray(found.pca.directions).T
        self.mean_ = points.mean(axis=0, dtype=np.float64)
        # In float64: squares of large deviations are no float32 numbers.
        deviation = np.asarray(found.pca.deviation, np.float64)
        self.explained_variance_ = np.square(deviation)
        self.explained_variance_ratio_ = np.asarray(found.pca.explained_variance_ratio)
        self.n_components_, self.n_samples_ = len(self.components_), len(points)
        self.singular_values_ = deviation * np.sqrt(len(points) - 1)
        self.noise_variance_ = self._noise_variance(most)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Maps points X [M, D] to [M, n_components_]."""
        check_is_fitted(self)
        return pca.transform(self.fitted_, checked_points(self, X, reset=False))

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Returns the points [M, D] that lie at X [M, n_components_]."""
        check_is_fitted(self)
        return pca.inverse(self.fitted_, np.asarray(X))

    def get_covariance(self) -> np.ndarray:
        """Returns the covariance [D, D] of the normal distribution that PCA fits to the points.

        Reference:
          Tipping & Bishop 1999, "Mixtures of probabilistic principal component analyzers".
        """
        check_is_fitted(self)
        directions = self.components_.astype(np.float64)
        above = self.explained_variance_ - self.noise_variance_
        found = (directions.T * np.maximum(above, 0)[None, :]) @ directions
        return found + self.noise_variance_ * np.eye(len(found))

    def get_precision(self) -> np.ndarray:
        """Returns the inverse [D, D] of the covariance."""
        return np.linalg.inv(self.get_covariance())

    def score_samples(self, X: Any) -> np.ndarray:
        """Returns the log-likelihood [M] of points X [M, D], in nats."""
        from scipy.stats import multivariate_normal  # loads slowly

        covariance = self.get_covariance()
        points = checked_points(self, X, reset=False)
        normal = multivariate_normal(self.mean_, covariance, allow_singular=True)
        return np.atleast_1d(normal.logpdf(points))

    def score(self, X: Any, y: Any = None) -> float:
        """Returns the mean log-likelihood of points X [M, D], in nats."""
        return float(self.score_samples(X).mean())

    def _share(self) -> float | None:
        """Returns the share of the variance that `n_components` asks for, or None."""
        wanted = self.n_components
        if wanted is None or isinstance(wanted, (int, np.integer)):
            return None
        if isinstance(wanted, (float, np.floating)) and 0 < wanted < 1:
            return float(wanted)
        raise InputError(
            "n_components must be None, a whole number, or a share of the variance between 0 and "
            f"1, found {wanted!r}"
        )

    def _noise_variance(self, most: int) -> float:
        explained = self.explained_variance_
        if len(explained) == most or not explained[0] > 0:
            return 0.0
        total = explained[0] / self.explained_variance_ratio_[0]
        return max(float(total - explained.sum()), 0.0) / (most - len(explained))

    @property
    def _n_features_out(self) -> int:
        return len(self.components_)

    def __sklearn_tags__(self) -> Tags:
        """Tells scikit-learn that results are float32."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _first(fitted: pca.Fitted, share: float) -> pca.Fitted:
    """Returns as few of the components as have more than a share of the variance."""
    reached = np.cumsum(np.asarray(fitted.pca.explained_variance_ratio, np.float64))
    kept = min(int(np.searchsorted(reached, share, side="right")) + 1, len(reached))
    found = fitted.pca
    return fitted._replace(
        embedding=fitted.embedding[:, :kept],
        pca=found._replace(
            directions=found.directions[:, :kept],
            deviation=found.deviation[:kept],
            explained_variance_ratio=found.explained_variance_ratio[:kept],
        ),
        options=dataclasses.replace(fitted.options, components=kept),
    )
