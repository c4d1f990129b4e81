"""t-SNE, one step at a time: attraction along the graph, repulsion by all, momentum and gains."""

import math
from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.projections.affinities import Graph
from jaxemb.projections.repulsion import Repulsion
from jaxemb.training.state import TrainState


class Rule(NamedTuple):
    """What every step does alike, whatever the schedule.

    Each coordinate's learning rate has a factor, its gain (Jacobs 1988), which changes by the
    numbers of the authors' code.

    Attributes:
      gain_increase: added to the gain where the gradient turns back.
      gain_decay: factor on the gain where it goes on.
      least_gain: the smallest.
      max_step_norm: length of a point's longest step. A point that lies on its neighbors' far side
        would otherwise jump back and forth, further each time, and be thrown out of the map.
      min_gradient_norm: a gradient shorter than this ends the run: further steps leave the
        positions alone. 0 never does.
    """

    gain_increase: float = 0.2
    gain_decay: float = 0.8
    least_gain: float = 0.01
    max_step_norm: float = 5.0
    min_gradient_norm: float = 0.0


class Phase(NamedTuple):
    """What is set for a step: the schedule's entry.

    Attributes:
      exaggeration: [] factor on all p_ij.
      momentum: [] share of the last step's velocity that is kept.
      learning_rate: [] factor of the gradient.
      measure: [] bool; whether the KL is measured before the step.
      may_stop: [] bool; whether a small gradient ends the run.
    """

    exaggeration: jax.Array | np.ndarray
    momentum: jax.Array | np.ndarray
    learning_rate: jax.Array | np.ndarray
    measure: jax.Array | np.ndarray
    may_stop: jax.Array | np.ndarray


class Descent(NamedTuple):
    """The optimizer's state.

    Attributes:
      velocity: [N, d] the last step.
      gains: [N, d] factor of each coordinate's learning rate.
      kl: [] as last measured, in nats.
      converged: [] int32, the step before which the gradient was small enough; -1 if none was.
    """

    velocity: jax.Array
    gains: jax.Array
    kl: jax.Array
    converged: jax.Array


def schedule(
    *,
    points: int,
    early_iterations: int,
    exaggeration: float,
    learning_rate: float | None,
    measure_every: int,
    early_momentum: float = 0.5,
    momentum: float = 0.8,
) -> Callable[[int, int], Phase]:
    """Returns the usual schedule: exaggerated and hesitant at first, then plain and swift.

    Args:
      points: N.
      early_iterations: steps of the first part.
      exaggeration: of the first part; later it is 1.
      learning_rate: of both parts; None: N / exaggeration.
      measure_every: steps from one measurement of the KL to the next.
      early_momentum: of the first part.
      momentum: of later steps.

    Returns:
      The function: (start, stop) -> the entries of these steps, stacked.

    Reference:
      van der Maaten 2014, JMLR 15, section 5.1; the learning rate is that of Belkina et al. 2019,
      Nature Communications 10.
    """

    def entries(start: int, stop: int) -> Phase:
        steps = np.arange(start, stop)
        early = steps < early_iterations
        factor = np.where(early, exaggeration, 1.0)
        rate = points / factor if learning_rate is None else np.full(len(steps), learning_rate)
        return Phase(
            factor.astype(np.float32),
            np.where(early, early_momentum, momentum).astype(np.float32),
            rate.astype(np.float32),
            steps % measure_every == 0,
            ~early,
        )

    return entries


@jax.jit  # a single program: one for each operation took a tenth of a second more to compile
def start(key: jax.Array, positions: jax.Array, graph: Graph) -> TrainState:
    """Returns the state before the first step.

    Args:
      key: random key, kept in the state; no step draws anything.
      positions: [N, d] where the points begin, close together, in the order of the data.
      graph: of the points.

    Returns:
      The state; its parameters are the positions in the order of the graph. The KL is that of
      points all in one place.
    """
    positions = positions[graph.order]
    count = jnp.float32(len(positions))
    together = graph.plogp + jnp.log(count) + jnp.log(count - 1)
    descent = Descent(jnp.zeros_like(positions), jnp.ones_like(positions), together, jnp.int32(-1))
    return TrainState(jnp.zeros((), jnp.int32), key, positions, descent)


