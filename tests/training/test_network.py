from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from jaxemb.errors import InputError
from jaxemb.training import loop, network
from jaxemb.training.run import Run
from jaxemb.training.state import History

RNG = np.random.default_rng(0)
POINTS = RNG.normal(size=(40, 8, 3)).astype(np.float32)
PARAMS = {"kernel": jnp.asarray(RNG.normal(size=(3, 2)), jnp.float32), "bias": jnp.ones(2)}


def objective(params, example):
    given, noise = example
    error = (given @ params["kernel"] + params["bias"][None, :]) - given[:, :2] + noise
    return jnp.mean(jnp.square(error)), {"noise": noise}


class Fitted(NamedTuple):
    params: Any
    history: History = History()


def start(**options):
    asked = {"iterations": 30, "learning_rate": 0.02, "chance_loss": 10.0, "call_steps": 7}
    return network.start(
        jax.random.key(0),
        PARAMS,
        objective,
        lambda start, stop: POINTS[start:stop],
        draw=lambda key, batch: (batch, 0.1 * jax.random.normal(key)),
        finish=lambda params: Fitted(jax.tree.map(np.asarray, params)),
        **(asked | options),
    )


def fit(run=None, **options):
    return loop.fit(start(**options), run)


class Killed(Exception):
    pass


def die(done, metrics, seconds):
    if done > 14:
        raise Killed


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


def test_first_steps_of_wide_layers_are_short():
    params = {"a": {"kernel": jnp.zeros((30, 4)), "bias": jnp.zeros(900)}, "b": jnp.zeros((99, 2))}
    schedule = network.gentle(optax.cosine_decay_schedule(0.1, 1000), params)
    rates = [float(schedule(jnp.int32(step))) for step in range(4)]
    usual = 0.1 * 0.5 * (1 + np.cos(np.pi * 3 / 1000))
    np.testing.assert_allclose(rates, [1 / 30, 2 / 30, 3 / 30, usual], rtol=1e-3)


def test_rates_are_halved_while_the_loss_rises_beyond_twice_that_of_chance():
    pace = network.Pace(*(jnp.float32(number) for number in (1, jnp.inf, 3)))
    factors = []
    for loss in (2, 7, 9, 8, 5, 6.5, np.nan):
        pace = pace.after(jnp.float32(loss))
        factors.append(float(pace.factor))
    assert factors == [1, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125]
    # Whoever starts above chance level is judged by that.
    assert (
        float(network.Pace(pace.factor, jnp.float32(jnp.inf), pace.chance).after(9.0).chance) == 9
    )


def test_a_rate_far_too_large_adapts():
    told = []
    run = Run(report=lambda done, metrics, _: told.append(metrics))
    found = fit(run, learning_rate=30.0, iterations=40)
    rates = np.concatenate([metrics["learning_rate"] for metrics in told])
    assert rates[20] < 30 / 4
    assert np.isfinite(found.history.loss).all()


@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_steps_are_those_of_adam_and_decay_leaves_biases_alone(decay):
    schedule = optax.cosine_decay_schedule(0.02, 30)
    optimizer = optax.adam(schedule)
    if decay:
        optimizer = optax.adamw(schedule, weight_decay=decay, mask={"kernel": True, "bias": False})
    expected = by_hand(optimizer, 30)
    told = []
    run = Run(report=lambda done, metrics, _: told.append((done, metrics)))
    found = fit(run, weight_decay=decay)
    for name, value in expected.items():
        np.testing.assert_allclose(found.params[name], value, rtol=1e-4, atol=1e-6)
    assert found.history.stopped_because == "done"
    assert [done for done, _ in told] == [7, 14, 21, 28, 30]
    assert {"loss", "learning_rate", "noise"} == set(told[0][1])
    assert len(found.history.loss) == 30
    # What was given is still there for another call.
    np.testing.assert_array_equal(PARAMS["bias"], 1)


def assert_same(found, expected):
    for name, value in expected.params.items():
        np.testing.assert_array_equal(found.params[name], value)


