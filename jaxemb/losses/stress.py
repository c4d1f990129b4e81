"""Stress: how far the distances in a map are from the target distances."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import pairwise_euclidean


def raw_stress(positions: jax.Array, distances: jax.Array) -> jax.Array:
    """Sums the squared errors of all distances.

    Args:
      positions: [N, d] the map.
      distances: [N, N] target distances d*; only the upper triangle is used.

    Returns:
      [] sum of (d*_ij - d_ij)^2 over pairs i < j, in squared units of the distances.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Kruskal 1964, "Multidimensional scaling by optimizing goodness of fit", its S*.
    """
    found, pairs = _pairs(positions, distances)
    return jnp.sum(jnp.square(distances - found), where=pairs)


def kruskal_stress(positions: jax.Array, distances: jax.Array) -> jax.Array:
    """Computes Kruskal's stress-1, independent of scale.

    Args:
      positions: [N, d] the map.
      distances: [N, N] target distances d*; only the upper triangle is used.

    Returns:
      [] root of the raw stress over the sum of d_ij^2; 0 is perfect, 0.2 poor. It grows without
      bound as a map shrinks: infinite, with zero gradient, if all points are equal.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Kruskal 1964, "Multidimensional scaling by optimizing goodness of fit", its S.
    """
    found, pairs = _pairs(positions, distances)
    total = jnp.sum(jnp.square(found), where=pairs)
    errors = jnp.sum(jnp.square(distances - found), where=pairs)
    # The root's gradient at 0, a perfect map, is infinite.
    inexact, extended = errors > 0, total > 0
    ratio = jnp.where(inexact & extended, errors, 1) / jnp.where(extended, total, 1)
    return jnp.where(inexact, jnp.where(extended, jnp.sqrt(ratio), jnp.inf), 0)


def sammon_stress(positions: jax.Array, distances: jax.Array) -> jax.Array:
    """Computes Sammon's stress: squared errors, each divided by its target distance.

    Args:
      positions: [N, d] the map.
      distances: [N, N] target distances d*; only the upper triangle is used. Pairs of distance 0
        are left out.

    Returns:
      [] sum of (d*_ij - d_ij)^2 / d*_ij over the sum of d*_ij, pairs i < j; 0 if there are none.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Sammon 1969, "A nonlinear mapping for data structure analysis", eq. 1.
    """
    found, pairs = _pairs(positions, distances)
    pairs &= distances > 0
    wanted = jnp.where(pairs, distances, 1)
    total = jnp.sum(wanted, where=pairs)
    stress = jnp.sum(jnp.square(wanted - found) / wanted, where=pairs)
    return stress / jnp.where(total > 0, total, 1)


def _pairs(positions: jax.Array, distances: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the distances in the map and which entries count, [N, N] each."""
    chex.assert_rank(positions, 2)
    count = len(positions)
    chex.assert_shape(distances, (count, count))
    ids = jnp.arange(count)
    return pairwise_euclidean(positions, positions), ids[:, None] < ids[None, :]
