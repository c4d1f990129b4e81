import dataclasses
import decimal
import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from jaxemb.checks import (
    as_key,
    as_labels,
    as_options,
    as_points,
    check_field,
    check_fields,
    check_labels,
    check_sparse,
)
from jaxemb.errors import InputError
from jaxemb.methods import mds, tsne


def test_right_labels_pass():
    check_labels(np.array([0, 2, 1], np.uint8), 3, classes=3)
    check_labels(np.array([-7, 10**6]), 2)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([3, 1, 3], [3, 1, 3]),
        (jnp.array([3, 1, 3], jnp.uint8), [3, 1, 3]),
        ([3.0, 1.0, 3.0], [3, 1, 3]),
        ([True, False, True], [1, 0, 1]),
        (["b", "a", "b"], ["b", "a", "b"]),
        (pd.Series(["b", "a", "b"], index=[5, 6, 7]), ["b", "a", "b"]),
        (pd.Categorical(["b", "a", "b"]), ["b", "a", "b"]),
        (pl.Series(["b", "a", "b"]), ["b", "a", "b"]),
        (pl.Series([3, 1, 3]), [3, 1, 3]),
        (np.array(["b", "a", "b"], np.dtypes.StringDType()), ["b", "a", "b"]),
    ],
)
def test_labels_may_be_of_any_library(given, expected):
    found = as_labels(given, 3)
    assert found.tolist() == expected
    assert found.dtype.kind in "iuU"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1, 2], r"^labels must be one for each of 3 rows, found \[2\]"),
        (np.ones((3, 1)), r"one for each of 3 rows, found \[3, 1\]"),
        ([0.5, 1, 2], "^labels must be whole numbers or names, found float64$"),
        ([1, np.nan, 2], "found float64; that at position 1 is missing"),
        (["a", None, "b"], "found None at position 1, others are like 'a'"),
        (["a", "b", np.nan], "found nan at position 2, others are like 'a'"),
        (["a", 3, "b"], "found 3 at position 1, others are like 'a'"),
        ([None, "a", "b"], "found None at position 0"),
        (np.array([1j, 2, 3]), "found complex128"),
    ],
)
def test_labels_that_are_none(given, message):
    with pytest.raises(InputError, match=message):
        as_labels(given, 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 3, 1]), r"label 3 at position 1 is outside \[0, 3\); 1 such"),
        (np.array([0, 2, -1]), r"label -1 at position 2 is outside \[0, 3\); 1 such"),
        (np.array(["a", "b", "c"]), "labels must be integers, found <U1; np.unique"),
        (np.array([True, False, True]), "labels must be integers, found bool"),
        (np.array([0, 1]), r"labels must be one for each of 3 rows, found \[2\]"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(InputError, match=message):
        check_labels(labels, 3, classes=3)


@pytest.mark.parametrize("value", [math.nan, -1, 5])
def test_bounds(value):
    @dataclasses.dataclass
    class Fields:
        some_field: float

    check_field(Fields(3), "some_field", at_least=3, at_most=3)
    with pytest.raises(InputError, match=f"^some_field must be at least 0 .* found {value}$"):
        check_field(Fields(value), "some_field", at_least=0, at_most=4)


@dataclasses.dataclass
class Fields:
    whole: int = 1
    number: float | None = 1.0
    kind: Literal["a", "b"] = "a"
    flag: bool = True
    other: tuple[int, ...] = ()


def test_fields_of_the_right_type_pass():
    check_fields(Fields(number=None))
    check_fields(Fields(number=3))


def test_numpys_numbers_become_pythons():
    """So that -(-x // y) of an unsigned one is no billion."""
    fields = Fields(np.uint8(2), np.float16(0.5), np.str_("b"), np.bool_(False))
    check_fields(fields)
    assert [type(value) for value in dataclasses.astuple(fields)[:4]] == [int, float, str, bool]
    assert fields == Fields(2, 0.5, "b", False)


def test_whole_numbers_become_floats_where_those_are_meant():
    """The command line makes 0.0 of what is 0 in Python; a checkpoint is of the same run."""
    fields = Fields(number=3)
    check_fields(fields)
    assert repr(fields.number) == "3.0"


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"dim": 3}, "dict of builtins"),
        (tsne.Options, "the class Options of jaxemb.methods.tsne.options"),
        (mds.Options(), "Options of jaxemb.methods.mds.options"),
        (0, "int of builtins"),
    ],
)
def test_options_are_those_of_the_method(options, found):
    with pytest.raises(InputError, match=rf"^options must be tsne.Options\(...\), found {found}$"):
        as_options(options, tsne.Options)


