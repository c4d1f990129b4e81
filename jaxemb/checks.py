"""Checks of values where they enter, before arrays are traced."""

import dataclasses
import decimal
import math
import numbers
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError

Options = TypeVar("Options")

# Numbers looked at at a time.
_AT_A_TIME = 2**24
# Up to here every whole number is a float64.
_WHOLE = 2.0**53


def as_labels(labels: Any, rows: int, *, name: str = "labels") -> np.ndarray:
    """Returns labels of examples as an array, of whole numbers or of names.

    Args:
      labels: [N] whole numbers or strings, as any library has them: lists, arrays of NumPy and JAX,
        columns of pandas and polars. Truth values and whole floats become whole numbers.
      rows: N.
      name: what to call them.

    Returns:
      [N] int or str, to be compared, or numbered by `np.unique`.

    Raises:
      InputError: if they are something else, one is missing, or they are not one an example.
    """
    if np.ma.is_masked(labels):
        raise InputError(f"{name} have masked entries; fill them, or drop these examples, first")
    array = np.asarray(labels, object if isinstance(labels, (list, tuple)) else None)
    if array.shape != (rows,):
        raise InputError(f"{name} must be one for each of {rows} rows, found {list(array.shape)}")
    if array.dtype.kind in "OT":
        array = _plain_labels(array, name)
    if array.dtype.kind == "b":
        array = array.astype(np.int32)
    # Beyond this, floats are no longer all whole numbers, and several become one.
    if array.dtype.kind == "f" and (np.abs(array) <= _WHOLE).all() and (array % 1 == 0).all():
        array = array.astype(np.int64)
    if array.dtype.kind not in "iuU":
        missing = np.flatnonzero(np.isnan(array)) if array.dtype.kind == "f" else array[:0]
        told = f"; that at position {missing[0]} is missing" if missing.size else ""
        raise InputError(f"{name} must be whole numbers or names, found {array.dtype}{told}")
    return array


def _plain_labels(array: np.ndarray, name: str) -> np.ndarray:
    """Returns an array of Python objects as one of names, or of numbers."""
    kinds = (str, numbers.Real, np.bool_)
    first = next((kind for kind in kinds if len(array) and isinstance(array[0], kind)), kinds)
    for place, label in enumerate(array):
        if not isinstance(label, first):
            others = "" if first is kinds else f", others are like {array[0]!r:.40}"
            raise InputError(
                f"{name} must be whole numbers or names, found {label!r:.40} at position {place}"
                f"{others}"
            )
    if first is not str:
        found = np.array(array.tolist())
        # Mixed with floats or beyond 64 bits, whole numbers would be rounded to one another.
        if found.dtype.kind == "f" and any(abs(label) > _WHOLE for label in array):
            raise InputError(f"{name} must be whole numbers of at most 64 bits, or names")
        return found
    ended = next((label for label in array if label.endswith("\0")), None)
    if ended is not None:  # NumPy would drop it
        raise InputError(f"{name} must not end in a NUL character, found {ended!r:.40}")
    return np.array(array.tolist(), str)


def check_labels(labels: np.ndarray, rows: int, *, classes: int | None = None) -> None:
    """Refuses labels that don't belong to their examples.

    On a device a label out of range raises nothing: it reads another class, or none.

    Args:
      labels: [N] int, a class for each example.
      rows: N.
      classes: labels must be in [0, classes). None allows any integer, as for individuals that
        need no outputs of their own.

    Raises:
      InputError: if they are no integers, not one an example, or out of range.
    """
    if labels.dtype.kind not in "iu":
        raise InputError(
            f"labels must be integers, found {labels.dtype}; np.unique(labels, return_inverse=True)"
            " numbers the classes"
        )
    if labels.shape != (rows,):
        raise InputError(f"labels must be one for each of {rows} rows, found {list(labels.shape)}")
    if classes is None:
        return
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if bad.size:
        raise InputError(
            f"label {labels[bad[0]]} at position {bad[0]} is outside [0, {classes}); {bad.size} "
            "such labels. Were they numbered for another data set?"
        )


def is_sparse(points: Any) -> bool:
    """Tells whether points are one of SciPy's sparse matrices or arrays, which load slowly."""
    return hasattr(points, "toarray") and hasattr(points, "nnz")


