"""Principal components: the map that keeps most of the variance.

Example:
    import numpy as np
    from jaxemb import pca

    points = np.random.default_rng(0).normal(size=(100, 8))
    fitted = pca.fit(points, pca.Options(components=2))
    fitted.embedding  # [100, 2], in the units of the points
    fitted.pca.explained_variance_ratio  # [2]
    placed = pca.transform(fitted, points + 1)  # points that it has not seen
    given_back = pca.inverse(fitted, placed)  # [100, 8], what two components keep

Nothing is drawn at random unless the solver is "randomized", which then needs a key.
"""

import dataclasses
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.fields import documented
from jaxemb.memory import require_memory
from jaxemb.training.state import History

# Up to so many columns, all directions of a sparse matrix are found rather than a few.
_NARROW = 1000


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the components, the points given."""

    components: int = 2
    """Directions to keep."""
    solver: Literal["exact", "randomized"] = "exact"
    """exact: by all directions; randomized: by random ones, for points of very many numbers."""
    whiten: bool = False
    """Whether each coordinate of the map is divided by its standard deviation."""
    oversamples: int = 10
    """Directions carried along beside those to keep: randomized."""
    power_iterations: int = 7
    """Multiplications by the scatter matrix, each of which reads the points once: randomized."""

    def __post_init__(self) -> None:
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "components", at_least=1)
        checks.check_field(self, "oversamples", at_least=0)
        checks.check_field(self, "power_iterations", at_least=1)


class Fitted(NamedTuple):
    """The principal components of some points.

    Attributes:
      embedding: [N, C] float32 the points' coordinates along the directions, in their units;
        whitened, in standard deviations.
      pca: mean, directions, deviations and shares of the variance, in float32.
      origin: [D] float64 that was subtracted before: the mean of float64 points, whose differences
        float32 could not hold beside it; 0 for others.
      options: of the method.
      history: empty, for nothing is iterated.
    """

    embedding: np.ndarray
    pca: pca.PCA
    origin: np.ndarray
    options: Options
    history: History = History()


def fit(
    points: Any, options: Options | None = None, *, key: jax.Array | int | None = None
) -> Fitted:
    """Finds the directions of greatest variance, and maps the points by them.

    Args:
      points: [N, D] real numbers; sizes up to 1e30 neither overflow nor lose digits. SciPy's
        sparse ones stay so; scikit-learn finds their directions, whatever the solver.
      options: of the method.
      key: random key, or a seed, of the solver "randomized"; the other draws nothing.

    Returns:
      The components and the map.

    Raises:
      InputError: if an argument is outside its documented range, or the solver is "randomized"
        and there is no key.
    """
    options = checks.as_options(options, Options)
    key = None if key is None else checks.as_key(key)
    if checks.is_sparse(points):
        return _fit_sparse(points, options)
    points = checks.as_points(points, at_least=1)
    origin = np.zeros(points.shape[1])
    if points.dtype == np.float64:
        with np.errstate(over="ignore"):  # numbers so large are refused below
            origin = points.mean(axis=0)
    table = _table(points, origin)
    _check_components(options, min(table.shape), table.shape)
    if options.solver == "exact":
        found = pca.fit(table, components=options.components)
    elif key is None:
        raise InputError('key is needed by the solver "randomized": jax.random.key(0), or a seed')
    else:
        found = pca.fit_randomized(
            key,
            table,
            components=options.components,
            oversamples=options.oversamples,
            power_iterations=options.power_iterations,
        )
    embedding = np.asarray(pca.transform(found, table, whiten=options.whiten))
    return Fitted(embedding, found, origin, options)


def transform(fitted: Fitted, points: Any) -> np.ndarray:
    """Maps points, those fitted or new.

    Args:
      fitted: C directions in D dimensions.
      points: [M, D] real numbers.

    Returns:
      [M, C] float32.

    Raises:
      InputError: if the points are no such matrix.
    """
    dim = len(fitted.pca.mean)
    if not checks.is_sparse(points):
        points = checks.as_points(points, at_least=1)
    if points.shape[1] != dim:
        raise InputError(
            f"points must have {dim} numbers, as those fitted, found {points.shape[1]}"
        )
    if checks.is_sparse(points):
        return _transform_sparse(fitted, _finite(points))
    table = _table(points, fitted.origin)
    return np.asarray(pca.transform(fitted.pca, table, whiten=fitted.options.whiten))


def inverse(fitted: Fitted, embedding: Any) -> np.ndarray:
    """Returns the points that lie at these places of the map.

    Args:
      fitted: C directions in D dimensions.
      embedding: [M, C] real numbers, as `transform` returns it.

    Returns:
      [M, D], float32 or, if the points were, float64, without what the directions left out had.

    Raises:
      InputError: if the embedding is no such matrix.
    """
    scores = jnp.asarray(checks.as_points(embedding, at_least=1, name="embedding"))
    components = fitted.pca.directions.shape[1]
    if scores.shape[1] != components:
        raise InputError(f"embedding must have {components} columns, found {scores.shape[1]}")
    found = np.asarray(pca.inverse(fitted.pca, scores, whiten=fitted.options.whiten))
    return found + fitted.origin if fitted.origin.any() else found


def _check_components(options: Options, width: int, shape: tuple[int, ...]) -> None:
    if options.components > width:
        raise InputError(
            f"components must be at most {width}, the smaller side of points of shape "
            f"{list(shape)}, found {options.components}"
        )


def _fit_sparse(points: Any, options: Options) -> Fitted:
    """Finds the directions of greatest variance of sparse points [N, D], about their mean.

    Raises:
      InputError: as in `fit`.
    """
    from sklearn.decomposition import PCA  # loads slowly

    table = _finite(points)
    _check_components(options, min(table.shape), table.shape)
    narrow = table.shape[1] <= _NARROW
    if not narrow and options.components == min(table.shape):
        # ARPACK finds all directions but one.
        require_memory(
            16 * table.shape[0] * table.shape[1],
            f"all {options.components:,} components of sparse points",
            "ask for one less",
        )
        return fit(table.toarray(), dataclasses.replace(options, solver="exact"))._replace(
            options=options
        )
    solver = "covariance_eigh" if narrow else "arpack"
    found = PCA(options.components, svd_solver=solver, random_state=0).fit(table)
    directions = found.components_.T
    largest = np.argmax(np.abs(directions), axis=0)
    directions = directions * np.sign(directions[largest, range(options.components)])
    parts = (directions, np.sqrt(found.explained_variance_), found.explained_variance_ratio_)
    components = pca.PCA(
        jnp.zeros(table.shape[1], jnp.float32), *(jnp.asarray(part, jnp.float32) for part in parts)
    )
    fitted = Fitted(np.empty(0), components, found.mean_, options)
    return fitted._replace(embedding=_transform_sparse(fitted, table))


def _transform_sparse(fitted: Fitted, table: Any) -> np.ndarray:
    directions = np.asarray(fitted.pca.directions, np.float64)
    scores = table @ directions - (fitted.origin + np.asarray(fitted.pca.mean)) @ directions
    if fitted.options.whiten:
        deviation = np.asarray(fitted.pca.deviation, np.float64)
        scores *= np.divide(1, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    return scores.astype(np.float32)


def _finite(points: Any) -> Any:
    """Returns sparse points in rows, as float64.

    Raises:
      InputError: if a number is not finite or none, or there are no points.
    """
    checks.check_sparse(points)
    table = points.tocsr().astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(table.data))
    if len(bad):
        row = int(np.searchsorted(table.indptr, bad[0], side="right")) - 1
        raise InputError(
            f"points must be finite, found {table.data[bad[0]]:g} in row {row}, column "
            f"{table.indices[bad[0]]}; {len(bad):,} such values. Drop these rows, or fill the gaps "
            "first"
        )
    return table


def _table(points: np.ndarray, origin: np.ndarray) -> jax.Array:
    """Returns points [N, D] as float32 about an origin, on a device.

    Raises:
      InputError: if they are too large for float32.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        table = np.asarray(points - origin if origin.any() else points, np.float32)
    if not np.isfinite(table).all():
        raise InputError(
            "points must be less than 3e38 apart, found more; divide them by their size first"
        )
    return jnp.asarray(table)