def test_a_loop_of_ones_own_gives_the_same_bits():
    own = start()
    state, update = own.state, jax.jit(own.update)
    for step in range(own.steps):
        state, _ = update(state, own.batch(step))
    assert_same(own.finish(state), fit())


def test_a_run_cut_in_the_middle_ends_with_the_same_bits(tmp_path):
    with pytest.raises(Killed):
        fit(Run(tmp_path, 0.0, report=die))
    found = fit(Run(tmp_path, 0.0))
    assert len(found.history.loss) == 16
    assert_same(found, fit())


def closeness(target, seen):
    """Scores parameters by how near their bias is to a target."""

    def score(params):
        seen.append(jax.tree.map(np.array, params))
        return -float(np.abs(np.asarray(params["bias"]) - target).sum())

    return score


def test_validation_keeps_the_best_parameters_and_ends_when_none_are_better(tmp_path):
    plain, seen = fit(), []
    assert plain.params["bias"].sum() < 1.9
    validation = network.Validation(closeness(1.0, seen), every=5, patience=2)
    found = fit(validation=validation)
    # Moving away from where it began, the first judgment is the best.
    assert found.history.stopped_because == "no better for 2 validations"
    assert (found.history.steps, len(seen)) == (21, 3)
    np.testing.assert_array_equal(found.params["bias"], seen[0]["bias"])


def test_validation_that_gets_better_all_the_time_changes_nothing():
    validation = network.Validation(closeness(-1.0, []), every=1, patience=1)
    assert_same(fit(validation=validation), fit())


def test_a_run_with_validation_cut_in_the_middle_ends_with_the_same_bits(tmp_path):
    def options():
        return {"validation": network.Validation(closeness(0.9, []), every=7, patience=3)}

    with pytest.raises(Killed):
        fit(Run(tmp_path, 0.0, report=die), **options())
    found, expected = fit(Run(tmp_path, 0.0), **options()), fit(**options())
    assert_same(found, expected)
    assert found.history.steps == expected.history.steps


def test_a_score_that_is_no_number_is_named():
    validation = network.Validation(lambda params: float("nan"), every=1, patience=1)
    with pytest.raises(InputError, match="the validation score is nan after 7 steps"):
        fit(validation=validation)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": 0}, "iterations must be at least 1, found 0"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and more than 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be finite"),
    ],
)
def test_mistakes(options, message):
    with pytest.raises(InputError, match=message):
        fit(**options)


def test_blocks_are_put_together():
    rows = np.arange(10.0)[:, None]
    found = network.in_blocks(lambda a, b: jnp.asarray(a + b), rows, 2 * rows, at_a_time=4)
    np.testing.assert_array_equal(found, 3 * rows)


def test_patience_needs_something_to_judge_by():
    assert network.validation_by(None, every=5, patience=0) is None
    score = closeness(0.0, [])
    assert network.validation_by(score, every=5, patience=2) == network.Validation(score, 5, 2)
    with pytest.raises(InputError, match="patience needs validation data to judge by, found 2"):
        network.validation_by(None, every=5, patience=2)


class Shifted(nn.Module):
    """Its field may be an array: then the network can't be hashed."""

    shift: Any

    @nn.compact
    def __call__(self, rows):
        TRACED.append(len(rows))
        return nn.Dense(2)(rows + jnp.broadcast_to(self.shift, rows.shape))


TRACED: list[int] = []


@pytest.mark.parametrize("hashed", [True, False])
def test_a_network_is_traced_once_for_all_blocks(hashed):
    module = Shifted(1.0 if hashed else np.arange(3, dtype=np.float32))
    rows = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    variables = network.initial(module, jax.random.key(0), rows[:4])
    TRACED.clear()
    apply = network.compiled(module)
    found = network.in_blocks(lambda part: apply(variables, part), rows, at_a_time=4)
    assert TRACED == [4]
    dense = variables["params"]["Dense_0"]
    expected = (rows + module.shift) @ np.asarray(dense["kernel"]) + np.asarray(dense["bias"])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
