import jax
import pytest

from jaxemb.models.word2vec import init


def test_tables_start_as_word2vecs():
    params = init(jax.random.key(0), vocabulary=500, dim=8)
    assert params["input"].shape == params["output"].shape == (500, 8)
    assert not params["output"].any()
    bound = 1 / (2 * 8)
    assert abs(params["input"]).max() <= bound
    assert params["input"].std() == pytest.approx(bound / 3**0.5, rel=0.05)