def test_no_options_are_the_defaults():
    assert as_options(None, tsne.Options) == tsne.Options()
    own = tsne.Options(perplexity=7)
    assert as_options(own, tsne.Options) is own


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("whole", 1.5, "whole must be a whole number, found 1.5"),
        ("whole", True, "whole must be a whole number, found True"),
        ("number", "1", "number must be a number or None, found '1'"),
        ("kind", "c", "kind must be 'a', 'b', found 'c'"),
        ("kind", None, "kind must be 'a', 'b', found None"),
        ("flag", 1, "flag must be bool, found 1"),
    ],
)
def test_fields_of_the_wrong_type_are_named(field, value, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        check_fields(Fields(**{field: value}))


MATRIX = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    "points",
    [
        MATRIX.tolist(),
        MATRIX.astype(np.float16),
        MATRIX.astype(np.int64),
        MATRIX.astype(np.longdouble),
        MATRIX.astype(object),
        [[decimal.Decimal(int(value)) for value in row] for row in MATRIX],
        jnp.asarray(MATRIX, jnp.bfloat16),
        np.ma.array(MATRIX, mask=False),
        pd.DataFrame(MATRIX, columns=["a", "b", "c"]),
        pd.DataFrame(MATRIX.astype(int)).convert_dtypes(),
        pl.DataFrame(MATRIX),
    ],
    ids=lambda points: type(points).__name__,
)
def test_real_numbers_of_any_library_are_points(points):
    found = as_points(points)
    np.testing.assert_array_equal(found, MATRIX)
    assert found.dtype in (np.float32, np.float64)


def test_floats_stay_as_they_are():
    for kind in (np.float32, np.float64):
        table = MATRIX.astype(kind)
        assert as_points(table) is table


NAMED = pd.DataFrame(MATRIX, columns=["a", "b", "c"])


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.ma.array(MATRIX, mask=MATRIX > 9), "points have 2 masked entries; fill them, or drop"),
        (scipy.sparse.csr_array(MATRIX), r"points must be dense, found the sparse csr_array of sh"),
        (NAMED.assign(b=list("wxyz")), "must be real numbers, found 'w' in row 0, column 'b'"),
        (NAMED.assign(c=["1", "2", "3", "4"]), "found '1' in row 0, column 'c'"),
        (NAMED.astype(object).where(NAMED != 4, None), "points must be finite, found nan in row 1"),
        (MATRIX + 1j, "points must be a matrix of floats, .* found complex128"),
        (MATRIX.astype("datetime64[s]"), "found datetime64"),
        ([[1, 2], [3]], "points must be a matrix, a point a row"),
        ("points", "points must be a matrix"),
        (None, "points must be"),
        (MATRIX[0], "points must be a matrix of floats"),
        (MATRIX[:3], "points must have at least 4 rows"),
    ],
)
def test_what_are_no_points_is_told(points, message):
    with pytest.raises(InputError, match=message):
        as_points(points)


def test_a_seed_is_a_key():
    for same in (np.int64(3), np.array(3), jnp.int32(3), jax.random.PRNGKey(3)):
        assert as_key(same) == as_key(jax.random.key(3))


@pytest.mark.parametrize("key", [-1, 1 << 32, 0.5, "0", None, True, np.zeros(3, np.uint32)])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(InputError, match="key must be|a seed must be"):
        as_key(key)


@pytest.mark.parametrize(
    "labels",
    [
        [1e30, 2e30],
        [1.0, math.inf],
        [2**63, 2**63 + 1, -1],
        [2**53 + 1, 2**53, 1.0],
        ["a", "a\0"],
        np.ma.array([1, 1, 2, 2], mask=[0, 1, 0, 0]),
    ],
)
def test_labels_that_would_become_one_another_are_refused(labels):
    with pytest.raises(InputError, match="^labels "):
        as_labels(labels, len(labels))


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_damaged_sparse_points_are_refused(form):
    points = scipy.sparse.random_array((6, 5), density=0.5, format=form, rng=0)
    check_sparse(points)
    places = points.indices if form != "coo" else points.coords[1]
    places[0] = 10**8
    with pytest.raises(InputError, match="the sparse matrix is damaged"):
        check_sparse(points)
