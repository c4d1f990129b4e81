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
from jaxemb.methods.tsne.options import Grids
from jaxemb.methods.tsne.step import Phase, Rule
from jaxemb.projections import grid
from jaxemb.projections.affinities import Graph
from jaxemb.projections.grid import Mesh
from jaxemb.projections.repulsion import Repulsion, exact_repulsion, grid_repulsion
from jaxemb.training.state import TrainState

# Nodes of the largest grid: 4 GB for the transforms of a map.
_MOST_NODES = 2**27

Metrics = dict[str, jax.Array]
Call = Callable[[TrainState, Phase, int], tuple[TrainState, Metrics]]


class RepulsionPlan(NamedTuple):
    """How the repulsion of some maps is summed.

    Attributes:
      nodes: of the grid along each axis; 0 sums over all pairs.
      per_unit: of these, per unit of the map.
      above: it serves maps wider than this,
      up_to: and no wider than this.
    """

    nodes: int
    per_unit: float
    above: float
    up_to: float


ALL_PAIRS = RepulsionPlan(0, 0.0, -np.inf, np.inf)


def steps_by_grid(graph: Graph, *, mesh: Mesh | None, grids: Grids, rule: Rule) -> Call:
    """Returns the `call` of a training that runs steps of t-SNE.

    A step is run by the smallest grid that holds the map before it, or over all pairs where that
    is quicker. This depends on nothing but the state, so that a run cut anywhere runs the same
    steps with the same code.

    Args:
      graph: the joint probabilities.
      mesh: how fine grids are; None sums over all pairs exactly.
      grids: which there are.
      rule: of all steps.

    Returns:
      The call: (state, phases, how many of them) -> (state, metrics [phases]). The state is
      donated. It raises InputError if the map explodes. It compiles a program whenever a map
      first needs a grid of another size.
    """
    factors: dict[RepulsionPlan, jax.Array | None] = {}
    order = 0 if mesh is None else mesh.order

    def factor_of(plan: RepulsionPlan, dim: int) -> jax.Array | None:
        if plan not in factors:
            fine = Mesh(plan.per_unit, order)
            factors[plan] = (
                grid.influence(nodes=plan.nodes, dim=dim, mesh=fine) if plan.nodes else None
            )
        return factors[plan]

    def call(state: TrainState, phases: Phase, count: int) -> tuple[TrainState, Metrics]:
        points, dim = state.params.shape
        metrics = no_metrics(phases)
        span = float(np.ptp(np.asarray(state.params), axis=0).max())
        done = 0
        while done < count:
            _check_span(span, int(state.step), float(phases.learning_rate[done]), points, dim)
            plan = plan_for(span, points, dim, mesh, grids)
            state, metrics, now, wide = take_steps(
                state,
                metrics,
                graph,
                factor_of(plan, dim),
                limits(plan),
                phases,
                np.int32(done),
                np.int32(count),
                nodes=plan.nodes,
                order=order,
                rule=rule,
            )
            done, span = int(now), float(wide)
        return state, metrics

    return call


@functools.partial(jax.jit, static_argnames=("rule", "nodes", "order"), donate_argnums=(0, 1))
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
    rule: Rule,
    nodes: int = 0,
    order: int = 0,
) -> tuple[TrainState, Metrics, jax.Array, jax.Array]:
    """Runs steps while the map's width is in the plan's range.

    Args:
      state: where to start; donated, with the metrics.
      metrics: of the steps before, [phases] each.
      graph: the joint probabilities.
      factor: the influence function of the grid; None sums over all pairs.
      limits: of the plan.
      phases: the schedule's entries.
      done: how many of these were run before.
      stop: how many to run at most, with those.
      rule: of all steps.
      nodes: of the grid along each axis.
      order: of its splines.

    Returns:
      The state, the metrics, how many phases are done, and how wide the map is.
    """
    per_unit, above, up_to = limits

    def repel(positions: jax.Array) -> Repulsion:
        if factor is None:
            return exact_repulsion(positions)
        return grid_repulsion(positions, factor, nodes=nodes, mesh=Mesh(per_unit, order))

    update = tsne.update(graph, repel, rule)

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


def limits(plan: RepulsionPlan) -> tuple[np.float32, np.float32, np.float32]:
    """Returns nodes per unit, and the widths of the maps served, as compiled steps take them."""
    return np.float32(plan.per_unit), np.float32(plan.above), np.float32(plan.up_to)


def no_metrics(phases: Phase) -> Metrics:
    """Returns room for the metrics of the phases' steps."""
    most = len(phases.measure)
    return {name: jnp.zeros(most) for name in ("loss", "learning_rate", "gradient_norm")}


def _check_span(span: float, step: int, learning_rate: float, points: int, dim: int) -> None:
    """Refuses a map far wider than any whose points are about a unit apart."""
    if not span <= 200 + 20 * points ** (1 / dim):
        raise InputError(
            f"the map exploded: after {step} steps it is {span:.3g} units wide, with learning rate "
            f"{learning_rate:.3g}; a smaller one may help (N / exaggeration suits most data)"
        )


def plan_for(span: float, points: int, dim: int, mesh: Mesh | None, grids: Grids) -> RepulsionPlan:
    """Returns the quickest plan for a map.

    Args:
      span: its width.
      points: N.
      dim: d.
      mesh: how fine grids are; None sums over all pairs.
      grids: which there are.

    Raises:
      InputError: if the map is too wide for any grid.
    """
    if mesh is None:
        return ALL_PAIRS
    above, nodes = -np.inf, grids.smallest_grid[dim - 1]
    # A map that fits into a part of the smallest grid has finer nodes for the same price: while it
    # is less than a unit wide, its forces would be a sixth too small without.
    per_unit = mesh.per_unit * grids.early_fineness
    while True:
        padded = (2 * nodes) ** dim
        by_grid = grids.node_cost * padded + grids.touch_cost * points * mesh.order**dim
        if grids.pair_cost * points**2 < by_grid:
            return RepulsionPlan(0, 0.0, above, np.inf)
        held = float(np.float32(grid.capacity(nodes, Mesh(per_unit, mesh.order))))
        if span <= held:
            break
        if per_unit == mesh.per_unit:
            growth = 1.5 if padded >= grids.large_grid else grids.grid_growth[dim - 1]
            nodes = next_fast_len(int(nodes * growth), real=True)
        above, per_unit = held, mesh.per_unit
    if nodes**dim > _MOST_NODES:
        raise InputError(
            f"the map is {span:.3g} units wide, for which a grid in {dim} dimensions would need "
            f'{nodes**dim:,} nodes; take fewer points or dimensions, or repulsion "fast"'
        )
    return RepulsionPlan(nodes, per_unit, above, held)
