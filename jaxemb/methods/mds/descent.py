"""What maps by descent share: their state, when they have converged, and their Fitted."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.training.state import History, Metrics, Training, TrainState, Update


class Fitted(NamedTuple):
    """A map of multidimensional scaling or Sammon's mapping, and how it came about.

    Attributes:
      embedding: [N, d] float32, centered, in the units of the distances.
      stress: [iterations] float64, before each iteration: the raw stress, in squared units of the
        distances (where pairs are sampled, an estimate), or Sammon's, which has no unit. Empty for
        classical scaling.
      options: of the method.
      history: how the run went; its loss is the stress in units of its own.
    """

    embedding: np.ndarray
    stress: np.ndarray
    options: Any
    history: History = History()


class Carried(NamedTuple):
    """What a descent carries beside the positions, as the optimizer's state.

    Attributes:
      step: what its step needs: distances, velocities. In the state, for in a closure the matrix
        would be a constant of the program.
      stress: [iterations] before each iteration; 0 for those to come.
      converged: [] bool.
    """

    step: Any
    stress: jax.Array
    converged: jax.Array


class Stopping(NamedTuple):
    """When a descent ends.

    Attributes:
      iterations: at most.
      tolerance: relative change of the stress in an iteration that counts as none; 0 takes all.
      window: iterations over which it is averaged.
      rounding: stress that is nothing but rounding, in the unit of the steps.
    """

    iterations: int
    tolerance: float
    window: int
    rounding: float


class Units(NamedTuple):
    """In which units the steps compute.

    Squares of large distances are no float32 numbers; a power of two costs no digit.

    Attributes:
      scale: what distances and positions are multiplied by.
      stress: what converts a step's stress to the units of the distances.
      chance: the stress of all points at one place, of the steps' unit: a good start's stress is
        no measure of an exploding one.
    """

    scale: float
    stress: float
    chance: float


class Moved(NamedTuple):
    """What a step returns.

    Attributes:
      positions: [N, d] after it.
      carried: for the next step.
      stress: [] before it.
      rate: [] its learning rate, which is named where a stress explodes.
    """

    positions: jax.Array
    carried: Any
    stress: jax.Array
    rate: jax.Array


# (positions [N, d], carried, number of the step, batch) -> what comes of it
Step = Callable[[jax.Array, Any, jax.Array, Any], Moved]


def prepare(
    key: jax.Array,
    positions: np.ndarray,
    carried: Any,
    step: Step,
    batches: Callable[[int, int], Any],
    *,
    units: Units,
    stopping: Stopping,
    options: Any,
) -> Training:
    """Prepares a descent.

    Args:
      key: random key of the state.
      positions: [N, d] to start from, times `units.scale`.
      carried: what the step carries, at first.
      step: moves the points.
      batches: (start, stop) -> batches of these steps, stacked.
      units: of positions and stress.
      stopping: when the map is finished.
      options: of the method, for the Fitted.

    Returns:
      The training.
    """

    def take(state: TrainState, batch: Any) -> tuple[TrainState, dict[str, jax.Array]]:
        held = state.opt_state
        moved = step(state.params, held.step, state.step, batch)
        trace = held.stress.at[state.step].set(moved.stress)
        held = Carried(moved.carried, trace, held.converged)
        metrics = {"loss": moved.stress, "learning_rate": moved.rate}
        return TrainState(state.step + 1, state.key, moved.positions, held), metrics

    def judge(state: TrainState, metrics: Metrics) -> TrainState:
        if not has_converged(metrics["loss"].astype(np.float64), stopping):
            return state
        return state._replace(opt_state=state.opt_state._replace(converged=jnp.asarray(True)))

    def finish(state: TrainState) -> Fitted:
        found = np.asarray(state.params)
        centered = found - found.mean(axis=0, keepdims=True)
        stress = np.asarray(state.opt_state.stress)[: int(state.step)].astype(np.float64)
        return Fitted(centered / np.float32(units.scale), stress * units.stress, options)

    begin = jnp.asarray(positions - positions.mean(axis=0, keepdims=True), jnp.float32)
    # The state is donated, and with it what it holds: not the caller's key.
    key = jnp.copy(key)
    trace = jnp.zeros(stopping.iterations, jnp.float32)
    held = Carried(carried, trace, jnp.asarray(False))
    return Training(
        TrainState(jnp.zeros((), jnp.int32), key, begin, held),
        stopping.iterations,
        batches,
        Update(lambda key, batch: batch, take),
        finish,
        chance_loss=units.chance,
        call_steps=stopping.window,
        judge=judge,
        stopped=lambda state: "converged" if bool(state.opt_state.converged) else "",
        about=(options, carried),
    )


def has_converged(stress: np.ndarray, stopping: Stopping) -> bool:
    """Tells whether the stress [window] of the last iterations stands still, or is rounding."""
    change = abs(stress[0] - stress[-1])
    steps = len(stress) - 1
    still = steps > 0 and change <= stopping.tolerance * steps * stress[0]
    # A perfect map's stress is nothing but rounding, and that never stands still.
    return bool(stopping.tolerance and (still or stress[-1] <= stopping.rounding))
