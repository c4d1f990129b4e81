"""Affinities of neighbors: the probabilities p_j|i and p_ij of t-SNE."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import reverse_cuthill_mckee
from scipy.special import entr

from jaxemb.errors import InputError

# Neighbors in a row of the graph. Short rows waste fewer places, long ones need fewer sums.
ROW = 8
# Bisections of the range of log2 precision, [-10, 80] for distances of mean 1: down to rounding.
_HALVINGS = 32
_NARROWEST, _WIDEST = 80.0, -10.0
# Numbers of a temporary array, and points whose edges are laid out at a time.
_AT_A_TIME = 2**24
_POINTS_AT_A_TIME = 2**16


class Conditional(NamedTuple):
    """Distributions over each point's neighbors.

    Attributes:
      p: [N, k] float32, p_j|i of the k neighbors of point i; each row sums to 1.
      perplexity: [N] float32, 2 to the entropy in bits, as reached: at least the number of
        neighbors that tie for the nearest, at most k.
    """

    p: jax.Array
    perplexity: jax.Array


class Graph(NamedTuple):
    """Joint probabilities p_ij, in rows of a fixed length; a point has as many rows as it needs.

    Points are renumbered, so that neighbors lie close together in memory.

    Attributes:
      order: [N] int32, which of the data's points each point of the graph is.
      owners: [R] int32, the point i of each row, ascending; every point has a row.
      neighbors: [R, 8] int32, points j; the point itself where a row is not full.
      joint: [R, 8] float32, p_ij, 0 where a row is not full; the sum of all is 1.
      plogp: [] float32, the sum of p_ij log p_ij, in nats.
    """

    order: jax.Array
    owners: jax.Array
    neighbors: jax.Array
    joint: jax.Array
    plogp: jax.Array


@functools.partial(jax.jit, static_argnames="perplexity")
def by_perplexity(distances: jax.Array, *, perplexity: float) -> Conditional:
    """Computes Gaussian affinities with bandwidths of the given perplexity.

    Args:
      distances: [N, k] squared distances to each point's neighbors, in any unit.
      perplexity: from 1 to k.

    Returns:
      The distributions; precisions 1 / (2 sigma_i^2) are found by bisection. Where all neighbors
      are equally far, they are uniform.

    Raises:
      AssertionError: while tracing, if `distances` is no matrix.

    Reference:
      van der Maaten & Hinton 2008, JMLR 9, eq. 1 and section 2.
    """
    chex.assert_rank(distances, 2)
    target = jnp.log(perplexity)

    def of_tile(distances: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Without the minimum, exponentials don't all vanish; the distribution is the same.
        excess = distances - jnp.min(distances, axis=1, keepdims=True)
        mean = jnp.mean(excess, axis=1, keepdims=True)
        excess = excess / jnp.where(mean > 0, mean, 1)

        def weigh(log2_precision: jax.Array) -> tuple[jax.Array, jax.Array]:
            precision = jnp.exp2(log2_precision)[:, None]
            weights = jnp.exp(-precision * excess)
            total = jnp.sum(weights, axis=1)
            seen = jnp.sum(weights * excess, axis=1)
            return weights / total[:, None], jnp.log(total) + precision[:, 0] * seen / total

        def bisect(_: int, bounds: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
            low, high = bounds
            middle = (low + high) / 2
            wide = weigh(middle)[1] > target
            return jnp.where(wide, middle, low), jnp.where(wide, high, middle)

        rows = len(distances)
        bounds = jnp.full(rows, _WIDEST), jnp.full(rows, _NARROWEST)
        low, high = jax.lax.fori_loop(0, _HALVINGS, bisect, bounds)
        p, entropy = weigh((low + high) / 2)
        return p, jnp.exp(entropy)

    return Conditional(*_by_tiles(of_tile, distances))


@functools.partial(jax.jit, static_argnames="sigma")
def by_sigma(distances: jax.Array, *, sigma: float) -> Conditional:
    """Computes Gaussian affinities with the same bandwidth for every point.

    Args:
      distances: [N, k] squared distances to each point's neighbors.
      sigma: its standard deviation, in the unit of the distances' roots.

    Returns:
      The distributions, each over its point's neighbors.

    Raises:
      AssertionError: while tracing, if `distances` is no matrix.
    """
    chex.assert_rank(distances, 2)

    def of_tile(distances: jax.Array) -> tuple[jax.Array, jax.Array]:
        # Subtracted before the division: fused into the softmax, it would round differently from
        # the maximum there, and exponents of some thousands would be left.
        excess = distances - jnp.min(distances, axis=1, keepdims=True)
        weights = jnp.exp(-excess / (2 * sigma**2))
        p = weights / jnp.sum(weights, axis=1, keepdims=True)
        return p, jnp.exp(jnp.sum(jax.scipy.special.entr(p), axis=1))

    return Conditional(*_by_tiles(of_tile, distances))


def uniform(distances: jax.Array) -> Conditional:
    """Gives all neighbors the same probability, whatever their [N, k] distances."""
    points, k = distances.shape
    return Conditional(jnp.full((points, k), 1 / k), jnp.full(points, float(k)))


def multiscale(distances: jax.Array, *, perplexities: Sequence[float]) -> list[Conditional]:
    """Computes affinities for several perplexities, which `join` averages.

    Args:
      distances: [N, k] squared distances to each point's neighbors.
      perplexities: each from 1 to k; small ones for local, large ones for global structure.

    Returns:
      One for each perplexity.
    """
    return [by_perplexity(distances, perplexity=value) for value in perplexities]


def join(ids: np.ndarray, conditionals: Sequence[Conditional]) -> Graph:
    """Computes p_ij = (p_j|i + p_i|j) / 2N from conditional distributions.

    Args:
      ids: [N, k] each point's neighbors, none of them itself.
      conditionals: over these neighbors; their mean is taken.

    Returns:
      The graph.

    Raises:
      InputError: if the edges are too many for 32-bit places.

    Reference:
      van der Maaten & Hinton 2008, JMLR 9, section 3.1. The mean is that of openTSNE's Multiscale.
    """
    points, k = ids.shape
    if 2 * ids.size >= 2**31:
        raise InputError(
            f"{points:,} points with {k} neighbors have too many edges; lower the perplexity"
        )
    p = np.array(conditionals[0].p)
    for other in conditionals[1:]:
        p += np.asarray(other.p)
    p *= 1 / (2 * points * len(conditionals))
    ends = np.arange(0, ids.size + 1, k, dtype=np.int32)
    return from_directed(sp.csr_array((p.ravel(), ids.ravel(), ends), shape=(points, points)))


def from_directed(weights: sp.csr_array) -> Graph:
    """Builds the graph of the sum of a sparse matrix and its transpose.

    Args:
      weights: [N, N] float32, at least 0, sum 1/2; e.g. half of a p_ij that another program made.

    Returns:
      The graph.
    """
    points = weights.shape[0]
    order = reverse_cuthill_mckee(weights, symmetric_mode=True)
    rank = np.empty(points, np.int32)
    rank[order] = np.arange(points, dtype=np.int32)
    renamed = sp.csr_array((weights.data, rank[weights.indices], weights.indptr), weights.shape)
    directed = renamed[order]
    del renamed
    reverse = directed.T.tocsr()
    degrees = np.empty(points, np.int64)
    for start, piece in _summed(directed, reverse):
        degrees[start : start + piece.shape[0]] = np.diff(piece.indptr)
    # A point without neighbors has a row, too.
    rows = np.maximum(-(-degrees // ROW), 1)
    first = np.cumsum(rows) - rows
    owners = np.repeat(np.arange(points, dtype=np.int32), rows)
    neighbors = np.repeat(owners[:, None], ROW, axis=1)
    joint = np.zeros((len(owners), ROW), np.float32)
    plogp = 0.0
    for start, piece in _summed(directed, reverse):
        stop = start + piece.shape[0]
        shift = ROW * first[start:stop] - piece.indptr[:-1]
        places = np.arange(piece.nnz) + np.repeat(shift, degrees[start:stop])
        neighbors.reshape(-1)[places] = piece.indices
        joint.reshape(-1)[places] = piece.data
        plogp -= float(entr(piece.data).sum(dtype=float))
    parts = (order, owners, neighbors, joint, np.float32(plogp))
    # Not asarray, which compiles a program for each shape.
    return Graph(*jax.device_put(parts))


def dense(graph: Graph) -> jax.Array:
    """Returns p_ij as a matrix, [N, N], in the order of the data: for few points.

    Args:
      graph: the probabilities.
    """
    points = len(graph.order)
    i = jnp.broadcast_to(graph.order[graph.owners][:, None], graph.joint.shape)
    j = graph.order[graph.neighbors]
    return jnp.zeros((points, points)).at[i, j].add(graph.joint)


def _summed(one: sp.csr_array, other: sp.csr_array) -> Iterator[tuple[int, sp.csr_array]]:
    """Yields the sum of two matrices, in blocks of rows: SciPy's own needs twice the memory."""
    for start in range(0, one.shape[0], _POINTS_AT_A_TIME):
        rows = slice(start, start + _POINTS_AT_A_TIME)
        piece = one[rows]
        piece.sort_indices()
        yield start, piece + other[rows]


def _by_tiles(
    function: Callable[[jax.Array], tuple[jax.Array, jax.Array]], distances: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Applies a function of rows to blocks of rows."""
    points, k = distances.shape
    if distances.size <= _AT_A_TIME:
        return function(distances)
    tile = max(1, _AT_A_TIME // k)
    pad = jnp.pad(distances, ((0, -points % tile), (0, 0)))
    p, reached = jax.lax.map(function, pad.reshape(-1, tile, k))
    return p.reshape(-1, k)[:points], reached.reshape(-1)[:points]
