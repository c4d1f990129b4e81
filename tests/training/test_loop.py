import json
import logging
import os
import signal
import threading
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxemb.errors import InputError, StoppedEarly
from jaxemb.training import checkpoint, loop
from jaxemb.training.loop import gives_way
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training, TrainState, Unit, Update


class Fitted(NamedTuple):
    params: Any
    history: History = History()


def draw(key, batch):
    return batch, jax.random.normal(key)


def take(state, example):
    batch, noise = example
    params = state.params + batch * 0.5 + noise
    metrics = {"loss": batch.astype(jnp.float32), "learning_rate": jnp.float32(0.25)}
    return TrainState(state.step + 1, state.key, params, ()), metrics


def zeros():
    return TrainState(jnp.int32(0), jax.random.key(0), jnp.zeros(3), ())


def ones(start, stop):
    return np.ones(stop - start, np.float32)


def training(*, steps=20, call_steps=6, batches=ones, state=None, **others):
    return Training(
        zeros() if state is None else state,
        steps,
        batches,
        Update(draw, take),
        lambda state: Fitted(np.asarray(state.params)),
        call_steps=call_steps,
        **others,
    )


def fit(folder=None, *, seconds=0.0, report=None, log=None, **others):
    return loop.fit(training(**others), Run(folder, seconds, log, report))


class Killed(Exception):
    pass


def die_after(step):
    def report(done, metrics, seconds):
        if done >= step:
            raise Killed

    return report


def test_steps_are_those_of_a_loop_of_ones_own():
    seen = []
    found = fit(report=lambda done, metrics, _: seen.append((done, len(metrics["loss"]))))
    own = training()
    state, update = own.state, jax.jit(own.update)
    for step in range(own.steps):
        state, _ = update(state, own.batch(step))
    np.testing.assert_array_equal(own.finish(state).params, found.params)
    assert seen == [(6, 6), (12, 6), (18, 6), (20, 2)]
    assert found.history[:1] == (20,)
    assert found.history.stopped_because == "done"
    assert found.history.loss.shape == (20,)


@pytest.mark.parametrize("call_steps", [1, 7, 20, 50])
def test_the_size_of_calls_leaves_the_bits_alone(tmp_path, call_steps):
    expected, found = fit(call_steps=6), fit(tmp_path, call_steps=call_steps)
    np.testing.assert_array_equal(found.params, expected.params)
    assert checkpoint.restore(tmp_path, zeros()).step == 20


def test_a_killed_run_goes_on_from_its_last_checkpoint_with_the_same_bits(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="jaxemb")
    expected = fit()
    with pytest.raises(Killed):
        fit(tmp_path, report=die_after(18))
    assert checkpoint.restore(tmp_path, zeros()).step == 12
    found = fit(tmp_path)
    assert caplog.messages == ["going on from step 12 of 20"]
    np.testing.assert_array_equal(found.params, expected.params)
    assert found.history.steps == 20
    assert len(found.history.loss) == 8


def test_a_finished_run_is_read_and_not_run_again(tmp_path):
    expected = fit(tmp_path)
    found = fit(tmp_path, report=die_after(0))
    np.testing.assert_array_equal(found.params, expected.params)
    assert found.history.steps == 20
    assert not found.history.loss.size


def test_checkpoints_come_by_the_clock_and_at_the_end(tmp_path):
    with pytest.raises(Killed):
        fit(tmp_path, seconds=3600.0, report=die_after(18))
    assert checkpoint.restore(tmp_path, zeros()) is None
    fit(tmp_path, seconds=3600.0)
    assert checkpoint.restore(tmp_path, zeros()).step == 20


def test_a_damaged_checkpoint_is_told_and_passed_over(tmp_path, caplog):
    with pytest.raises(Killed):
        fit(tmp_path, report=die_after(18))
    (tmp_path / "00000012" / "manifest.json").write_text("{}")
    found = fit(tmp_path)
    assert len(found.history.rejected) == 1
    assert "manifest.json: hash differs" in found.history.rejected[0]
    assert found.history.rejected[0] in caplog.messages
    np.testing.assert_array_equal(found.params, fit().params)


def test_the_log_has_a_line_a_call_and_a_resumed_run_writes_its_own_again(tmp_path):
    log = tmp_path / "folder" / "metrics.jsonl"
    with pytest.raises(Killed):
        fit(tmp_path / "c", log=log, report=die_after(18))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["step"] for line in lines] == [6, 12, 18]
    with log.open("a") as file:
        file.write('{"step": 24, "lo')
    fit(tmp_path / "c", log=log, unit=Unit("words", 10.0))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["step"] for line in lines] == [6, 12, 18, 20]
    assert lines[-1].keys() == {"step", "seconds", "loss", "learning_rate", "words_per_second"}
    assert lines[-1]["loss"] == 1
    assert lines[-1]["words_per_second"] == pytest.approx(80 / lines[-1]["seconds"])


def test_a_log_of_something_else_is_refused(tmp_path):
    log = tmp_path / "metrics.jsonl"
    log.write_text("hello\n")
    with pytest.raises(InputError, match=r"metrics.jsonl: line 1: expected a JSON object"):
        fit(log=log)
    assert log.read_text() == "hello\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_call_with_a_checkpoint(tmp_path, number):
    before = signal.getsignal(number)

    def report(done, metrics, seconds):
        if done == 12:
            os.kill(os.getpid(), number)

    with pytest.warns(StoppedEarly, match="stopped by SIG.* at step 12 of 20"):
        found = fit(tmp_path, report=report)
    assert found.history.stopped_because == number.name
    assert found.history.steps == 12
    assert checkpoint.restore(tmp_path, zeros()).step == 12
    assert signal.getsignal(number) == before
    np.testing.assert_array_equal(fit(tmp_path).params, fit().params)


