"""Many t-SNE maps of the same points in one call: over seeds, perplexities and learning rates."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.memory import require_memory
from jaxemb.methods.tsne import step as tsne
from jaxemb.methods.tsne.affinities import Affinities, affinities_for
from jaxemb.methods.tsne.fit import first_positions, phases_for
from jaxemb.methods.tsne.options import Options
from jaxemb.methods.tsne.programs import ALL_PAIRS, limits, no_metrics, take_steps
from jaxemb.methods.tsne.step import Phase, Rule
from jaxemb.projections.affinities import Graph
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
    keys: Sequence[jax.Array | int],
    points: Any,
    options: Options | None = None,
    *,
    positions: Any = None,
    perplexities: Sequence[float | tuple[float, ...] | None] | None = None,
    learning_rates: Sequence[float | None] | None = None,
    vmap: bool = False,
) -> Sweep:
    """Makes S maps of the same points, run by run the same bits as `fit`.

    Args:
      keys: S random keys, or seeds, one for each run.
      points: [N, D] real numbers, some thousands at most: all pairs are summed.
      options: of all runs; `repulsion` must be "exact". None: the defaults, with that.
      positions: [N, d] where the points of all maps begin, as in `fit`.
      perplexities: S, of the runs. None: that of the options.
      learning_rates: S, of the runs; None among them is N / exaggeration. None: that of the
        options.
      vmap: all runs at once, step by step, which suits accelerators. The bits are then not those
        of single runs: sums are computed in another order, and the early steps make small
        differences large. As good a map, but another one.

    Returns:
      The maps.

    Raises:
      InputError: if the three sequences differ in length, as in `fit`, or if a map explodes.
    """
    options = Options(repulsion="exact") if options is None else checks.as_options(options, Options)
    if options.repulsion != "exact":
        raise InputError(f'repulsion must be "exact" in a sweep, found {options.repulsion!r}')
    seen = [options.perplexity] * len(keys) if perplexities is None else perplexities
    rates = [options.learning_rate] * len(keys) if learning_rates is None else learning_rates
    if not len(keys) == len(seen) == len(rates) >= 1:
        raise InputError(
            f"a sweep needs as many keys as perplexities and learning rates, found {len(keys)}, "
            f"{len(seen)} and {len(rates)}"
        )
    settings = [
        dataclasses.replace(options, perplexity=perplexity, learning_rate=rate)
        for perplexity, rate in zip(seen, rates, strict=True)
    ]
    points = checks.as_points(points)
    split = [jax.random.split(checks.as_key(key), 3) for key in keys]
    known: dict[Any, Affinities] = {}
    found = []
    for number, setting in enumerate(settings):
        name = (setting.perplexity, number if setting.jitter else None)
        if name not in known:
            known[name] = affinities_for(split[number][0], points, setting)
        found.append(known[name])
    rows = max(len(one.graph.owners) for one in found)
    require_memory(
        len(keys) * (rows * 68 + len(points) * options.dim * 4 * (8 if vmap else 2)),
        f"{len(keys)} maps of {len(points):,} points",
        "sweep over fewer at a time",
    )
    runs = [
        (_padded(shown.graph, rows), *_start(key[1], key[2], shown, one, positions))
        for key, shown, one in zip(split, found, settings, strict=True)
    ]
    together = [float(state.opt_state.kl) for _, state, _ in runs]
    states, kl, _ = _run_all(
        jax.tree.map(lambda *leaves: jnp.stack(leaves), *runs),
        limits(ALL_PAIRS),
        np.int32(0),
        np.int32(options.iterations),
        rule=options.rule,
        vmap=vmap,
    )
    for number, (one_kl, limit) in enumerate(zip(np.asarray(kl), together, strict=True)):
        if not one_kl <= 1.1 * limit:
            raise InputError(
                f"run {number} exploded: its KL is {one_kl:.3g}; lower its learning rate, "
                f"{rates[number]}"
            )
    maps = np.asarray(states.params)
    embeddings = np.empty_like(maps)
    for number, one in enumerate(found):
        embeddings[number, np.asarray(one.graph.order)] = maps[number]
    return Sweep(embeddings, np.asarray(kl))


def _start(
    start_key: jax.Array,
    base_key: jax.Array,
    found: Affinities,
    options: Options,
    positions: Any,
) -> tuple[TrainState, Phase]:
    """Returns a run's first state and its schedule, in which nothing is measured on the way."""
    placed = first_positions(start_key, found, options, positions)
    unmeasured = dataclasses.replace(options, measure_every=options.iterations)
    phases = phases_for(unmeasured, len(placed))(0, options.iterations)
    return tsne.start(base_key, placed, found.graph), phases


def _padded(graph: Graph, rows: int) -> Graph:
    """Adds empty rows to the last point, so that all graphs have as many."""
    spare = rows - len(graph.owners)
    last = len(graph.order) - 1
    return graph._replace(
        owners=jnp.pad(graph.owners, (0, spare), constant_values=last),
        neighbors=jnp.pad(graph.neighbors, ((0, spare), (0, 0)), constant_values=last),
        joint=jnp.pad(graph.joint, ((0, spare), (0, 0))),
    )


@functools.partial(jax.jit, static_argnames=("rule", "vmap"))
def _run_all(
    runs: tuple[Graph, TrainState, Phase],
    served: tuple[jax.Array, jax.Array, jax.Array],
    begin: jax.Array,
    end: jax.Array,
    *,
    rule: Rule,
    vmap: bool,
) -> tuple[TrainState, jax.Array, Any]:
    """Returns the last states, their KL, and what single runs return beside.

    With nothing left out, the loop is compiled to the same code as theirs.
    """

    def one(run: tuple[Graph, TrainState, Phase]) -> tuple[TrainState, jax.Array, Any]:
        graph, state, phases = run
        metrics = no_metrics(phases)
        state, *rest = take_steps(
            state,
            metrics,
            graph,
            None,
            served,
            phases,
            begin,
            end,
            rule=rule,
        )
        normalizer = exact_repulsion(state.params).normalizer
        return state, tsne.divergence(state.params, graph, normalizer), rest

    return jax.vmap(one)(runs) if vmap else jax.lax.map(one, runs)
