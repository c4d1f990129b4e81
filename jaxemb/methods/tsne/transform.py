"""New points in a finished t-SNE map, which stays as it is."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.checks import check_points
from jaxemb.errors import InputError
from jaxemb.projections import grid
from jaxemb.projections.affinities import by_perplexity
from jaxemb.projections.grid import Mesh
from jaxemb.projections.neighbors import Metric, neighbors_among
from jaxemb.projections.repulsion import FAST

# Units around the map in which new points may lie.
_MARGIN = 10.0
_MOMENTUM = 0.8


def transform(
    embedding: np.ndarray,
    references: np.ndarray,
    points: np.ndarray,
    *,
    perplexity: float = 5.0,
    iterations: int = 250,
    learning_rate: float = 0.1,
    metric: Metric = "squared_euclidean",
    mesh: Mesh = FAST,
) -> np.ndarray:
    """Places new points in a finished map.

    Each new point i has its own objective, KL(P_i || Q_i) of p_j|i and of q_j|i, the similarity
    (1 + |y_i - y_j|^2)^-1 to reference j over its sum. It begins at the median of its neighbors
    and goes down; new points don't see one another, so that each lands where it would alone.

    Args:
      embedding: [N, d] float, the map.
      references: [N, D] float, the points that it shows.
      points: [M, D] the new points.
      perplexity: how many references a point sees, from 1 to N / 3; fewer than in the map's
        making keep it from landing between clusters.
      iterations: steps of gradient descent, with momentum 0.8.
      learning_rate: of the descent, at most 0.5.
      metric: of the distances.
      mesh: how fine the repulsion's grid is.

    Returns:
      [M, d] float32.

    Raises:
      InputError: if an argument is none of the above, or the map is too wide for a grid.

    Reference:
      Policar, Strazar & Zupan 2021, "Embedding to reference t-SNE space", Machine Learning.
    """
    check_points(references, name="references")
    check_points(embedding, name="embedding")
    count, dim = embedding.shape
    if count != len(references) or dim > 3:
        raise InputError(
            f"embedding must have a row for each of {len(references)} references and at most 3 "
            f"columns, found {embedding.shape}"
        )
    if not 1 <= perplexity <= count / 3:
        raise InputError(
            f"perplexity must be from 1 to a third of the {count} references, found {perplexity:g}"
        )
    if not 0 < learning_rate <= 0.5:
        raise InputError(f"learning_rate must be more than 0 and at most 0.5: {learning_rate}")
    near = neighbors_among(references, points, k=int(3 * perplexity), metric=metric)
    p = by_perplexity(jnp.asarray(near.distances), perplexity=perplexity).p
    low = embedding.min(axis=0) - _MARGIN
    span = float(np.max(embedding.max(axis=0) + _MARGIN - low))
    nodes = grid.nodes_for(span, mesh)
    if nodes**dim > 2**27:
        raise InputError(f"embedding spans {span:.3g} units, too many for a grid; is it t-SNE's?")
    table = jnp.asarray(embedding, jnp.float32)
    corner = jnp.asarray(low, jnp.float32)
    factor = grid.influence(nodes=nodes, dim=dim, mesh=mesh)
    potential = _potential(table, corner, factor, nodes=nodes, mesh=mesh)
    seen = table[near.ids]  # [M, k, d]
    placed = _descend(
        seen,
        p,
        potential,
        corner,
        jnp.float32(learning_rate),
        iterations,
        mesh=mesh,
    )
    return np.asarray(placed)


@functools.partial(jax.jit, static_argnames=("nodes", "mesh"))
def _potential(
    table: jax.Array, corner: jax.Array, factor: jax.Array, *, nodes: int, mesh: Mesh
) -> jax.Array:
    return grid.potential(table, corner, factor, nodes=nodes, mesh=mesh)


@functools.partial(jax.jit, static_argnames="mesh")
def _descend(
    seen: jax.Array,
    p: jax.Array,
    potential: jax.Array,
    corner: jax.Array,
    learning_rate: jax.Array,
    iterations: jax.Array | int,
    *,
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
        velocity = _MOMENTUM * velocity - learning_rate * gradient
        return positions + velocity, velocity

    start = jnp.median(seen, axis=1)
    return jax.lax.fori_loop(0, iterations, step, (start, jnp.zeros_like(start)))[0]
