import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxemb.errors import InputError
from jaxemb.training import before_network as network

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(40, 8, 3)).astype(np.float32)
PARAMS = {"kernel": jnp.asarray(RNG.normal(size=(3, 2)), jnp.float32), "bias": jnp.ones(2)}


def objective(params, example):
    given, noise = example
    error = (given @ params["kernel"] + params["bias"][None, :]) - given[:, :2] + noise
    return jnp.mean(jnp.square(error)), {"noise": noise}


def fit(**options):
    asked = {"iterations": 30, "learning_rate": 0.02, "first_loss": 10.0, "call_steps": 7} | options
    return network.fit(
        jax.random.key(0),
        PARAMS,
        objective,
        lambda start, stop: POINTS[start:stop],
        prepare=lambda key, batch: (batch, 0.1 * jax.random.normal(key)),
        **asked,
    )


def by_hand(optimizer, steps):
    @jax.jit
    def take(params, state, step, points):
        noise = 0.1 * jax.random.normal(jax.random.fold_in(jax.random.key(0), step))
        gradient = jax.grad(lambda p, e: objective(p, e)[0])(params, (points, noise))
        changes, state = optimizer.update(gradient, state, params)
        return optax.apply_updates(params, changes), state

    params, state = PARAMS, optimizer.init(PARAMS)
    for step in range(steps):
        params, state = take(params, state, step, POINTS[step])
    return params


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_steps_are_those_of_adam_and_decay_leaves_biases_alone(decay):
    schedule = optax.cosine_decay_schedule(0.02, 30)
    optimizer = optax.adam(schedule)
    if decay:
        optimizer = optax.adamw(schedule, weight_decay=decay, mask={"kernel": True, "bias": False})
    expected = by_hand(optimizer, 30)
    told = []
    found = fit(weight_decay=decay, report=lambda done, metrics, _: told.append((done, metrics)))
    for name, value in expected.items():
        np.testing.assert_allclose(found.params[name], value, rtol=1e-4, atol=1e-6)
    assert found.stopped_because == "iterations done"
    assert [done for done, _ in told] == [7, 14, 21, 28, 30]
    assert {"loss", "learning_rate", "noise"} == set(told[0][1])
    assert len(found.loss) == 30
    # What was given is still there for another call.
    np.testing.assert_array_equal(PARAMS["bias"], 1)


def test_a_run_cut_in_the_middle_ends_with_the_same_bits(tmp_path):
    class Killed(Exception):
        pass

    def die(done, metrics, seconds):
        if done > 14:
            raise Killed

    expected = fit(checkpoints=tmp_path / "whole", checkpoint_every=10)
    with pytest.raises(Killed):
        fit(checkpoints=tmp_path / "cut", checkpoint_every=10, report=die)
    found = fit(checkpoints=tmp_path / "cut", checkpoint_every=10)
    assert len(found.loss) == 20
    for name, value in expected.params.items():
        np.testing.assert_array_equal(found.params[name], value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": 0}, "iterations must be at least 1, found 0"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and more than 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite"),
        ({"first_loss": 1e-9}, "the loss exploded"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(InputError, match=message):
        fit(**options)


def test_blocks_are_put_together():
    rows = np.arange(10.0)[:, None]
    found = network.in_blocks(lambda a, b: jnp.asarray(a + b), rows, 2 * rows, at_a_time=4)
    np.testing.assert_array_equal(found, 3 * rows)
