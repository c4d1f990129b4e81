"""The training loop, the only one: many steps in one compiled call, and what goes on between."""

import contextlib
import dataclasses
import math
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError
from jaxemb.training import checkpoint
from jaxemb.training.state import TrainState

# A loss above this multiple of the first has exploded; the first is that of random vectors.
EXPLODED = 4.0

Metrics = dict[str, np.ndarray]


class Outcome(NamedTuple):
    """How a run went.

    Attributes:
      state: the last.
      metrics: of the last call, [steps] each.
      seconds: wall time of the loop, without compilation.
      stopped: the signal that stopped it early, or None.
    """

    state: TrainState
    metrics: Metrics
    seconds: float
    stopped: signal.Signals | None


@dataclasses.dataclass(frozen=True)
class Steps:
    """Many steps as two compiled programs.

    In one program, XLA's CPU runtime would grant the loop one thread less.

    Attributes:
      prepare: (the run's key, the number of the first step, batches) -> their examples.
      take: (state, examples, how many of them) -> (state, metrics [most steps]).
    """

    prepare: jax.stages.Compiled
    take: jax.stages.Compiled

    def __call__(
        self, state: TrainState, batches: Any, count: int
    ) -> tuple[TrainState, dict[str, jax.Array]]:
        """Takes steps.

        Args:
          state: donated: its arrays are changed in place and must not be used again.
          batches: stacked along a new first axis.
          count: how many of them.

        Returns:
          The state, and metrics of [most steps].
        """
        return self.take(state, self.prepare(state.key, state.step, batches), count)


def compile_steps(
    prepare: Callable[[jax.Array, Any], Any],
    update: Callable[[TrainState, Any], tuple[TrainState, dict[str, jax.Array]]],
    state: TrainState,
    batches: Any,
) -> Steps:
    """Compiles many steps into one call.

    Args:
      prepare: (the step's key, the step's batch) -> its example. Done for all steps of a call at
        once: random numbers cost many small operations each time, however few they are.
      update: (state, example) -> (the next state, metrics).
      state: a state, for its shapes.
      batches: batches stacked along a new first axis, for theirs: the most steps of a call.

    Returns:
      The steps.
    """
    most = len(jax.tree.leaves(batches)[0])

    def draw(key: jax.Array, first: jax.Array, batches: Any) -> Any:
        keys = jax.vmap(jax.random.fold_in, (None, 0))(key, first + jnp.arange(most))
        return jax.vmap(prepare)(keys, batches)

    def take(state: TrainState, examples: Any, count: jax.Array) -> tuple[TrainState, Any]:
        def next_step(i: jax.Array, carry: tuple[TrainState, Any]) -> tuple[TrainState, Any]:
            state, metrics = carry
            state, new = update(state, jax.tree.map(lambda leaf: leaf[i], examples))
            return state, jax.tree.map(lambda all, one: all.at[i].set(one), metrics, new)

        one = jax.tree.map(lambda leaf: leaf[0], examples)
        shapes = jax.eval_shape(update, state, one)[1]
        metrics = jax.tree.map(lambda leaf: jnp.zeros((most, *leaf.shape), leaf.dtype), shapes)
        # Not scan: with the count a value, one program serves calls of every length, so that a
        # run cut anywhere takes the same steps with the same code.
        return jax.lax.fori_loop(0, count, next_step, (state, metrics))

    drawing = jax.jit(draw).lower(state.key, state.step, batches)
    taking = jax.jit(take, donate_argnums=0).lower(state, drawing.out_info, 0)
    return Steps(drawing.compile(), taking.compile())


def train(
    state: TrainState,
    call: Callable[[TrainState, Any, int], tuple[TrainState, Any]],
    batches: Callable[[int, int], Any],
    *,
    steps: int,
    call_steps: int,
    checkpoints: Path | None,
    checkpoint_every: int,
    report: Callable[[int, Metrics, float], None],
    first_loss: float | None = None,
) -> Outcome:
    """Takes the steps from the state's on, and saves the last.

    A first SIGINT or SIGTERM ends the run after the call under way, with a checkpoint.

    Args:
      state: where to start; donated.
      call: from `compile_steps`.
      batches: (start, stop) -> batches of these steps, stacked.
      steps: how many the whole run takes.
      call_steps: the most steps a call takes.
      checkpoints: folder of the checkpoints; None saves none.
      checkpoint_every: steps between checkpoints; 0 saves at the end only.
      report: called with (steps done, metrics of the latest steps, seconds of the loop so far).
      first_loss: of random parameters, against which an exploding one is judged. None takes that
        of the first step, which a resumed run doesn't have.

    Returns:
      The outcome.

    Raises:
      InputError: if the loss is not finite or explodes, or a parameter to save is not finite.
    """
    done = saved = int(state.step)
    metrics: Metrics = {}
    seconds, start = 0.0, time.perf_counter()

    def stop_at(done: int) -> int:
        due = steps if not checkpoint_every else done + checkpoint_every - done % checkpoint_every
        return min(done + call_steps, due, steps)

    def padded(done: int) -> Any:
        stop = stop_at(done)
        rest = [(0, call_steps - (stop - done))]
        return jax.tree.map(
            lambda leaf: np.pad(leaf, rest + [(0, 0)] * (leaf.ndim - 1)), batches(done, stop)
        )

    following = padded(done) if done < steps else None
    with _caught_signals() as asked:
        while done < steps and not asked:
            stop = stop_at(done)
            state, running = call(state, following, stop - done)
            # The device computes while the host reads the next batches.
            following = padded(stop) if stop < steps else None
            metrics = {name: np.asarray(values)[: stop - done] for name, values in running.items()}
            if first_loss is None:
                first_loss = float(metrics["loss"][0])
            _guard(metrics, done, first_loss, checkpoints, saved)
            done = stop
            seconds = time.perf_counter() - start
            report(done, metrics, seconds)
            if done == steps or asked or (checkpoint_every and done % checkpoint_every == 0):
                _guard_parameters(state, metrics, checkpoints, saved)
                if checkpoints is not None:
                    checkpoint.save(checkpoints, done, state)
                    saved = done
    return Outcome(state, metrics, seconds, asked[0] if asked and done < steps else None)


@contextlib.contextmanager
def _caught_signals() -> Iterator[list[signal.Signals]]:
    """Collects SIGINT and SIGTERM instead of dying of them."""
    asked: list[signal.Signals] = []
    before = {
        number: signal.signal(number, lambda number, _: asked.append(signal.Signals(number)))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _guard(metrics: Metrics, done: int, first: float, checkpoints: Path | None, saved: int) -> None:
    """Refuses a loss that says the run is lost."""
    limit = EXPLODED * first
    losses = metrics["loss"]
    # A single step's loss is of few examples; an explosion lasts.
    lost = losses.mean() > limit
    bad = np.flatnonzero(~np.isfinite(losses) | (lost & (losses > limit)))
    if bad.size == 0:
        return
    loss = losses[bad[0]]
    what = f"exploded to {loss:.3g} from {first:.3g}" if math.isfinite(loss) else "is not finite"
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
