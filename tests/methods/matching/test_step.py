import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.evaluation.collapse import spread
from jaxemb.losses.terms import Terms
from jaxemb.methods.matching import step
from jaxemb.training.state import TrainState

INPUTS = jnp.asarray(np.random.default_rng(1).normal(size=(6, 3)), jnp.float32)
LABELS = jnp.array([0, 0, 1, 1, 2, 3])
KEY = jax.random.key(0)


def terms(params, key, vectors, labels):
    here = labels < 2
    return Terms(jnp.where(here, jnp.sum(vectors, axis=1), 0), here.astype(jnp.int32))


@pytest.mark.parametrize("parts", [1, 3])
def test_the_mean_is_over_the_terms_there_are(parts):
    evaluate = step.objective(lambda params, inputs: inputs * params, terms, parts=parts)
    value, metrics = evaluate(2.0, (INPUTS, KEY, LABELS))
    np.testing.assert_allclose(value, 2 * np.asarray(INPUTS)[:4].sum() / 4, rtol=1e-6)
    assert metrics["terms"] == 4
    np.testing.assert_allclose(metrics["spread"], spread(INPUTS), rtol=1e-6)
    # Looking at the spread changes no gradient.
    slope = jax.grad(lambda params: evaluate(params, (INPUTS, KEY, LABELS))[0])(2.0)
    np.testing.assert_allclose(slope, np.asarray(INPUTS)[:4].sum() / 4, rtol=1e-5)


def test_a_collapse_ends_the_training():
    state = TrainState(jnp.int32(50), KEY, (), ())
    assert step.refuse_collapse(state, {"spread": np.array([1e-9, 0.5])}) is state
    with pytest.raises(InputError, match="collapsed to a point at step 50.*Try"):
        step.refuse_collapse(state, {"spread": np.array([0.5, 1e-9])})
