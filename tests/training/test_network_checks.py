import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from jaxemb.errors import InputError
from jaxemb.models.encoders import MlpEncoder
from jaxemb.training import network_checks

ENCODER = MlpEncoder(4, (8,))
POINTS = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
VARIABLES = ENCODER.init(jax.random.key(0), POINTS)


def test_the_output_is_known_before_it_is_computed():
    found = network_checks.output_of(ENCODER, VARIABLES, POINTS)
    assert (found.shape, found.dtype) == ((6, 4), jnp.float32)


def test_what_a_network_cannot_take_is_named():
    message = r"^MlpEncoder cannot take inputs of shape \[2\] each: .*kernel"
    with pytest.raises(InputError, match=message) as caught:
        network_checks.output_of(ENCODER, VARIABLES, POINTS[:, :2])
    assert caught.value.__cause__ is not None


def test_other_errors_pass():
    with pytest.raises(KeyboardInterrupt), network_checks.taking(ENCODER, POINTS):
        raise KeyboardInterrupt


@pytest.mark.parametrize("what", [MlpEncoder, None, "conv", lambda inputs: inputs])
def test_what_is_no_encoder(what):
    with pytest.raises(InputError, match="^encoder must be a Flax module, such as "):
        network_checks.check_encoder(what)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float16, np.float64, jnp.bfloat16])
def test_numbers_of_any_kind_become_arrays_to_compute_with(dtype):
    given = np.ones((4, 2), dtype)
    for one in (given, jnp.asarray(given), list(given), pd.DataFrame(given.astype(float))):
        found = network_checks.as_inputs({"a": one, "b": POINTS})
        np.testing.assert_array_equal(found["a"], given)
        kept = np.issubdtype(found["a"].dtype, np.integer)
        assert kept or found["a"].dtype == np.float32
        assert found["b"] is POINTS


def test_what_picks_its_rows_itself_stays():
    class Lazy:
        def __len__(self):
            return 4

    lazy = Lazy()
    assert network_checks.as_inputs((lazy, POINTS))[0] is lazy


def test_pictures_of_several_sizes_are_refused():
    with pytest.raises(InputError, match="^inputs must be examples of one shape, such as pictures"):
        network_checks.as_inputs([np.ones((2, 3)), np.ones((3, 3))])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_number_that_is_none_is_named(bad):
    images = np.zeros((5000, 2, 2), np.float32)
    images[4321, 1, 0] = bad
    images[4999] = bad
    with pytest.raises(InputError, match=rf"found {bad} at \[4321, 1, 0\]; drop that example"):
        network_checks.as_inputs((POINTS, images))


@pytest.mark.parametrize("dtype", ["U3", object, complex])
def test_what_are_no_numbers(dtype):
    with pytest.raises(InputError, match="^inputs must be arrays of real numbers, found "):
        network_checks.as_inputs(np.ones((4, 2)).astype(dtype))


@pytest.mark.parametrize("given", [POINTS, None, (POINTS,), (POINTS, POINTS, POINTS)])
def test_what_is_no_pair(given):
    with pytest.raises(InputError, match=r"^validation must be a pair \(inputs, labels\)"):
        network_checks.validation_pair(given)
