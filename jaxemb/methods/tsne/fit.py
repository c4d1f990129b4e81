"""A map of a data set by t-SNE: neighbors, affinities, and the descent."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.methods.tsne import step as tsne
from jaxemb.methods.tsne.affinities import Affinities, affinities_for
from jaxemb.methods.tsne.options import Options
from jaxemb.methods.tsne.programs import Call, Metrics, steps_by_grid
from jaxemb.methods.tsne.step import Descent, Phase
from jaxemb.projections import mds
from jaxemb.projections.initialization import Initialization, initialize
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training, TrainState, Update

_CALL_STEPS = 50


class Fitted(NamedTuple):
    """A map, and what `transform` needs to place new points in it.

    Attributes:
      embedding: [N, d] float32, in the order of the points, centered.
      kl: of the map, in nats.
      kl_trace: [T, 2] float, rows of (steps done, KL): those measured on the way, and the map's.
      iterations: steps that moved the points. `history.steps` may be more: after the gradient has
        become short, the call under way ends without moving any.
      perplexity: [N] float32 as each point reached it, the mean over several.
      recall: share of the true neighbors found.
      seconds: of each phase: "neighbors", "affinities", "initialization", "optimization".
      points: [N, D] float that the map shows, or their distances [N, N].
      options: that it was made with.
      history: of the run.
    """

    embedding: np.ndarray
    kl: float
    kl_trace: np.ndarray
    iterations: int
    perplexity: np.ndarray
    recall: float
    seconds: dict[str, float]
    points: np.ndarray
    options: Options
    history: History = History()


class Progress(NamedTuple):
    """The optimizer's state of a run.

    Attributes:
      descent: as of single steps.
      order: [N] int32, which of the data's points each point of the state is.
      trace: [T] float32, the KL each time it was measured; NaN to come.
    """

    descent: Descent
    order: jax.Array
    trace: jax.Array


def fit(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    positions: Any = None,
    run: Run | None = None,
) -> Fitted:
    """Makes a map of points by t-SNE.

    The same key and points give the same bits on the same machine, however the run was cut.

    Args:
      key: random key, or a seed: of the start's noise, and the jitter.
      points: [N, D] real numbers, N at least 4; with the metric "precomputed" their distances
        [N, N], symmetric with a zero diagonal.
      options: of the map.
      positions: [N, d] where the points begin, in place of `options.initialization`; their scale
        does not matter.
      run: checkpoints, log and progress.

    Returns:
      The map.

    Raises:
      InputError: if an argument is outside its documented range, if most points coincide with as
        many others as they are to see, if memory will not suffice, or if the map explodes.
    """
    return loop.fit(start(key, points, options, positions=positions), run)


def start(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    positions: Any = None,
) -> Training:
    """Prepares a map; the arguments are those of `fit`.

    Returns:
      The training. Its `update` is a host call, not to be traced or compiled: the host picks a
      program by how wide the map is. `embedding_of` tells the map of each state.

    Raises:
      InputError: as in `fit`.
    """
    options = checks.as_options(options, Options)
    jitter_key, start_key, base_key = jax.random.split(checks.as_key(key), 3)
    points = checks.as_points(points)
    found = affinities_for(jitter_key, points, options)
    began = time.perf_counter()
    placed = first_positions(start_key, found, options, positions)
    found.seconds["initialization"] = time.perf_counter() - began
    # New points will not be jittered either.
    return start_from(base_key, found._replace(points=points), placed, options)


def start_from(
    key: jax.Array, found: Affinities, positions: jax.Array, options: Options
) -> Training:
    """Prepares the map of affinities that are found already.

    Args:
      key: random key. It is kept in the state; no step draws anything.
      found: the affinities.
      positions: [N, d] where the points begin, exactly; best close together.
      options: of the descent.

    Returns:
      The training, as `start` returns it.
    """
    began = time.perf_counter()
    graph, iterations = found.graph, options.iterations
    size = min(_CALL_STEPS, iterations)
    phases = phases_for(options, len(positions))
    state = tsne.start(jnp.copy(key), positions, graph)
    together = float(state.opt_state.kl)
    measured = -(-iterations // options.measure_every)
    trace = jnp.full(measured, jnp.nan, jnp.float32)
    state = state._replace(opt_state=Progress(state.opt_state, graph.order, trace))
    steps = steps_by_grid(
        graph,
        mesh=options.mesh,
        grids=options.grids,
        rule=options.rule,
    )
    call = _with_trace(steps, options.measure_every)

    def finish(state: TrainState) -> Fitted:
        last = state._replace(opt_state=state.opt_state.descent)
        kl = _last_kl(steps, last, phases, size, together)
        seconds = found.seconds | {"optimization": time.perf_counter() - began}
        return _fitted(state, kl, found, seconds, options)

    def stopped(state: TrainState) -> str:
        converged = int(state.opt_state.descent.converged) >= 0
        return f"gradient norm below {options.min_gradient_norm:g}" if converged else ""

    return Training(
        state,
        iterations,
        phases,
        Update(lambda key, phase: phase, _one_step(call, size)),
        finish,
        chance_loss=together,
        call_steps=_CALL_STEPS,
        call=call,
        stopped=stopped,
        about=(options, found.points),
    )


def first_positions(
    key: jax.Array, found: Affinities, options: Options, positions: Any
) -> jax.Array:
    """Returns where the points begin, [N, d].

    Args:
      key: random key.
      found: the points and their affinities.
      options: of the map.
      positions: as in `fit`.
    """
    how: Initialization | np.ndarray = options.initialization
    if positions is not None:
        how = np.asarray(positions)
    elif options.metric == "precomputed" and how == "pca":
        how = mds.classical(found.points, dim=options.dim)[0]
    return initialize(
        key,
        how,
        points=found.points,
        graph=found.graph,
        dim=options.dim,
        deviation=options.start_deviation,
        noise=options.start_noise,
    )


def phases_for(options: Options, points: int) -> Callable[[int, int], Phase]:
    """Returns the schedule of a map of so many points, as `step.schedule`."""
    return tsne.schedule(
        points=points,
        early_iterations=options.early_iterations,
        exaggeration=options.exaggeration,
        learning_rate=options.learning_rate,
        measure_every=options.measure_every,
        early_momentum=options.early_momentum,
        momentum=options.momentum,
    )


def embedding_of(state: TrainState) -> np.ndarray:
    """Returns the map of a state, [N, d] float32, in the order of the points.

    Args:
      state: of a training of `start`.
    """
    embedding = np.empty(state.params.shape, np.float32)
    embedding[np.asarray(state.opt_state.order)] = state.params
    return embedding


def _with_trace(call: Call, every: int) -> Call:
    """Returns a call that keeps each KL, measured every so many steps, in the state."""

    def traced(state: TrainState, phases: Phase, count: int) -> tuple[TrainState, Metrics]:
        first, progress = int(state.step), state.opt_state
        state, metrics = call(state._replace(opt_state=progress.descent), phases, count)
        trace = progress.trace
        at = np.flatnonzero(phases.measure[:count])
        if len(at):
            # In NumPy: nothing to compile.
            noted = np.array(trace)
            noted[(first + at) // every] = np.asarray(metrics["loss"])[at]
            trace = jnp.asarray(noted)
        return state._replace(opt_state=Progress(state.opt_state, progress.order, trace)), metrics

    return traced


def _one_step(
    call: Call, size: int
) -> Callable[[TrainState, Phase], tuple[TrainState, dict[str, jax.Array]]]:
    """Returns a step as a call of one, by the same programs as those of `size`."""

    def take(state: TrainState, phase: Phase) -> tuple[TrainState, dict[str, jax.Array]]:
        phases = jax.tree.map(lambda leaf: np.pad(leaf[None], (0, size - 1)), phase)
        # The call donates its state.
        state, metrics = call(_copied(state), phases, 1)
        return state, {name: values[0] for name, values in metrics.items()}

    return take


@jax.jit
def _copied(state: TrainState) -> TrainState:
    return jax.tree.map(jnp.copy, state)


def _last_kl(
    call: Call,
    state: TrainState,
    phases: Callable[[int, int], Phase],
    size: int,
    together: float,
) -> float:
    """Measures the KL of a state's map, and refuses one that is worse than no map at all."""
    done = int(state.step)
    # A step measures the KL of the map before it.
    more = phases(done, done + size)._replace(measure=np.ones(size, bool))
    kl = float(np.asarray(call(_copied(state), more, 1)[1]["loss"])[0])
    if kl > 1.1 * together:
        raise InputError(
            f"the map exploded: its KL is {kl:.3g}, {together:.3g} with all points in one place, "
            f"with learning rate {more.learning_rate[0]:.3g}; a smaller one may help"
        )
    return kl


def _fitted(
    state: TrainState, kl: float, found: Affinities, seconds: dict[str, float], options: Options
) -> Fitted:
    converged = int(state.opt_state.descent.converged)
    iterations = converged if converged >= 0 else int(state.step)
    trace = np.asarray(state.opt_state.trace)
    steps = options.measure_every * np.arange(len(trace))
    noted = np.isfinite(trace) & (steps < iterations)
    rows = [*zip(steps[noted], trace[noted], strict=True), (iterations, kl)]
    return Fitted(
        embedding=embedding_of(state),
        kl=kl,
        kl_trace=np.array(rows, float),
        iterations=iterations,
        perplexity=found.perplexity,
        recall=found.recall,
        seconds=seconds,
        points=found.points,
        options=options,
    )
