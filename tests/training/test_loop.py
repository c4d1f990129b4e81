import os
import signal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError
from jaxemb.training import before_loop as loop
from jaxemb.training import checkpoint
from jaxemb.training.state import TrainState


def prepare(key, batch):
    return batch, jax.random.normal(key)


def update(state, example):
    batch, noise = example
    params = state.params + batch * 0.5 + noise
    metrics = {"loss": batch.astype(jnp.float32), "learning_rate": jnp.float32(0.25)}
    return TrainState(state.step + 1, state.key, params, ()), metrics


def start(step=0):
    return TrainState(jnp.int32(step), jax.random.key(0), jnp.zeros(3), ())


def batches(start, stop):
    return np.arange(start, stop, dtype=np.float32)[:, None] % 5 + np.zeros(3, np.float32)


def scalars(start, stop):
    return np.ones(stop - start, np.float32)


def train(folder, *, steps=20, call_steps=6, every=0, data=scalars, state=None, report=None):
    state = start() if state is None else state
    call = loop.compile_steps(prepare, update, state, data(0, call_steps))
    seen = []

    def note(done, metrics, seconds):
        seen.append((done, len(metrics["loss"])))
        if report:
            report(done)

    outcome = loop.train(
        state,
        call,
        data,
        steps=steps,
        call_steps=call_steps,
        checkpoints=folder,
        checkpoint_every=every,
        report=note,
    )
    return outcome, seen


def test_steps_are_those_of_a_plain_loop(tmp_path):
    outcome, seen = train(tmp_path, steps=20)
    state = start()
    for i in range(20):
        key = jax.random.fold_in(state.key, i)
        state, _ = update(state, prepare(key, jnp.float32(1)))
    assert int(outcome.state.step) == 20
    np.testing.assert_allclose(outcome.state.params, state.params, rtol=1e-6)
    assert seen == [(6, 6), (12, 6), (18, 6), (20, 2)]
    assert outcome.stopped is None


@pytest.mark.parametrize(("call_steps", "every"), [(1, 0), (6, 4), (7, 5), (20, 3), (50, 0)])
def test_calls_and_checkpoints_leave_the_bits_alone(tmp_path, call_steps, every):
    expected, _ = train(tmp_path / "a", call_steps=6)
    found, seen = train(tmp_path / "b", call_steps=call_steps, every=every)
    np.testing.assert_array_equal(found.state.params, expected.state.params)
    assert sum(steps for _, steps in seen) == 20
    assert checkpoint.restore(tmp_path / "b", start()).step == 20


def test_a_run_goes_on_from_a_checkpoint_with_the_same_bits(tmp_path):
    expected, _ = train(tmp_path / "a", every=7)
    train(tmp_path / "b", steps=14, every=7)
    held = checkpoint.restore(tmp_path / "b", start())
    assert held.step == 14
    found, seen = train(tmp_path / "b", every=7, state=held.state)
    np.testing.assert_array_equal(found.state.params, expected.state.params)
    assert seen == [(20, 6)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_call_with_a_checkpoint(tmp_path, number):
    before = signal.getsignal(number)

    def report(done):
        if done == 12:
            os.kill(os.getpid(), number)

    outcome, _ = train(tmp_path, report=report)
    assert outcome.stopped == number
    assert int(outcome.state.step) == 12
    assert checkpoint.restore(tmp_path, start()).step == 12
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(
    ("bad", "what"), [(np.nan, "is not finite"), (np.inf, "is not finite"), (9, "exploded to 9")]
)
def test_a_lost_run_is_named(tmp_path, bad, what):
    def data(start, stop):
        return np.where(np.arange(start, stop) >= 15, bad, 1).astype(np.float32)

    message = (
        f"the loss {what}.* at step 16 with learning rate 0.25; .* last good checkpoint: "
        f"{tmp_path}: step 15"
    )
    with pytest.raises(InputError, match=message):
        train(tmp_path, data=data, every=5)
    assert checkpoint.restore(tmp_path, start()).step == 15


def test_one_steps_large_loss_is_no_explosion(tmp_path):
    def data(start, stop):
        return np.where(np.arange(start, stop) == 15, 9, 1).astype(np.float32)

    outcome, _ = train(tmp_path, data=data)
    assert int(outcome.state.step) == 20


def test_a_lost_run_without_a_checkpoint_says_so(tmp_path):
    def data(start, stop):
        return np.where(np.arange(start, stop) == 1, np.nan, 1).astype(np.float32)

    with pytest.raises(InputError, match="at step 2 .* checkpoint: none was written yet"):
        train(tmp_path, data=data)


def test_parameters_that_are_not_finite_are_not_saved(tmp_path):
    state = start()._replace(params=jnp.array([0.0, np.inf, 0.0]))
    message = "a parameter is not finite at step 5 with learning rate 0.25.*none was written yet"
    with pytest.raises(InputError, match=message):
        train(tmp_path, state=state, every=5)
    assert checkpoint.restore(tmp_path, start()) is None
