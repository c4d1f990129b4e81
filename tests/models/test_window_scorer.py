import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.models.window_scorer import init, scores

V, D, WINDOW, H, G, S, K = 50, 3, 5, 7, 2, 4, 6


@pytest.fixture
def arrays():
    params = init(jax.random.key(0), vocabulary=V, dim=D, window=WINDOW, hidden=H)
    rng = np.random.default_rng(1)
    scorer = {name: rng.normal(size=leaf.shape) for name, leaf in params["scorer"].items()}
    text, noise = rng.normal(size=(G, S + WINDOW - 1, D)), rng.normal(size=(G, K, D))
    return scorer, text, noise


def validity(scorer, window):
    """R of one window, in float64."""
    hidden = np.concatenate(window) @ scorer["kernel"] + scorer["bias"]
    return np.maximum(hidden, 0) @ scorer["output"] + scorer["output_bias"]


def found(scorer, text, noise, place):
    as_jax = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), (scorer, text, noise))
    real, switched = jax.jit(functools.partial(scores, place=place))(*as_jax)
    return np.asarray(real), np.asarray(switched)


@pytest.mark.parametrize("place", [0, 2, 4])
def test_scores_are_those_of_each_window_by_itself(arrays, place):
    scorer, text, noise = arrays
    real, switched = found(*arrays, place)
    assert (real.shape, switched.shape) == ((G, S), (G, S, K))
    for g in range(G):
        for s in range(S):
            window = [text[g, s + i] for i in range(WINDOW)]
            np.testing.assert_allclose(real[g, s], validity(scorer, window), rtol=1e-4, atol=1e-5)
            for k in range(K):
                window[place] = noise[g, k]
                expected = validity(scorer, window)
                np.testing.assert_allclose(switched[g, s, k], expected, rtol=1e-4, atol=1e-5)


def test_the_start_is_drawn_as_told():
    params = init(jax.random.key(3), vocabulary=5000, dim=20, window=3, hidden=40)
    words, scorer = np.asarray(params["words"]), params["scorer"]
    assert words.shape == (5000, 20)
    # The standard deviation of 100,000 numbers is off by .2% on average.
    assert words.std() == pytest.approx(0.1, rel=0.01)
    assert abs(words.mean()) < 0.002
    for name, shape, summed in (("kernel", (60, 40), 60), ("output", (40,), 40)):
        values = np.asarray(scorer[name])
        assert values.shape == shape
        assert np.abs(values).max() == pytest.approx(summed**-0.5, rel=0.1)
        assert values.min() < 0 < values.max()
    assert not np.asarray(scorer["bias"]).any()
    assert not np.asarray(scorer["output_bias"]).any()


def test_shapes_are_checked(arrays):
    scorer, text, noise = arrays
    for bad in (
        (scorer, text, noise[:, :, :2], 2),
        (scorer, text, noise[:1], 2),
        (scorer, text[..., :2], noise[..., :2], 2),
        (scorer, text, noise, 5),
        (scorer, text, noise, -1),
    ):
        with pytest.raises(AssertionError):
            found(*bad)
