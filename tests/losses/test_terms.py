import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.losses.terms import Terms, check_margin, class_masks, clip_finite, mean_of_terms


def test_the_mean_is_over_terms_not_examples():
    terms = Terms(jnp.array([6.0, 0.0, 1.0]), jnp.array([4, 0, 1]))
    assert mean_of_terms(terms) == 7 / 5
    assert mean_of_terms(Terms(jnp.zeros(3), jnp.zeros(3, int))) == 0


def test_partners_are_other_examples_that_are_there():
    labels, where = np.array([2, 7, 2, 2, 7]), np.array([True, True, False, True, True])
    for mask in (None, where):
        same, other = class_masks(jnp.asarray(labels), None if mask is None else jnp.asarray(mask))
        for i in range(5):
            for j in range(5):
                here = mask is None or (mask[i] and mask[j])
                assert same[i, j] == (here and i != j and labels[i] == labels[j])
                assert other[i, j] == (here and labels[i] != labels[j])


def test_capped_values_can_be_subtracted():
    values = clip_finite(jnp.array([jnp.inf, 3e38, 1.5, -jnp.inf, jnp.nan]))
    assert np.isfinite(values[:4] - values[:4][::-1]).all()
    assert values[2] == 1.5
    assert np.isnan(values[4])


@pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf")])
def test_margins_are_checked(margin):
    with pytest.raises(InputError, match="the margin must be a finite number of at least 0, found"):
        check_margin(margin)
    check_margin(0)


def test_a_margin_may_be_traced():
    def loss(margin):
        check_margin(margin)
        return 2 * margin

    assert jax.jit(jax.grad(loss))(0.5) == 2
