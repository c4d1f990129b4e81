"""The compiled steps of t-SNE: a program for each size of grid, taken as the map grows."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.fft import next_fast_len

from jaxemb.errors import InputError
from jaxemb.methods.tsne import step as tsne
from jaxemb.methods.tsne.step import Phase
from jaxemb.projections import grid
from jaxemb.projections.affinities import Graph
from jaxemb.projections.grid import Mesh
from jaxemb.projections.repulsion import Repulsion, exact_repulsion, grid_repulsion
from jaxemb.training.state import TrainState

# Nodes along an axis of the smallest grid, and how much larger the next one is, for maps of one,
# two and three dimensions: finer steps would save less than their compilation takes. In two, the
# smallest holds maps of a few thousand points to the end.
_SMALLEST, _GROWTH = (0, 1024, 270, 32), (0, 4.0, 512 / 270, 1.5)
# From this many padded nodes on the next grid is 1.5 times as large: their transforms take longer
# than a compilation.
_MANY = 2**20
# How much finer the nodes of the smallest grid are while the map is small.
_FINER = 8
# What a pair, a node of the padded grid, and a node that a point touches cost, in nanoseconds.
_PAIR, _NODE, _TOUCH = 1.0, 5.0, 6.0
# Nodes of the largest grid: 4 GB for the transforms of a map.
_MOST_NODES = 2**27

Metrics = dict[str, jax.Array]
Call = Callable[[TrainState, Phase, int], tuple[TrainState, Metrics]]


class Way(NamedTuple):
    """How the repulsion of some maps is summed.

    Attributes:
      nodes: of the grid along each axis; 0 sums over all pairs.
      per_unit: of these, per unit of the map.
      above: maps wider than this,
      up_to: and no wider than this.
    """

    nodes: int
    per_unit: float
    above: float
    up_to: float


ALL_PAIRS = Way(0, 0.0, -np.inf, np.inf)


def steps_by_grid(graph: Graph, *, mesh: Mesh | None, min_gradient_norm: float = 0.0) -> Call:
    """Returns the call of `training.loop.train` that takes steps of t-SNE.

    A step is taken by the smallest grid that holds the map before it, or over all pairs where that
    is quicker. This depends on nothing but the state, so that a run cut anywhere takes the same
    steps with the same code.

    Args:
      graph: the joint probabilities.
      mesh: how fine grids are; None sums over all pairs exactly.
      min_gradient_norm: as in `projections.tsne.update`.

    Returns:
      The call: (state, phases, how many of them) -> (state, metrics [phases]). The state is
      donated. It raises InputError if the map explodes. It compiles a program whenever a map
      first needs a grid of another size.
    """
    factors: dict[Way, jax.Array | None] = {}
    order = 0 if mesh is None else mesh.order

    def factor_of(way: Way, dim: int) -> jax.Array | None:
        if way not in factors:
            fine = Mesh(way.per_unit, order)
            factors[way] = (
                grid.influence(nodes=way.nodes, dim=dim, mesh=fine) if way.nodes else None
            )
        return factors[way]

    def call(state: TrainState, phases: Phase, count: int) -> tuple[TrainState, Metrics]:
        points, dim = state.params.shape
        metrics = no_metrics(phases)
        span = float(np.ptp(np.asarray(state.params), axis=0).max())
        done = 0
        while done < count:
            _check_span(span, int(state.step), float(phases.learning_rate[done]), points, dim)
            way = _way(span, points, dim, mesh)
            state, metrics, now, wide = take_steps(
                state,
                metrics,
                graph,
                factor_of(way, dim),
                limits(way),
                phases,
                np.int32(done),
                np.int32(count),
                nodes=way.nodes,
                order=order,
                min_gradient_norm=min_gradient_norm,
            )
            done, span = int(now), float(wide)
        return state, metrics

    return call


def with_frames(call: Call, callback: Callable[[int, jax.Array], None], *, every: int) -> Call:
    """Returns a call that shows the map between steps, and takes the same ones.

    Args:
      call: from `steps_by_grid`.
      callback: called with (steps done, [N, d] positions), which it must not keep.
      every: steps from one to the next.
    """

    def framed(state: TrainState, phases: Phase, count: int) -> tuple[TrainState, Metrics]:
        before, done = int(state.step), 0
        parts: list[Metrics] = []
        while done < count:
            taken = min(count - done, every - (before + done) % every)
            rest = jax.tree.map(lambda leaf, done=done: np.roll(leaf, -done), phases)
            state, metrics = call(state, rest, taken)
            parts.append({name: values[:taken] for name, values in metrics.items()})
            done += taken
            if (before + done) % every == 0:
                callback(before + done, state.params)
        return state, {name: jnp.concatenate([p[name] for p in parts]) for name in parts[0]}

    return framed


@functools.partial(
    jax.jit, static_argnames=("nodes", "order", "min_gradient_norm"), donate_argnums=(0, 1)
)
def take_steps(
    state: TrainState,
    metrics: Metrics,
    graph: Graph,
    factor: jax.Array | None,
    limits: tuple[Any, Any, Any],
    phases: Phase,
    done: jax.Array,
    stop: jax.Array,
    *,
    nodes: int = 0,
    order: int = 0,
    min_gradient_norm: float = 0.0,
) -> tuple[TrainState, Metrics, jax.Array, jax.Array]:
    """Takes steps while the map is one of those that a way serves.

    Args:
      state: where to start; donated, with the metrics.
      metrics: of the steps before, [phases] each.
      graph: the joint probabilities.
      factor: the influence function of the grid; None sums over all pairs.
      limits: of the way.
      phases: the schedule's entries.
      done: of these, how many were taken before.
      stop: how many to take at most, with those.
      nodes: of the grid along each axis.
      order: of its splines.
      min_gradient_norm: as in `projections.tsne.update`.

    Returns:
      The state, the metrics, how many phases are done, and how wide the map is.
    """
    per_unit, above, up_to = limits

    def repel(positions: jax.Array) -> Repulsion:
        if factor is None:
            return exact_repulsion(positions)
        return grid_repulsion(positions, factor, nodes=nodes, mesh=Mesh(per_unit, order))

    update = tsne.update(graph, repel, min_gradient_norm=min_gradient_norm)

    def span(state: TrainState) -> jax.Array:
        return jnp.max(jnp.max(state.params, axis=0) - jnp.min(state.params, axis=0))

    def fits(carry: tuple[Any, ...]) -> jax.Array:
        return (carry[2] < stop) & (carry[3] > above) & (carry[3] <= up_to)

    def take(carry: tuple[Any, ...]) -> tuple[Any, ...]:
        state, metrics, i, _ = carry
        state, new = update(state, jax.tree.map(lambda leaf: leaf[i], phases))
        metrics = jax.tree.map(lambda all, one: all.at[i].set(one), metrics, new)
        return state, metrics, i + 1, span(state)

    return jax.lax.while_loop(fits, take, (state, metrics, done, span(state)))


def limits(way: Way) -> tuple[np.float32, np.float32, np.float32]:
    """Returns nodes per unit, and the widths of the maps served, as compiled steps take them."""
    return np.float32(way.per_unit), np.float32(way.above), np.float32(way.up_to)


def no_metrics(phases: Phase) -> Metrics:
    """Returns room for the metrics of the phases' steps."""
    most = len(phases.measure)
    return {name: jnp.zeros(most) for name in ("loss", "learning_rate", "gradient_norm")}


