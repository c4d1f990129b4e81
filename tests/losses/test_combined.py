import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.losses.combined import combine_terms, join_terms, weighted_mean
from jaxemb.losses.terms import Terms, mean_of_terms

FEW = Terms(jnp.array([3.0, 0.0, 5.0]), jnp.array([1, 0, 1], jnp.int32))
MANY = Terms(jnp.array([4.0, 6.0, 20.0]), jnp.array([2, 4, 9], jnp.int32))
NONE = Terms(jnp.zeros(3), jnp.zeros(3, jnp.int32))


def test_each_loss_is_averaged_over_its_own_terms():
    expected = 0.5 * (8 / 2) + 2 * (30 / 15)
    np.testing.assert_allclose(weighted_mean([FEW, MANY], [0.5, 2]), expected, rtol=1e-6)


def test_losses_of_every_contract_are_combined():
    examples, objective = jnp.array([1.0, 2.0, 6.0, 7.0]), jnp.array(10.0)
    found = weighted_mean([FEW, examples, objective], [1, 0.25, 0.1])
    np.testing.assert_allclose(found, 4 + 0.25 * 4 + 1, rtol=1e-6)


def test_combined_terms_have_the_weighted_mean_and_all_counts():
    weights = [0.5, 2]
    terms = combine_terms([FEW, MANY], weights)
    np.testing.assert_array_equal(terms.counts, [3, 4, 10])
    np.testing.assert_allclose(mean_of_terms(terms), weighted_mean([FEW, MANY], weights), rtol=1e-6)
    # Example 1 by hand: 17 terms in all, of which 2 and 15.
    np.testing.assert_allclose(terms.loss[1], 0.5 * 17 / 2 * 0 + 2 * 17 / 15 * 6, rtol=1e-6)


def test_joined_terms_have_the_weighted_mean_whatever_their_rows():
    weights, longer = [0.5, 2], Terms(jnp.array([4.0, 6.0, 20.0, 1.0]), jnp.array([2, 4, 9, 1]))
    terms = join_terms([FEW, longer], weights)
    np.testing.assert_array_equal(terms.counts, [1, 0, 1, 2, 4, 9, 1])
    expected = weighted_mean([FEW, longer], weights)
    np.testing.assert_allclose(mean_of_terms(terms), expected, rtol=1e-6)


def test_one_loss_alone_stays_what_it_is():
    for found, given in zip(combine_terms([MANY], [1.0]), MANY, strict=True):
        np.testing.assert_array_equal(found, given)
        assert found.dtype == given.dtype


def test_a_loss_without_terms_adds_nothing():
    def total(x):
        nothing = Terms(0 * x, NONE.counts)
        terms = combine_terms([FEW._replace(loss=x), nothing], [1, 3])
        return weighted_mean([FEW._replace(loss=x), nothing], [1, 3]), mean_of_terms(terms)

    for i in range(2):
        value, slope = jax.value_and_grad(lambda x, i=i: total(x)[i])(FEW.loss)
        np.testing.assert_allclose(value, 4, rtol=1e-6)
        np.testing.assert_allclose(slope, [0.5] * 3, rtol=1e-6)
    assert weighted_mean([NONE], [2.0]) == 0


@pytest.mark.parametrize("combine", [weighted_mean, combine_terms, join_terms])
def test_weights_are_checked(combine):
    with pytest.raises(InputError, match="weights must be one for each of 2 losses, found 1"):
        combine([FEW, MANY], [1.0])
    with pytest.raises(InputError, match="weights must be one for each of 0 losses"):
        combine([], [])
    for bad in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="weights must be finite and at least 0, found"):
            combine([FEW, MANY], [1.0, bad])


def test_batches_of_two_sizes_have_no_terms_in_common():
    shorter = Terms(jnp.zeros(2), jnp.zeros(2, jnp.int32))
    with pytest.raises(AssertionError):
        combine_terms([FEW, shorter], [1, 1])
    with pytest.raises(AssertionError):
        weighted_mean([jnp.zeros((2, 2))], [1])
