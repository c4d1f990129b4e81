"""t-SNE of a data set: neighbors, affinities, and the descent, driven by the training loop."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from jaxemb.checks import check_points
from jaxemb.errors import InputError
from jaxemb.methods.tsne import step as tsne
from jaxemb.methods.tsne.affinities import Affinities, affinities_of, jittered
from jaxemb.methods.tsne.programs import steps_by_grid, with_frames
from jaxemb.methods.tsne.transform import transform as transform
from jaxemb.projections.grid import Mesh
from jaxemb.projections.initialization import Initialization, initialize
from jaxemb.projections.neighbors import Engine, Metric
from jaxemb.projections.repulsion import FAST
from jaxemb.training import before_loop as loop
from jaxemb.training import checkpoint

CALL_STEPS = 50


class Fitted(NamedTuple):
    """A map, and how it came about.

    Attributes:
      embedding: [N, d] float32, in the order of the points, centered.
      kl: of the map, in nats.
      kl_trace: [T, 2] float, rows of (steps done, KL), as measured on the way and at the end.
      iterations: steps taken.
      stopped_because: "iterations done", "gradient norm below ..." or the name of a signal.
      affinities: what it shows.
      seconds: of each phase: "neighbors", "affinities", "initialization", "optimization".
    """

    embedding: np.ndarray
    kl: float
    kl_trace: np.ndarray
    iterations: int
    stopped_because: str
    affinities: Affinities
    seconds: dict[str, float]


def fit(
    key: jax.Array,
    points: np.ndarray,
    *,
    perplexity: float | Sequence[float] = 30.0,
    dim: int = 2,
    iterations: int = 750,
    learning_rate: float | None = None,
    exaggeration: float = 12.0,
    early_iterations: int = 250,
    initialization: Initialization | np.ndarray = "pca",
    metric: Metric = "squared_euclidean",
    engine: Engine = "auto",
    jitter: float = 0.0,
    mesh: Mesh | None = FAST,
    min_gradient_norm: float = 0.0,
    measure_every: int = 50,
    checkpoints: Path | None = None,
    checkpoint_every: int = 0,
    report: Callable[[int, loop.Metrics, float], None] | None = None,
    callback: Callable[[int, np.ndarray], None] | None = None,
    callback_every: int = 50,
) -> Fitted:
    """Makes a map of points by t-SNE.

    The same key and points give the same bits on the same machine, however the run was cut.

    Args:
      key: of all that is random: the noise of the start, and the jitter.
      points: [N, D] float, N at least 4.
      perplexity: how many neighbors a point sees, from 1 to less than N / 3; several make the
        mean of their affinities.
      dim: d of the map, 1, 2 or 3.
      iterations: steps.
      learning_rate: of all steps; None takes N / exaggeration.
      exaggeration: factor on the affinities in the early steps, at least 1.
      early_iterations: how many those are.
      initialization: "pca", "spectral", "random" or [N, d] positions.
      metric: of the neighbors' distances.
      engine: of the search for neighbors.
      jitter: standard deviation of noise added to the points, as a share of their own (of 1 if
        they are all equal). It parts points that coincide.
      mesh: how fine the repulsion's grids are; None sums over all pairs.
      min_gradient_norm: a run ends when its gradient is shorter, after the early steps.
      measure_every: steps from one measurement of the KL to the next.
      checkpoints: folder of checkpoints; a run goes on from what it holds. None saves none.
      checkpoint_every: steps between checkpoints; 0 saves at the end only.
      report: as in `training.loop.train`.
      callback: called with (steps done, [N, d] positions) between steps, for a film, say.
      callback_every: steps from one to the next.

    Returns:
      The map.

    Raises:
      InputError: if an argument is none of the above, if most points coincide with as many others
        as they are to see, if memory will not suffice, or if the map explodes.
    """
    jitter_key, start_key, base_key = jax.random.split(key, 3)
    _check(
        dim=dim,
        iterations=iterations,
        learning_rate=learning_rate,
        exaggeration=exaggeration,
        early_iterations=early_iterations,
        jitter=jitter,
        min_gradient_norm=min_gradient_norm,
        measure_every=measure_every,
        callback_every=callback_every,
        checkpoint_every=checkpoint_every,
    )
    check_points(points)
    points = jittered(jitter_key, points, jitter)
    found = affinities_of(points, perplexity=perplexity, metric=metric, engine=engine)
    began = time.perf_counter()
    positions = initialize(
        start_key,
        initialization,
        points=points,
        graph=found.graph,
        count=len(points),
        dim=dim,
    )
    took = {"initialization": time.perf_counter() - began}
    fitted = optimize(
        base_key,
        found,
        positions,
        iterations=iterations,
        learning_rate=learning_rate,
        exaggeration=exaggeration,
        early_iterations=early_iterations,
        mesh=mesh,
        min_gradient_norm=min_gradient_norm,
        measure_every=measure_every,
        checkpoints=checkpoints,
        checkpoint_every=checkpoint_every,
        report=report,
        callback=callback,
        callback_every=callback_every,
    )
    return fitted._replace(seconds=found.seconds | took | fitted.seconds)


def optimize(
    key: jax.Array,
    found: Affinities,
    positions: jax.Array,
    *,
    iterations: int = 750,
    learning_rate: float | None = None,
    exaggeration: float = 12.0,
    early_iterations: int = 250,
    mesh: Mesh | None = FAST,
    min_gradient_norm: float = 0.0,
    measure_every: int = 50,
    checkpoints: Path | None = None,
    checkpoint_every: int = 0,
    report: Callable[[int, loop.Metrics, float], None] | None = None,
    callback: Callable[[int, np.ndarray], None] | None = None,
    callback_every: int = 50,
) -> Fitted:
    """Makes the map of given affinities, from given positions; the arguments are those of `fit`."""
    began = time.perf_counter()
    order = found.graph.order
    state = tsne.start(key, positions, found.graph)
    first_loss = float(state.opt_state.kl)
    if checkpoints is not None and (held := checkpoint.restore(checkpoints, state)) is not None:
        state = held.state
    phases = tsne.schedule(
        points=len(positions),
        early_iterations=early_iterations,
        exaggeration=exaggeration,
        learning_rate=learning_rate,
        measure_every=measure_every,
    )
    trace: list[tuple[int, float]] = []

    def in_order(params: jax.Array) -> np.ndarray:
        """Returns a map's positions in the order of the data."""
        embedding = np.empty(params.shape, np.float32)
        embedding[np.asarray(order)] = params
        return embedding

    def show(done: int, params: jax.Array) -> None:
        if callback is not None:
            callback(done, in_order(params))

    def note(done: int, metrics: loop.Metrics, seconds: float) -> None:
        begun = done - len(metrics["loss"])
        measured = np.flatnonzero(phases(begun, done).measure)
        trace.extend((begun + int(i), float(metrics["loss"][i])) for i in measured)
        if report is not None:
            report(done, metrics, seconds)

    call_steps = min(CALL_STEPS, iterations)
    call = steps_by_grid(found.graph, mesh=mesh, min_gradient_norm=min_gradient_norm)
    outcome = loop.train(
        state,
        call if callback is None else with_frames(call, show, every=callback_every),
        phases,
        steps=iterations,
        call_steps=call_steps,
        checkpoints=checkpoints,
        checkpoint_every=checkpoint_every,
        report=note,
        first_loss=first_loss,
    )
    state = outcome.state
    embedding = in_order(state.params)
    done, converged = int(state.step), int(state.opt_state.converged)
    # A step measures the KL of the map before it: one more tells the last map's.
    more = phases(done, done + call_steps)._replace(measure=np.ones(call_steps, bool))
    kl = float(np.asarray(call(state, more, 1)[1]["loss"])[0])
    if kl > 1.1 * first_loss:
        raise InputError(
            f"the map exploded: its KL is {kl:.3g}, {first_loss:.3g} with all points in one place, "
            f"with learning rate {more.learning_rate[0]:.3g}; a smaller one may help"
        )
    iterations, because = done, "iterations done"
    if outcome.stopped is not None:
        because = outcome.stopped.name
    elif converged >= 0:
        iterations, because = converged, f"gradient norm below {min_gradient_norm:g}"
    trace = [pair for pair in trace if pair[0] < iterations] + [(iterations, kl)]
    seconds = found.seconds | {"optimisation": time.perf_counter() - began}
    return Fitted(embedding, kl, np.array(trace), iterations, because, found, seconds)


def _check(**values: float | None) -> None:
    """Refuses what no run can use; written so that NaN fails."""
    limits = {
        "dim": (1, 3),
        "iterations": (1, 2**31 - 1),
        "learning_rate": (5e-324, 3e38),
        "exaggeration": (1, 1e6),
        "early_iterations": (0, 2**31 - 1),
        "jitter": (0, 1e6),
        "min_gradient_norm": (0, 3e38),
        "measure_every": (1, 2**31 - 1),
        "callback_every": (1, 2**31 - 1),
        "checkpoint_every": (0, 2**31 - 1),
    }
    for name, value in values.items():
        low, high = limits[name]
        if value is not None and not low <= value <= high:
            bounds = f"from {low:g} to {high:g}" if low != 5e-324 else "more than 0"
            raise InputError(f"{name} must be {bounds}, found {value}")