def check_sparse(points: Any, *, name: str = "points") -> None:
    """Refuses a sparse matrix that is no matrix of real numbers, or whose parts contradict.

    Raises:
      InputError: saying which.
    """
    if points.dtype.kind not in "biuf" or points.ndim != 2 or min(points.shape) < 1:
        raise InputError(
            f"{name} must be a matrix of real numbers, found sparse {points.dtype} of shape "
            f"{list(points.shape)}"
        )
    try:
        # SciPy's own products don't look whether a place is inside.
        if hasattr(points, "check_format"):
            points.check_format(full_check=True)
        elif points.format == "coo":
            for places, size in zip(points.coords, points.shape, strict=True):
                if len(places) and not (places.min() >= 0 and places.max() < size):
                    raise ValueError("a place is outside the matrix")
    except ValueError as error:
        raise InputError(f"{name}: the sparse matrix is damaged: {error}") from error


def as_points(points: Any, *, at_least: int = 4, name: str = "points") -> np.ndarray:
    """Returns a matrix of finite floats; other real numbers become floats that hold them.

    Args:
      points: [N, D] real, as any library has it: lists, arrays of NumPy and JAX, data frames.
        Floats of 32 and 64 bits stay as they are; shorter ones, truth values and whole numbers of
        up to 16 bits become float32, all others float64.
      at_least: smallest N.
      name: what to call them.

    Returns:
      [N, D] float; the array itself where nothing is to be done.

    Raises:
      InputError: naming shape, dtype or the first bad place.
    """
    if np.ma.is_masked(points):
        raise InputError(
            f"{name} have {int(np.ma.getmaskarray(points).sum()):,} masked entries; fill them, or "
            "drop these rows, first"
        )
    if is_sparse(points):
        raise InputError(
            f"{name} must be dense, found the sparse {type(points).__name__} of shape "
            f"{points.shape}; .toarray() makes them so, and pca.fit, which takes them as they are, "
            "reduces many columns first"
        )
    try:
        table = np.asarray(points)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} must be a matrix, a point a row: {error}") from error
    if table.dtype.kind == "O":
        table = _unboxed(points, table, name)
    if table.dtype not in (np.float32, np.float64):
        if np.can_cast(table.dtype, np.float32) and table.dtype.kind != "c":
            table = table.astype(np.float32)
        elif table.dtype.kind in "iuf":
            table = table.astype(np.float64)
    check_points(table, at_least=at_least, name=name)
    return table


def _unboxed(points: Any, table: np.ndarray, name: str) -> np.ndarray:
    """Returns an array of Python objects as float64, if all are real numbers."""
    for place in np.ndindex(table.shape):
        value = table[place]
        # Decimal and Fraction are numbers; a text of digits may be a name.
        if value is not None and not isinstance(value, (numbers.Number, decimal.Decimal)):
            row, *rest = place
            column = rest[0] if rest else 0
            names = list(getattr(points, "columns", ()))
            told = repr(names[column]) if names else str(column)
            raise InputError(
                f"{name} must be real numbers, found {value!r:.80} in row {row}, column {told}"
            )
    try:
        return table.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a matrix of real numbers: {error}") from error