def _check_span(span: float, step: int, learning_rate: float, points: int, dim: int) -> None:
    """Refuses a map that no map in order is as wide as: its points are about a unit apart."""
    if not span <= 200 + 20 * points ** (1 / dim):
        raise InputError(
            f"the map exploded: after {step} steps it is {span:.3g} units wide, with learning rate "
            f"{learning_rate:.3g}; a smaller one may help (N / exaggeration suits most data)"
        )


def _way(span: float, points: int, dim: int, mesh: Mesh | None) -> Way:
    """Returns the quickest way for a map of so many points that is so wide."""
    if mesh is None:
        return ALL_PAIRS
    above, nodes = -np.inf, _SMALLEST[dim]
    # A map that fits into a part of the smallest grid has finer nodes for the same price: while it
    # is less than a unit wide, its forces would be a sixth too small without.
    per_unit = mesh.per_unit * _FINER
    while True:
        by_grid = _NODE * (2 * nodes) ** dim + _TOUCH * points * mesh.order**dim
        if _PAIR * points**2 < by_grid:
            return Way(0, 0.0, above, np.inf)
        held = float(np.float32(grid.capacity(nodes, Mesh(per_unit, mesh.order))))
        if span <= held:
            break
        if per_unit == mesh.per_unit:
            growth = 1.5 if (2 * nodes) ** dim >= _MANY else _GROWTH[dim]
            nodes = next_fast_len(int(nodes * growth), real=True)
        above, per_unit = held, mesh.per_unit
    if nodes**dim > _MOST_NODES:
        raise InputError(
            f"the map is {span:.3g} units wide, for which a grid in {dim} dimensions would need "
            f"{nodes**dim:,} nodes; take fewer points or dimensions, or a coarser mesh"
        )
    return Way(nodes, per_unit, above, held)