def test_somebody_elses_signal_handler_stays():
    heard = []

    def handler(number, frame):
        heard.append(number)

    before = signal.signal(signal.SIGTERM, handler)
    try:

        def report(done, metrics, seconds):
            assert signal.getsignal(signal.SIGTERM) is handler
            if done == 12:
                os.kill(os.getpid(), signal.SIGTERM)

        assert fit(report=report).history.steps == 20
        assert heard == [signal.SIGTERM]
        signal.signal(signal.SIGTERM, gives_way(handler))
        with pytest.warns(StoppedEarly):
            assert fit(report=lambda *_: os.kill(os.getpid(), 15)).history.steps == 6
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_run_in_a_worker_thread_gives_the_same_bits():
    found = []
    worker = threading.Thread(target=lambda: found.append(fit()))
    worker.start()
    worker.join()
    np.testing.assert_array_equal(found[0].params, fit().params)


def test_a_state_that_says_so_ends_the_run_for_good(tmp_path):
    def judge(state, metrics):
        return state._replace(opt_state=state.opt_state + len(metrics["loss"]))

    def stopped(state):
        return "converged" if state.opt_state >= 12 else ""

    def take_and_keep(state, example):
        new, metrics = take(state, example)
        return new._replace(opt_state=state.opt_state), metrics

    def run(report=None):
        start = zeros()._replace(opt_state=jnp.int32(0))
        own = training(state=start, judge=judge, stopped=stopped)
        own = own._replace(update=Update(draw, take_and_keep))
        return loop.fit(own, Run(tmp_path, 0.0, None, report))

    expected = run()
    assert expected.history.steps == 12
    assert expected.history.stopped_because == "converged"
    again = run(report=die_after(0))
    assert again.history.stopped_because == "converged"
    np.testing.assert_array_equal(again.params, expected.params)


@pytest.mark.parametrize(
    ("bad", "what"), [(np.nan, "is not finite"), (np.inf, "is not finite"), (9, "exploded to 9")]
)
def test_a_lost_run_is_named(tmp_path, bad, what):
    def batches(start, stop):
        return np.where(np.arange(start, stop) >= 15, bad, 1).astype(np.float32)

    message = (
        f"the loss {what}.* at step 16 with learning rate 0.25; .* last good checkpoint: "
        f"{tmp_path}: step 15"
    )
    with pytest.raises(InputError, match=message):
        fit(tmp_path, batches=batches, call_steps=5)
    assert checkpoint.restore(tmp_path, zeros()).step == 15


def test_one_steps_large_loss_is_no_explosion():
    def batches(start, stop):
        return np.where(np.arange(start, stop) == 15, 9, 1).astype(np.float32)

    assert fit(batches=batches).history.steps == 20


def test_a_lost_run_without_a_checkpoint_says_so():
    def batches(start, stop):
        return np.where(np.arange(start, stop) == 1, np.nan, 1).astype(np.float32)

    with pytest.raises(InputError, match="at step 2 .* checkpoint: none was written yet"):
        fit(batches=batches)


def test_parameters_that_are_not_finite_are_not_saved(tmp_path):
    state = zeros()._replace(params=jnp.array([0.0, np.inf, 0.0]))
    message = "a parameter is not finite at step 6 with learning rate 0.25.*none was written yet"
    with pytest.raises(InputError, match=message):
        fit(tmp_path, state=state)
    assert checkpoint.restore(tmp_path, zeros()) is None


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    """Though it has the same shapes: else its result would be returned for this run's."""
    fit(tmp_path, about=("options", np.arange(3)))
    other_key = zeros()._replace(key=jax.random.key(1))
    for other in (
        {"about": ("other options", np.arange(3))},
        {"about": ("options", np.arange(3) + 1)},
        {"about": ("options", np.arange(3)), "state": other_key},
        {"about": ("options", np.arange(3)), "batches": lambda *steps: 2 * ones(*steps)},
    ):
        with pytest.raises(
            InputError, match="no checkpoint can be used.*is of another run, whose k"
        ):
            fit(tmp_path, **other)
    assert fit(tmp_path, about=("options", np.arange(3))).history.steps == 20


def test_a_start_above_chance_is_no_explosion():
    def batches(start, stop):
        return 100 - np.arange(start, stop, dtype=np.float32)

    assert fit(batches=batches, chance_loss=1.0).history.loss[-1] == 81
    with pytest.raises(InputError, match="the loss exploded to 94 from 1 at step 7"):
        fit(batches=lambda *steps: batches(*steps) ** (np.arange(*steps) > 5), chance_loss=1.0)


def test_where_nothing_can_be_written_is_told_at_once(tmp_path):
    (tmp_path / "file").write_text("precious")
    with pytest.raises(OSError, match="file"):
        fit(tmp_path / "file", report=die_after(0))
    with pytest.raises(InputError, match=r"run must be a jaxemb.training.run.Run, found PosixPath"):
        loop.fit(training(), tmp_path)