def update(
    graph: Graph,
    repel: Callable[[jax.Array], Repulsion],
    rule: Rule,
) -> Callable[[TrainState, Phase], tuple[TrainState, dict[str, jax.Array]]]:
    """Returns the function that takes a step.

    Args:
      graph: the joint probabilities.
      repel: positions -> their repulsion.
      rule: of all steps.

    Returns:
      The function: (state, the schedule's entry) -> (the next state, metrics: "loss", the KL as
      last measured, in nats; "learning_rate"; "gradient_norm").

    Reference:
      van der Maaten & Hinton 2008, JMLR 9, eq. 5 and algorithm 1; the longest step is openTSNE's.
    """

    def take(state: TrainState, phase: Phase) -> tuple[TrainState, dict[str, jax.Array]]:
        positions, descent = state.params, state.opt_state
        repulsion = repel(positions)
        kl = jax.lax.cond(
            phase.measure,
            lambda: divergence(positions, graph, repulsion.normalizer),
            lambda: descent.kl,
        )
        attraction = phase.exaggeration * attract(positions, graph)
        gradient = 4 * (attraction - repulsion.force / repulsion.normalizer)
        # Computed once, and rounded alike in whatever program this is compiled into.
        gradient = jax.lax.optimization_barrier(gradient)
        norm = jnp.sqrt(jnp.sum(gradient * gradient))
        agrees = jnp.sign(gradient) == jnp.sign(descent.velocity)
        factors = jnp.where(
            agrees, descent.gains * rule.gain_decay, descent.gains + rule.gain_increase
        )
        factors = jnp.maximum(factors, rule.least_gain)
        step = phase.learning_rate * factors * gradient
        velocity = phase.momentum * descent.velocity - step
        if rule.max_step_norm < math.inf:
            velocity = shorten(velocity, rule.max_step_norm)
        moved = positions + velocity
        # Forces leave the mean alone but for rounding, which would add up.
        moved -= jnp.mean(moved, axis=0, keepdims=True)
        converged = descent.converged
        if rule.min_gradient_norm > 0:
            small = phase.may_stop & (norm < rule.min_gradient_norm) & (converged < 0)
            converged = jnp.where(small, state.step, converged)
            moved, velocity, factors = jax.tree.map(
                lambda new, old: jnp.where(converged < 0, new, old),
                (moved, velocity, factors),
                (positions, descent.velocity, descent.gains),
            )
        following = TrainState(
            state.step + 1, state.key, moved, Descent(velocity, factors, kl, converged)
        )
        metrics = {"loss": kl, "learning_rate": phase.learning_rate, "gradient_norm": norm}
        return following, metrics

    return take


def shorten(steps: jax.Array, longest: float) -> jax.Array:
    """Shortens the steps that are longer than they may be; their directions stay.

    Args:
      steps: [N, d] finite.
      longest: the length allowed.

    Returns:
      [N, d].
    """
    # Relative to their size, squares don't overflow. Each part is rounded alike in whatever
    # program this is compiled into: products and sums would be fused in one and not in another.
    steps = jax.lax.optimization_barrier(steps)
    size = jnp.maximum(jnp.max(jnp.abs(steps), axis=1, keepdims=True), longest)
    squares = jax.lax.optimization_barrier(jnp.square(steps / size))
    share = longest / size / jnp.sqrt(jnp.sum(squares, axis=1, keepdims=True))
    return steps * jax.lax.optimization_barrier(jnp.minimum(share, 1))


def attract(positions: jax.Array, graph: Graph) -> jax.Array:
    """Sums each point's attraction to its neighbors.

    Args:
      positions: [N, d].
      graph: the joint probabilities.

    Returns:
      [N, d] sum over j of p_ij (y_i - y_j) / (1 + |y_i - y_j|^2).
    """
    apart, similarity = _along(positions, graph)
    weights = graph.joint * similarity
    sums = [
        jax.ops.segment_sum(
            jnp.sum(weights * part, axis=1),
            graph.owners,
            num_segments=len(positions),
            indices_are_sorted=True,
        )
        for part in apart
    ]
    return _unpaired(sums, positions.shape[1])


def divergence(positions: jax.Array, graph: Graph, normalizer: jax.Array) -> jax.Array:
    """Returns the KL of `losses.tsne_kl` over the graph's pairs, those with a p_ij.

    Args:
      positions: [N, d].
      graph: the joint probabilities.
      normalizer: [] Z of these positions.

    Returns:
      [] in nats.
    """
    _, similarity = _along(positions, graph)
    costs = graph.joint * -jnp.log(similarity)
    # Summed as complex numbers: of real ones XLA would hold all edges' terms at once.
    by_row = jnp.sum(jax.lax.complex(costs, costs), axis=1)
    return graph.plogp + jnp.sum(jax.lax.optimization_barrier(by_row).real) + jnp.log(normalizer)


def _along(positions: jax.Array, graph: Graph) -> tuple[list[jax.Array], jax.Array]:
    """Returns differences, in paired coordinates, and similarities along the graph, [R, 8]."""
    chex.assert_rank(positions, 2)
    chex.assert_equal_shape([graph.neighbors, graph.joint])
    columns = _paired(positions)
    apart = [_at(part, graph.owners)[:, None] - _at(part, graph.neighbors) for part in columns]
    similarity = jnp.ones(graph.joint.shape, positions.dtype)
    for part in apart:
        similarity += jnp.square(part.real) + jnp.square(part.imag)
    return apart, 1 / similarity


def _paired(positions: jax.Array) -> list[jax.Array]:
    """Returns [N] columns, two coordinates to a complex number: one gather serves both."""
    columns = list(positions.T)
    pairs: list[jax.Array] = [
        jax.lax.complex(*columns[i : i + 2]) for i in range(0, len(columns) - 1, 2)
    ]
    return pairs + columns[2 * len(pairs) :]


def _unpaired(columns: list[jax.Array], dim: int) -> jax.Array:
    parts = [part for column in columns for part in (column.real, jnp.imag(column))]
    return jnp.stack(parts[:dim], axis=1)


def _at(column: jax.Array, ids: jax.Array) -> jax.Array:
    """Gathers entries of a column; the ids are known to be in it, and checking takes time."""
    numbers = jax.lax.GatherDimensionNumbers((), (0,), (0,))
    return jax.lax.gather(column, ids[..., None], numbers, (1,), mode="promise_in_bounds")
