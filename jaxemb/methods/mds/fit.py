"""Maps that keep all distances, from a start to convergence."""

import signal
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxemb.errors import InputError
from jaxemb.memory import require_memory
from jaxemb.projections import mds, sammon
from jaxemb.projections.distance_matrix import check_distances, power_of_two
from jaxemb.projections.neighbors import check_points
from jaxemb.training import before_loop as loop
from jaxemb.training.state import TrainState

Method = Literal["smacof", "gradient", "sammon"]
Report = Callable[[int, float], None]

# Steps of a compiled call; between two, convergence is looked at.
CALL_STEPS = 10
# Stress of rounded distances, relative to the squares of the distances.
_ROUNDING = 1e-11


class Fitted(NamedTuple):
    """A map and how it came about.

    Attributes:
      positions: [N, d] float32, centered, in the units of the distances.
      stress: [iterations] float64 before each iteration: the raw stress, in squared units of the
        distances (of a sample, an estimate), or Sammon's, free of units.
      stopped_because: "converged", "iterations done", or the name of the signal.
    """

    positions: np.ndarray
    stress: np.ndarray
    stopped_because: str


class _Converged(Exception):
    """Ends the loop from within its report."""


def fit(
    key: jax.Array,
    distances: np.ndarray,
    *,
    method: Method = "smacof",
    dim: int = 2,
    iterations: int = 300,
    tolerance: float = 1e-5,
    initialization: Literal["classical", "random"] | np.ndarray = "classical",
    learning_rate: float = 1.0,
    momentum: float = 0.9,
    magic_factor: float = 0.35,
    report: Report | None = None,
) -> Fitted:
    """Makes the map of least stress of a matrix of distances, up to about 10,000 points.

    Args:
      key: the random start is drawn from here, and the noise that parts equal positions of the
        classical one, a ten-thousandth of its size.
      distances: [N, N] float, symmetric with a zero diagonal; `distance_matrix` takes them.
      method: "smacof" (majorization, the stress never rises), "gradient" (of the raw stress, with
        momentum) or "sammon" (Sammon's stress by diagonal Newton steps).
      dim: of the map, d, less than N.
      iterations: at most.
      tolerance: the relative change of the stress in an iteration, on average over ten, from which
        on the map has converged; 0 takes all iterations.
      initialization: "classical", "random", or an array [N, d].
      learning_rate: of "gradient", in units of SMACOF's step, 1 / (2 N); from 2 (1 + momentum) on
        it diverges.
      momentum: of "gradient", in [0, 1).
      magic_factor: of "sammon", the share of Newton's step.
      report: called with (iterations done, the stress before the last of them).

    Returns:
      The map; the same bits for the same arguments on the same machine.

    Raises:
      InputError: if an argument is none of the above, two points are equal and the method is
        "sammon", the stress explodes, or memory does not suffice.
    """
    distances = np.asarray(distances)
    check_distances(distances)
    count = len(distances)
    check_numbers(count, dim, iterations, tolerance)
    require_memory(
        5 * 4 * count**2,
        f"a map of {count:,} points that looks at all pairs",
        "take fewer points, or a method that samples pairs",
    )
    if method == "sammon":
        _refuse_equal_points(distances)
    # The state is donated, and with it what it holds: not the caller's key.
    start_key, base_key = jax.random.split(key)
    # Squares of large distances are no float32 numbers; a power of two costs no digit.
    scale = power_of_two(float(distances.max()))
    wanted = (distances * scale).astype(np.float32)
    if isinstance(initialization, str):
        positions = _initialize(start_key, wanted, dim, initialization)
    else:
        positions = checked_start(initialization, count, dim) * scale
    optimizer = optax.sgd(learning_rate / (2 * count), momentum=momentum)

    def update(state: TrainState, _: jax.Array) -> tuple[TrainState, dict[str, jax.Array]]:
        target, opt_state = state.opt_state
        if method == "sammon":
            params, stress = sammon.newton_step(state.params, target, magic_factor=magic_factor)
        else:
            params, stress = mds.guttman_transform(state.params, target)
        if method == "gradient":
            gradient = 2 * count * (state.params - params)
            changes, opt_state = optimizer.update(gradient, opt_state, state.params)
            params = optax.apply_updates(state.params, changes)
        metrics = {"loss": stress, "learning_rate": jnp.float32(learning_rate)}
        return TrainState(state.step + 1, state.key, params, (target, opt_state)), metrics

    # In the state, for in a closure the matrix would be a constant of the program.
    target = jnp.asarray(wanted)
    start = jnp.asarray(positions - positions.mean(axis=0, keepdims=True), jnp.float32)
    state = TrainState(jnp.zeros((), jnp.int32), base_key, start, (target, optimizer.init(start)))
    # The stress of all points at one place, or 1 of Sammon's: a good start's is no measure.
    first = 1.0 if method == "sammon" else float(np.square(wanted, dtype=np.float64).sum() / 2)
    del wanted, distances, target
    return drive(
        state,
        update,
        lambda start, stop: np.zeros(stop - start, np.float32),
        iterations=iterations,
        tolerance=tolerance,
        first_loss=first,
        scale=scale,
        stress_scale=1.0 if method == "sammon" else scale**-2,
        report=report,
    )


