"""New points in a finished t-SNE map, which stays as it is."""

import functools
from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.checks import as_options, as_points
from jaxemb.errors import InputError
from jaxemb.methods.tsne.fit import Fitted
from jaxemb.methods.tsne.options import TransformOptions
from jaxemb.projections import grid
from jaxemb.projections.affinities import by_perplexity
from jaxemb.projections.grid import Mesh
from jaxemb.projections.neighbors import neighbors_among

# Where none is asked for.
_PERPLEXITY = 5.0


def transform(
    fitted: Fitted, new_points: Any, options: TransformOptions | None = None
) -> np.ndarray:
    """Places new points in a finished map.

    Each new point i has its own objective, KL(P_i || Q_i) of p_j|i and of q_j|i, the similarity
    (1 + |y_i - y_j|^2)^-1 to point j of the map over its sum. It begins at the median of its
    neighbors and goes down; new points don't see one another, so that each lands where it would
    alone.

    Args:
      fitted: N points of D numbers in d dimensions. Distances to them are by the map's metric.
      new_points: [M, D] real numbers; with the metric "precomputed" their distances [M, N] to the
        points of the map.
      options: of the descent.

    Returns:
      [M, d] float32.

    Raises:
      InputError: if an argument is outside its documented range, or the map is too wide for a grid.

    Reference:
      Policar, Strazar & Zupan 2021, "Embedding to reference t-SNE space", Machine Learning.
    """
    options = as_options(options, TransformOptions)
    points = as_points(new_points, at_least=1, name="new_points")
    embedding, references = fitted.embedding, fitted.points
    count, dim = embedding.shape
    perplexity = options.perplexity
    if perplexity is None:
        perplexity = min(_PERPLEXITY, count / 3)
    if perplexity > count / 3:
        raise InputError(
            f"perplexity must be from 1 to a third of the {count} points of the map, found "
            f"{perplexity:g}"
        )
    k = min(count, int(options.neighbors_per_perplexity * perplexity))
    near = neighbors_among(references, points, k=k, metric=fitted.options.metric)
    p = by_perplexity(jnp.asarray(near.distances), perplexity=perplexity).p
    mesh, margin = options.mesh, options.margin
    low = embedding.min(axis=0) - margin
    span = float(np.max(embedding.max(axis=0) + margin - low))
    nodes = grid.nodes_for(span, mesh)
    if nodes**dim > 2**27:
        raise InputError(f"the map spans {span:.3g} units, too many for a grid")
    table = jnp.asarray(embedding, jnp.float32)
    corner = jnp.asarray(low, jnp.float32)
    factor = grid.influence(nodes=nodes, dim=dim, mesh=mesh)
    potential = _potential(table, corner, factor, nodes=nodes, mesh=mesh)
    placed = _descend(
        table[near.ids],  # [M, k, d]
        p,
        potential,
        corner,
        jnp.float32(options.learning_rate),
        options.iterations,
        momentum=options.momentum,
        mesh=mesh,
    )
    return np.asarray(placed)


@functools.partial(jax.jit, static_argnames=("nodes", "mesh"))
def _potential(
    table: jax.Array, corner: jax.Array, factor: jax.Array, *, nodes: int, mesh: Mesh
) -> jax.Array:
    return grid.potential(table, corner, factor, nodes=nodes, mesh=mesh)


@functools.partial(jax.jit, static_argnames=("momentum", "mesh"))
def _descend(
    seen: jax.Array,
    p: jax.Array,
    potential: jax.Array,
    corner: jax.Array,
    learning_rate: jax.Array,
    iterations: jax.Array | int,
    *,
    momentum: float,
    mesh: Mesh,
) -> jax.Array:
    chex.assert_equal_shape_prefix([seen, p], 2)

    def step(_: int, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        positions, velocity = carry
        apart = positions[:, None] - seen
        weights = p / (1 + jnp.sum(apart * apart, axis=-1))
        attraction = jnp.sum(weights[..., None] * apart, axis=1)
        normalizer, slope = grid.read(positions, corner, potential, mesh=mesh)
        # The gradient of the logarithm of each point's normalizer.
        gradient = 2 * attraction + slope / normalizer[:, None]
        velocity = momentum * velocity - learning_rate * gradient
        return positions + velocity, velocity

    start = jnp.median(seen, axis=1)
    return jax.lax.fori_loop(0, iterations, step, (start, jnp.zeros_like(start)))[0]
