"""The training loop, the only one: it restores, saves, reports, logs and stops early."""

import contextlib
import dataclasses
import hashlib
import logging
import math
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError, StoppedEarly
from jaxemb.memory import give_back
from jaxemb.progress import phase, progress_bar
from jaxemb.training import checkpoint
from jaxemb.training.run import Run, add_line, cut_log
from jaxemb.training.state import History, Metrics, Training, TrainState, Update

# A loss above this multiple of that at chance level has exploded.
EXPLODED = 4.0

_logger = logging.getLogger("jaxemb")


@dataclasses.dataclass(frozen=True)
class Steps:
    """Many steps as two compiled programs.

    In one program, XLA's CPU runtime would grant the loop one thread less.

    Attributes:
      draw: (the run's key, the number of the first step, batches) -> their examples.
      take: (state, examples, how many of them) -> (state, metrics [most steps]).
    """

    draw: jax.stages.Compiled
    take: jax.stages.Compiled

    def __call__(
        self, state: TrainState, batches: Any, count: int
    ) -> tuple[TrainState, dict[str, jax.Array]]:
        """Runs the next steps.

        Args:
          state: donated: its arrays are changed in place and must not be used again.
          batches: stacked along a new first axis.
          count: how many of them.

        Returns:
          The state, and metrics of [most steps].
        """
        return self.take(state, self.draw(state.key, state.step, batches), count)


def compile_steps(update: Update, state: TrainState, batches: Any) -> Steps:
    """Compiles many steps into one call.

    Args:
      update: the step.
      state: a state, for its shapes.
      batches: batches stacked along a new first axis, for theirs: the most steps of a call.

    Returns:
      The steps.
    """
    most = len(jax.tree.leaves(batches)[0])

    def draw(key: jax.Array, first: jax.Array, batches: Any) -> Any:
        # For all steps at once: random numbers cost many small operations, however few they are.
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, first + jnp.arange(most))
        return jax.vmap(update.draw)(keys, batches)

    # Traced once, for the shapes of its metrics and for the loop.
    step = jax.jit(update.take, inline=True)

    def take(state: TrainState, examples: Any, count: jax.Array) -> tuple[TrainState, Any]:
        def next_step(i: jax.Array, carry: tuple[TrainState, Any]) -> tuple[TrainState, Any]:
            state, metrics = carry
            state, new = step(state, jax.tree.map(lambda leaf: leaf[i], examples))
            return state, jax.tree.map(lambda all, one: all.at[i].set(one), metrics, new)

        one = jax.tree.map(lambda leaf: leaf[0], examples)
        shapes = jax.eval_shape(step, state, one)[1]
        metrics = jax.tree.map(lambda leaf: jnp.zeros((most, *leaf.shape), leaf.dtype), shapes)
        # Not scan: with a traced step count, one program serves calls of every length, so that a
        # run cut anywhere takes the same steps with the same code.
        return jax.lax.fori_loop(0, count, next_step, (state, metrics))

    drawing = jax.jit(draw).lower(state.key, state.step, batches)
    taking = jax.jit(take, donate_argnums=0).lower(state, drawing.out_info, 0)
    return Steps(drawing.compile(), taking.compile())