def drive(
    state: TrainState,
    update: Callable[[TrainState, Any], tuple[TrainState, dict[str, jax.Array]]],
    batches: Callable[[int, int], Any],
    *,
    iterations: int,
    tolerance: float,
    first_loss: float,
    scale: float,
    stress_scale: float,
    report: Report | None,
) -> Fitted:
    """Takes steps until they are done, the stress stands still or a signal comes.

    Args:
      state: its parameters are the positions times `scale`; donated.
      update: (state, batch) -> (the next state, metrics).
      batches: (start, stop) -> batches of these steps, stacked.
      iterations: steps at most.
      tolerance: the relative change of the stress in a step that counts as none; 0 takes all steps.
      first_loss: the stress against which an exploding or vanishing one is judged.
      scale: what the distances were multiplied by.
      stress_scale: what makes of a measured stress that in the units of the distances.
      report: called with (steps done, the stress before the last of them).

    Returns:
      The map.

    Raises:
      InputError: if the stress explodes.
    """
    size = min(CALL_STEPS, iterations)
    compiled = loop.compile_steps(lambda _, batch: batch, update, state, batches(0, size))
    latest = [state]
    stress: list[float] = []

    def call(state: TrainState, batch: Any, count: int) -> tuple[TrainState, Any]:
        latest[0], metrics = compiled(state, batch, count)
        return latest[0], metrics

    def note(done: int, metrics: loop.Metrics, seconds: float) -> None:
        losses = metrics["loss"].astype(np.float64)
        stress.extend(losses * stress_scale)
        if report is not None:
            report(done, stress[-1])
        change = abs(losses[0] - losses[-1])
        still = len(losses) > 1 and change <= tolerance * (len(losses) - 1) * losses[0]
        # Of a perfect map only rounding is left, and that never stands still.
        if tolerance and (still or losses[-1] <= _ROUNDING * first_loss):
            raise _Converged

    because = "iterations done"
    try:
        outcome = loop.train(
            state,
            call,
            batches,
            steps=iterations,
            call_steps=size,
            checkpoints=None,
            checkpoint_every=0,
            report=note,
            first_loss=first_loss,
        )
        if outcome.stopped is not None:
            because = signal.Signals(outcome.stopped).name
    except _Converged:
        because = "converged"
    positions = np.asarray(latest[0].params)
    centered = positions - positions.mean(axis=0, keepdims=True)
    return Fitted(centered / np.float32(scale), np.array(stress), because)


def check_numbers(count: int, dim: int, iterations: int, tolerance: float) -> None:
    """Refuses what no map of `count` points can use, with an InputError."""
    mds.check_dim(dim, count)
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, found {iterations}")
    # Written so that NaN fails.
    if not 0 <= tolerance < 1:
        raise InputError(f"tolerance must be at least 0 and less than 1, found {tolerance}")


def checked_start(start: np.ndarray, count: int, dim: int) -> np.ndarray:
    """Returns positions to start from, or raises InputError if they are no [N, d] finite floats."""
    check_points(start, name="the start")
    if start.shape != (count, dim):
        raise InputError(
            f"the start must be {count} x {dim}, a row for each point, found "
            f"{start.shape[0]} x {start.shape[1]}"
        )
    return start


def _initialize(key: jax.Array, wanted: np.ndarray, dim: int, initialization: str) -> np.ndarray:
    noise = np.asarray(jax.random.normal(key, (len(wanted), dim)))
    if initialization == "classical":
        positions = mds.classical(wanted, dim=dim)[0]
        return positions + 1e-4 * positions.std() * noise
    if initialization == "random":
        # Such points have the wanted distances in the mean square.
        return np.sqrt(np.mean(np.square(wanted)) / (2 * dim)) * noise
    raise InputError(
        f'initialization must be "classical", "random" or an array, found {initialization!r}'
    )


def _refuse_equal_points(distances: np.ndarray) -> None:
    """Sammon's stress divides by every distance."""
    rows, columns = np.nonzero(distances == 0)
    above = rows < columns
    if above.any():
        raise InputError(
            f"{above.sum():,} pairs of points have distance 0, which Sammon's stress divides by, "
            f"the first in rows {rows[above][0]} and {columns[above][0]}; keep one point of each "
            "such place, or add a little noise"
        )
