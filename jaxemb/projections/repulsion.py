"""The repulsion of t-SNE between all points of a map, exactly or on a grid.

All of it follows from one potential, phi(y) = sum_j 1 / (1 + |y - y_j|^2): its sum over the points
normalizes q_ij, and its gradient is -2 sum_j (y - y_j) / (1 + |y - y_j|^2)^2. FIt-SNE (Linderman et
al. 2019, Nature Methods 16) interpolates four sums instead.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from jaxemb.projections import grid
from jaxemb.projections.grid import Mesh
from jaxemb.projections.grid import influence as influence
from jaxemb.projections.grid import nodes_for as nodes_for

# Pairs of points in a block: half a megabyte, which stays in the cache.
_AT_A_TIME = 2**17
# Relative error of the force below 3e-2, and below 1e-3.
FAST, ACCURATE = Mesh(2.2, 4), Mesh(3.5, 6)


class Repulsion(NamedTuple):
    """The repulsion between a map's points.

    Attributes:
      force: [N, d] sum over j of (y_i - y_j) / (1 + |y_i - y_j|^2)^2.
      normalizer: [] Z, the sum of 1 / (1 + |y_i - y_j|^2) over ordered pairs of different points.
    """

    force: jax.Array
    normalizer: jax.Array


def exact_repulsion(positions: jax.Array) -> Repulsion:
    """Sums over all pairs, in blocks of points.

    Args:
      positions: [N, d] the map.

    Returns:
      The repulsion.

    Raises:
      AssertionError: while tracing, if `positions` is no matrix.
    """
    chex.assert_rank(positions, 2)
    rows, dim = positions.shape
    columns = positions.T

    def on(point: jax.Array) -> tuple[jax.Array, jax.Array]:
        apart = [point[axis] - columns[axis] for axis in range(dim)]
        similarity = 1 / (1 + sum(part * part for part in apart))
        squared = similarity * similarity
        return jnp.stack([jnp.sum(squared * part) for part in apart]), jnp.sum(similarity)

    tile = max(1, min(rows, _AT_A_TIME // rows))
    force, similarity = jax.lax.map(on, positions, batch_size=tile)
    # Each point's similarity to itself is 1.
    return Repulsion(force, jnp.sum(similarity - 1))


def grid_repulsion(
    positions: jax.Array, influence: jax.Array, *, nodes: int, mesh: Mesh
) -> Repulsion:
    """Approximates the sums over all pairs on a grid.

    Args:
      positions: [N, d] the map, within `capacity(nodes, mesh)` along each axis.
      influence: of the same grid.
      nodes: G along each axis.
      mesh: how fine they lie.

    Returns:
      The repulsion, approximately.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    rows, dim = positions.shape
    chex.assert_shape(influence, (nodes + 1,) + (2 * nodes,) * (dim - 1))
    splines = grid.touch(positions, jnp.min(positions, axis=0), mesh=mesh)
    charges = grid.spread(splines, nodes=nodes)
    potential = grid.convolve(charges, influence)
    # A charge's potential on itself is near 1, its similarity to itself.
    normalizer = jnp.sum(charges * potential) - rows
    slope = grid.read_touched(splines, potential, mesh=mesh)[1]
    return Repulsion(-0.5 * slope, normalizer)