def fit(training: Training, run: Run | None = None) -> Any:
    """Runs the remaining steps.

    The first SIGINT (Ctrl-C) or SIGTERM ends the run after the call under way, with a checkpoint
    and a warning. Signals are left alone in a thread that isn't the main one, and where somebody
    else handles them.

    Args:
      training: from a method's `start`; its state is donated.
      run: checkpoints, log and progress; None has none.

    Returns:
      The method's Fitted with its history.

    Raises:
      InputError: if the loss is not finite or explodes, a parameter to save is not finite, or no
        checkpoint can be used.
      OSError: if a checkpoint cannot be written.
    """
    run = Run() if run is None else run
    if not isinstance(run, Run):
        raise InputError(f"run must be a jaxemb.training.run.Run, found {type(run).__name__}")
    state, steps = training.state, training.steps
    rejected: tuple[str, ...] = ()
    identity = ""
    if run.checkpoints is not None:
        identity = fingerprint(training)
        run.checkpoints.mkdir(parents=True, exist_ok=True)
        # Who may not write there learns of it now, not after hours.
        with tempfile.TemporaryFile(dir=run.checkpoints):
            pass
        found = checkpoint.restore(run.checkpoints, state, run=identity)
        if found is not None:
            state, rejected = found.state, found.rejected
            for sentence in rejected:
                _logger.warning(sentence)
            _logger.info(f"going on from step {found.step:,} of {steps:,}")
    size = min(training.call_steps, steps)
    call = training.call
    if call is None:
        with phase("compiling"):
            call = compile_steps(training.update, state, training.batches(0, size))
        give_back()
    first = done = saved = int(state.step)
    if run.log is not None:
        run.log.parent.mkdir(parents=True, exist_ok=True)
        cut_log(run.log, done)

    def next_call(done: int) -> tuple[int, Any]:
        """Returns where the next call ends, and its batches padded to the size of a call."""
        # Calls end at multiples of their size, wherever a run was cut.
        stop = min(done + size - done % size, steps)
        rest = [(0, size - (stop - done))]
        padded = jax.tree.map(
            lambda leaf: np.pad(leaf, rest + [(0, 0)] * (np.ndim(leaf) - 1)),
            training.batches(done, stop),
        )
        return stop, padded

    chance = -math.inf if training.chance_loss is None else training.chance_loss
    losses: list[np.ndarray] = []
    seconds, start = 0.0, time.perf_counter()
    last_saved = start
    because = training.stopped(state)
    following = next_call(done) if done < steps and not because else (done, None)
    unit, a_step = training.unit
    with (
        _caught_signals() as asked,
        progress_bar(
            total=round(a_step * steps),
            initial=round(a_step * done),
            unit=f" {unit}",
            unit_scale=unit != "steps",
            disable=not (sys.stderr.isatty() if run.progress is None else run.progress),
        ) as bar,
    ):
        while done < steps and not asked and not because:
            stop, given = following
            state, running = call(state, given, stop - done)
            # The device computes while the host reads the next batches.
            following = next_call(stop) if stop < steps else (stop, None)
            metrics = {name: np.asarray(values)[: stop - done] for name, values in running.items()}
            if not losses:
                # Whoever starts from parameters of their own may start above it.
                chance = max(float(metrics["loss"][0]), chance)
            _guard(metrics, done, chance, run.checkpoints, saved)
            done = stop
            seconds = time.perf_counter() - start
            losses.append(metrics["loss"])
            state = training.judge(state, metrics)
            because = training.stopped(state)
            means = {name: float(values.mean()) for name, values in metrics.items()}
            bar.set_postfix_str(f"loss {means['loss']:.4g}", refresh=False)
            bar.update(round(a_step * done) - bar.n)
            if run.log is not None:
                speed = {f"{unit}_per_second": a_step * (done - first) / seconds}
                add_line(run.log, {"step": done, "seconds": seconds, **means, **speed})
            if run.report is not None:
                run.report(done, metrics, seconds)
            due = time.perf_counter() - last_saved >= run.seconds
            if done == steps or asked or because or due:
                _guard_parameters(state, metrics, run.checkpoints, saved)
                if run.checkpoints is not None:
                    checkpoint.save(run.checkpoints, done, state, run=identity)
                    saved, last_saved = done, time.perf_counter()
    if asked and done < steps and not because:
        because = asked[0].name
        warnings.warn(
            StoppedEarly(f"stopped by {because} at step {done:,} of {steps:,}"), stacklevel=3
        )
    loss = np.concatenate(losses) if losses else np.zeros(0, np.float32)
    history = History(done, loss, seconds, because or "done", rejected)
    return training.finish(state)._replace(history=history)


def fingerprint(training: Training) -> str:
    """Returns what tells this run from others whose states have the same shapes.

    Args:
      training: that has not begun.

    Returns:
      A hash of its options and key, and of its first data.
    """
    parts = (training.about, training.batches(0, min(2, training.steps)))
    found = hashlib.sha256(np.asarray(jax.random.key_data(training.state.key)).tobytes())
    for leaf in jax.tree.leaves(parts):
        if isinstance(leaf, (np.ndarray, jax.Array)):
            found.update(f"{leaf.dtype}{leaf.shape}".encode())
            found.update(np.ascontiguousarray(leaf).view(np.uint8).data)
        else:
            found.update(repr(leaf).encode())
    return found.hexdigest()


def gives_way(handler: Any) -> Any:
    """Marks a signal handler that a training may replace while it runs."""
    handler.gives_way = True
    return handler


@contextlib.contextmanager
def _caught_signals() -> Iterator[list[signal.Signals]]:
    """Collects SIGINT and SIGTERM instead of dying of them, where nobody else handles them."""
    asked: list[signal.Signals] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            usual = handler in (signal.SIG_DFL, signal.default_int_handler)
            if usual or getattr(handler, "gives_way", False):
                before[number] = handler
    for number in before:
        signal.signal(number, lambda number, _: asked.append(signal.Signals(number)))
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _guard(
    metrics: Metrics, done: int, chance: float, checkpoints: Path | None, saved: int
) -> None:
    """Refuses a loss that says the run is lost."""
    limit = EXPLODED * chance
    losses = metrics["loss"]
    # A single step's loss is of few examples; an explosion lasts.
    lost = losses.mean() > limit
    bad = np.flatnonzero(~np.isfinite(losses) | (lost & (losses > limit)))
    if bad.size == 0:
        return
    loss = losses[bad[0]]
    what = f"exploded to {loss:.3g} from {chance:.3g}" if math.isfinite(loss) else "is not finite"
    raise _lost(f"the loss {what}", done + bad[0] + 1, metrics, bad[0], checkpoints, saved)


def _guard_parameters(
    state: TrainState, metrics: Metrics, checkpoints: Path | None, saved: int
) -> None:
    """Refuses to save parameters that are not finite, which a sampled loss can miss."""
    if not all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(state.params)):
        raise _lost("a parameter is not finite", int(state.step), metrics, -1, checkpoints, saved)


def _lost(
    what: str, step: int, metrics: Metrics, at: int, checkpoints: Path | None, saved: int
) -> InputError:
    rate = metrics["learning_rate"][at]
    back = f"{checkpoints}: step {saved}" if saved else "none was written yet"
    return InputError(
        f"{what} at step {step} with learning rate {rate:.3g}; a smaller learning rate may help. "
        f"The last good checkpoint: {back}"
    )
