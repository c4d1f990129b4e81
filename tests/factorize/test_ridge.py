import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from jaxemb.factorize.ridge import ridge

RNG = np.random.default_rng(6)
SOURCE, TARGET = RNG.normal(size=(25, 7)) * np.linspace(3, 0.5, 7), RNG.normal(size=(25, 4))


@pytest.mark.parametrize("penalty", [0.01, 1.0, 30.0])
def test_the_map_is_that_of_scikit_learn(penalty):
    amount = penalty * np.mean(np.linalg.svd(SOURCE)[1] ** 2)
    expected = Ridge(amount, fit_intercept=False).fit(SOURCE, TARGET).coef_.T
    found = ridge(jnp.float32(SOURCE), jnp.float32(TARGET), penalty=penalty)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_without_a_penalty_it_is_the_map_of_least_squares():
    expected = np.linalg.lstsq(SOURCE, TARGET, rcond=None)[0]
    found = ridge(jnp.float32(SOURCE), jnp.float32(TARGET), penalty=0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_of_fewer_points_than_numbers_it_is_the_shortest():
    few, target = SOURCE[:4], TARGET[:4]
    found = ridge(jnp.float32(few), jnp.float32(target), penalty=0)
    np.testing.assert_allclose(found, np.linalg.pinv(few) @ target, atol=1e-4)
    repeated = ridge(jnp.float32(few[[0, 0, 1]]), jnp.float32(target[[0, 0, 1]]), penalty=0)
    np.testing.assert_allclose(few[:2] @ np.asarray(repeated), target[:2], atol=1e-4)
