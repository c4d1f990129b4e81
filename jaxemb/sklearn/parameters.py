"""What the estimators share: parameters to options, and data to floats."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from jaxemb.checks import as_options
from jaxemb.errors import InputError

# The parameters that set fields of other names.
_PARAMETERS = {
    "components": "n_components",
    "dim": "n_components",
    "exaggeration": "early_exaggeration",
    "initialization": "init",
    "iterations": "max_iter",
    "min_gradient_norm": "min_grad_norm",
    "oversamples": "n_oversamples",
    "positions": "init",
    "power_iterations": "iterated_power",
    "repulsion": "method",
    "solver": "svd_solver",
    "tolerance": "eps",
}


def checked_points(estimator: Any, X: Any, *, at_least: int = 1, reset: bool = True) -> np.ndarray:
    """Returns X as floats, checked as scikit-learn checks it, which looks through masks."""
    if np.ma.is_masked(X):
        place = np.argwhere(np.ma.getmaskarray(X))[0].tolist()
        raise InputError(
            f"X must have no masked values, found {np.ma.count_masked(X)}, the first at {place}; "
            "drop these rows, or fill the gaps first"
        )
    kinds = [np.float64, np.float32]
    return validate_data(estimator, X, dtype=kinds, ensure_min_samples=at_least, reset=reset)


def seed_of(random_state: Any) -> int:
    """Returns the seed of a key."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def is_named(value: Any, name: str) -> bool:
    """Tells whether a parameter is this string; arrays have no truth value."""
    return isinstance(value, str) and value == name


def meaning_of(parameter: str, value: Any, meanings: dict[str, Any]) -> Any:
    """Returns what a parameter's value means, or refuses it with the list of those allowed."""
    if isinstance(value, str) and value in meanings:
        return meanings[value]
    raise InputError(f"{parameter} must be {', '.join(map(repr, meanings))}, found {value!r}")


def refuse_metric_params(given: Any) -> None:
    """Refuses, with an InputError, parameters of a metric."""
    if given:
        raise InputError(f"metric_params must be None, for no metric has any, found {given!r}")


def options_with(given: Any, kind: Any, fields: dict[str, Any]) -> Any:
    """Returns a method's options, with those fields that an estimator's parameters set."""
    options, usual = as_options(given, kind), kind()
    for field in fields:
        if getattr(options, field) not in (getattr(usual, field), fields[field]):
            raise InputError(
                f"options.{field} must be left alone, found {getattr(options, field)!r}: the "
                f"parameter {_PARAMETERS.get(field, field)} sets it"
            )
    return dataclasses.replace(options, **fields)


@contextlib.contextmanager
def parameters_named() -> Iterator[None]:
    """Errors that begin with a field's name get that of the parameter which set it."""
    try:
        yield
    except InputError as error:
        field, _, rest = str(error).partition(" ")
        if field == "metric" and "'precomputed'" in rest:
            raise InputError(
                f"{error}; sklearn.metrics.pairwise_distances makes a matrix of other distances, "
                "for 'precomputed'"
            ) from error
        if field not in _PARAMETERS:
            raise
        raise InputError(f"{_PARAMETERS[field]} {rest}") from error