def check_points(points: np.ndarray, *, at_least: int = 4, name: str = "points") -> None:
    """Refuses what is no matrix of finite numbers.

    Args:
      points: to be [N, D] float.
      at_least: smallest N.
      name: what to call them.

    Raises:
      InputError: naming shape, dtype or the first bad place.
    """
    kind = getattr(points, "dtype", None)
    if kind is None or not np.issubdtype(kind, np.floating) or points.ndim != 2:
        found = type(points).__name__ if kind is None else f"{kind} of shape {points.shape}"
        raise InputError(
            f"{name} must be a matrix of floats, a point a row, found {found}; convert other "
            "numbers with .astype(np.float32), and flatten images with .reshape(len(images), -1)"
        )
    rows, columns = points.shape
    if rows < at_least or columns < 1:
        raise InputError(
            f"{name} must have at least {at_least} rows and a column, found {rows} x {columns}"
        )
    first, count = None, 0
    step = max(1, _AT_A_TIME // columns)
    for start in range(0, rows, step):
        bad = np.argwhere(~np.isfinite(points[start : start + step]))
        if len(bad) and first is None:
            first = bad[0] + (start, 0)
        count += len(bad)
    if first is not None:
        row, column = first
        raise InputError(
            f"{name} must be finite, found {points[row, column]} in row {row}, column {column}; "
            f"{count} such values. Drop these rows, or fill the gaps first"
        )


def check_fields(options: Any) -> None:
    """Refuses fields of the wrong type, and values that a `Literal` doesn't list.

    NumPy's scalars are numbers, too, and become Python's, which neither overflow nor round; whole
    numbers become floats where a float is meant; a bool is none.

    Args:
      options: a dataclass instance.

    Raises:
      InputError: naming field, what is allowed and what was found.
    """
    hints = get_type_hints(type(options))
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        allowed = _alternatives(hints[field.name])
        if isinstance(value, np.generic):
            value = value.item()
            object.__setattr__(options, field.name, value)
        if type(value) is int and allowed and float in allowed and int not in allowed:
            # So that 0 and 0.0 are the same options, also for a checkpoint.
            value = float(value) if abs(value) < 1 << 1000 else math.inf
            object.__setattr__(options, field.name, value)
        if allowed is not None and not any(_fits(value, kind) for kind in allowed):
            told = " or ".join(
                ", ".join(map(repr, get_args(kind)))
                if get_origin(kind) is Literal
                else {type(None): "None", int: "a whole number", float: "a number"}.get(
                    kind, kind.__name__
                )
                for kind in allowed
            )
            raise InputError(f"{field.name} must be {told}, found {value!r}")


def as_options(options: Any, kind: type[Options]) -> Options:
    """Returns a method's options, the defaults for None.

    Raises:
      InputError: for anything but an instance of the method's own `Options`.
    """
    if options is None:
        return kind()
    if type(options) is not kind:
        method = kind.__module__.split(".")[2]
        what, found = ("the class ", options) if isinstance(options, type) else ("", type(options))
        raise InputError(
            f"options must be {method}.{kind.__name__}(...), found {what}{found.__name__} of "
            f"{found.__module__}"
        )
    return options


def check_field(
    options: object,
    name: str,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
) -> None:
    """Refuses a number outside its range, and NaN.

    Args:
      options: a dataclass instance.
      name: the field.
      at_least: smallest value allowed.
      above: a bound that the value must exceed.
      at_most: largest value allowed.

    Raises:
      InputError: naming field, range and value.
    """
    value = getattr(options, name)
    # NaN fails these comparisons.
    if at_least <= value <= at_most and value > above:
        return
    bounds = {"at least": at_least, "more than": above, "at most": at_most}
    range_ = " and ".join(f"{what} {x:,}" for what, x in bounds.items() if math.isfinite(x))
    raise InputError(f"{name} must be {range_}, found {value}")


def check_widths(options: Any, name: str) -> None:
    """Refuses a field of layers' widths that aren't all whole numbers of at least 1.

    Raises:
      InputError: naming the field.
    """
    widths = getattr(options, name)
    if not isinstance(widths, (tuple, list)) or not all(
        isinstance(width, (int, np.integer)) and not isinstance(width, bool) for width in widths
    ):
        raise InputError(f"{name} must be whole numbers, the widths of layers, found {widths!r}")
    if min(widths, default=1) < 1:
        raise InputError(f"{name} must be widths of at least 1, found {min(widths)}")


def as_key(key: Any) -> jax.Array:
    """Returns a typed random key; a whole number is a seed.

    Keys of the older `jax.random.PRNGKey` are taken, too.

    Raises:
      InputError: for anything else, and for a seed that JAX would silently cut to 32 bits.
    """
    if isinstance(key, (np.ndarray, jax.Array)) and key.shape == ():
        key = int(key) if jnp.issubdtype(key.dtype, jnp.integer) else key
    if isinstance(key, jax.Array) and jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        if key.shape != ():
            raise InputError(f"one random key is needed, found an array of {key.shape}")
        return key
    if getattr(key, "dtype", None) == np.uint32 and getattr(key, "shape", None) == (2,):
        return jax.random.wrap_key_data(jnp.asarray(key))
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        if 0 <= key < 1 << 32:
            return jax.random.key(int(key))
        raise InputError(f"a seed must be at least 0 and less than 2^32, found {key}")
    raise InputError(
        f"key must be jax.random.key(seed) or a whole number, found {type(key).__name__}"
    )


def _alternatives(hint: Any) -> tuple[Any, ...] | None:
    """Returns the types that a field may have, None where they are not checked here."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    simple = (int, float, bool, str, type(None))
    if all(kind in simple or get_origin(kind) is Literal for kind in kinds):
        return kinds
    return None


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(kind))
    if kind in (int, float):
        numbers = int if kind is int else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool)
    return isinstance(value, kind)
