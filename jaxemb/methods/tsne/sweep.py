"""Many t-SNE maps of the same points in one call: over seeds, perplexities and learning rates."""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError
from jaxemb.memory import require_memory
from jaxemb.methods.tsne import step as tsne
from jaxemb.methods.tsne.affinities import affinities_of
from jaxemb.methods.tsne.programs import ALL_PAIRS, limits, no_metrics, take_steps
from jaxemb.methods.tsne.step import Phase
from jaxemb.projections.affinities import Graph
from jaxemb.projections.initialization import Initialization, initialize
from jaxemb.projections.neighbors import Engine, Metric
from jaxemb.projections.repulsion import exact_repulsion
from jaxemb.training.state import TrainState


class Sweep(NamedTuple):
    """Maps of the same points.

    Attributes:
      embeddings: [S, N, d] float32, in the order of the points.
      kl: [S] of each map, in nats, against its own affinities.
    """

    embeddings: np.ndarray
    kl: np.ndarray


def sweep(
    keys: Sequence[jax.Array],
    points: np.ndarray,
    *,
    perplexities: Sequence[float],
    learning_rates: Sequence[float | None],
    dim: int = 2,
    iterations: int = 750,
    exaggeration: float = 12.0,
    early_iterations: int = 250,
    initialization: Initialization | np.ndarray = "pca",
    metric: Metric = "squared_euclidean",
    engine: Engine = "auto",
    vmap: bool = False,
) -> Sweep:
    """Makes S maps, run by run the same bits as `training.tsne.fit` with `mesh=None`.

    The repulsion is summed over all pairs: for some thousands of points.

    Args:
      keys: S, of the runs.
      points: [N, D] float.
      perplexities: S, of the runs.
      learning_rates: S, of the runs; None takes N / exaggeration.
      dim: d of the maps.
      iterations: steps of each run.
      exaggeration: factor on the affinities in the early steps.
      early_iterations: how many those are.
      initialization: as in `fit`.
      metric: of the neighbors' distances.
      engine: of the search for neighbors.
      vmap: all runs at once, step by step, which suits accelerators. The bits are then not those
        of single runs: sums are taken in another order, and the early steps make small
        differences large. As good a map, but another one.

    Returns:
      The maps.

    Raises:
      InputError: if the three sequences differ in length, as in `fit`, or if a map explodes.
    """
    if not len(keys) == len(perplexities) == len(learning_rates) >= 1:
        raise InputError(
            f"a sweep needs as many keys as perplexities and learning rates, found {len(keys)}, "
            f"{len(perplexities)} and {len(learning_rates)}"
        )
    found = {
        value: affinities_of(points, perplexity=value, metric=metric, engine=engine)
        for value in set(perplexities)
    }
    rows = max(len(one.graph.owners) for one in found.values())
    require_memory(
        len(keys) * (rows * 68 + len(points) * dim * 4 * (8 if vmap else 2)),
        f"{len(keys)} maps of {len(points):,} points",
        "sweep over fewer at a time",
    )
    graphs, starts, schedules, first = [], [], [], []
    for key, perplexity, rate in zip(keys, perplexities, learning_rates, strict=True):
        graph = found[perplexity].graph
        _, start_key, base_key = jax.random.split(key, 3)
        positions = initialize(
            start_key, initialization, points=points, graph=graph, count=len(points), dim=dim
        )
        starts.append(tsne.start(base_key, positions, graph))
        first.append(float(starts[-1].opt_state.kl))
        graphs.append(_padded(graph, rows))
        phases = tsne.schedule(
            points=len(points),
            early_iterations=early_iterations,
            exaggeration=exaggeration,
            learning_rate=rate,
            measure_every=iterations + 1,
        )
        schedules.append(phases(0, iterations))
    runs = jax.tree.map(
        lambda *leaves: jnp.stack(leaves), *zip(graphs, starts, schedules, strict=True)
    )
    states, kl, _ = _run_all(runs, limits(ALL_PAIRS), np.int32(0), np.int32(iterations), vmap=vmap)
    for number, (one, all_in_one_place) in enumerate(zip(np.asarray(kl), first, strict=True)):
        if not one <= 1.1 * all_in_one_place:
            raise InputError(
                f"run {number} exploded: its KL is {one:.3g}; lower its learning rate, "
                f"{learning_rates[number]}"
            )
    maps = np.asarray(states.params)
    embeddings = np.empty_like(maps)
    for number, graph in enumerate(graphs):
        embeddings[number, np.asarray(graph.order)] = maps[number]
    return Sweep(embeddings, np.asarray(kl))


def _padded(graph: Graph, rows: int) -> Graph:
    """Adds empty rows to the last point, so that all graphs have as many."""
    spare = rows - len(graph.owners)
    last = len(graph.order) - 1
    return graph._replace(
        owners=jnp.pad(graph.owners, (0, spare), constant_values=last),
        neighbors=jnp.pad(graph.neighbors, ((0, spare), (0, 0)), constant_values=last),
        joint=jnp.pad(graph.joint, ((0, spare), (0, 0))),
    )


@functools.partial(jax.jit, static_argnames="vmap")
def _run_all(
    runs: tuple[Graph, TrainState, Phase],
    served: tuple[jax.Array, jax.Array, jax.Array],
    begin: jax.Array,
    end: jax.Array,
    *,
    vmap: bool,
) -> tuple[TrainState, jax.Array, Any]:
    """Returns the last states, their KL, and what single runs return beside.

    With nothing left out, the loop is compiled to the same code as theirs.
    """

    def one(run: tuple[Graph, TrainState, Phase]) -> tuple[TrainState, jax.Array, Any]:
        graph, state, phases = run
        metrics = no_metrics(phases)
        state, *rest = take_steps(state, metrics, graph, None, served, phases, begin, end)
        normalizer = exact_repulsion(state.params).normalizer
        return state, tsne.divergence(state.params, graph, normalizer), rest

    return jax.vmap(one)(runs) if vmap else jax.lax.map(one, runs)
