"""Pairs points of two spaces by a coupling under which both have the same cosines, by ott-jax."""

import functools
import warnings
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError
from jaxemb.losses.distances import unit

# GPUs would otherwise multiply in TF32 and confuse near neighbors.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


class Coupling(NamedTuple):
    """How much of each point of a space belongs to each point of another.

    Attributes:
      matrix: [N, M] float32; rows sum to 1 / N, columns to 1 / M.
      cost: mean square by which cosine distances of coupled points differ.
      converged: whether the cost had settled when the iterations ended.
    """

    matrix: np.ndarray
    cost: float
    converged: bool


def couple(
    source: jax.Array, target: jax.Array, *, epsilon: float = 0.05, iterations: int = 100
) -> Coupling:
    """Finds the coupling of two spaces whose cosine distances agree best, smoothed by entropy.

    Args:
      source: [N, D] finite.
      target: [M, E] finite.
      epsilon: entropy's weight, a share of the standard deviation of what a pair costs.
      iterations: at most, each a linear transport problem.

    Returns:
      A local optimum, reached from all pairs coupled alike.

    Raises:
      InputError: if ott-jax isn't installed.

    Reference:
      Peyré, Cuturi & Solomon 2016, "Gromov-Wasserstein averaging of kernel and distance matrices";
      of words, Alvarez-Melis & Jaakkola 2018, arXiv:1809.00013.
    """
    chex.assert_rank([source, target], 2)
    try:
        with warnings.catch_warnings():
            # Of ott-jax, by a package that it uses.
            warnings.simplefilter("ignore", DeprecationWarning)
            from ott.geometry.geometry import Geometry
            from ott.solvers import quadratic
    except ImportError as error:
        raise InputError(
            "gromov_wasserstein needs the package ott-jax; pip install 'jaxemb[ott]'"
        ) from error

    @jax.jit
    def solve(*sides: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
        near = [Geometry(1 - _matmul(side, side.T)) for side in sides]
        found = quadratic.solve(
            *near, epsilon=epsilon, relative_epsilon="std", max_iterations=iterations
        )
        return found.matrix, found.primal_cost, found.converged

    with jax.numpy_rank_promotion("allow"):  # ott-jax relies on it
        matrix, cost, converged = solve(unit(source), unit(target))
    return Coupling(np.asarray(matrix), float(cost), bool(converged))


def by_coupling(source: jax.Array, target: jax.Array, *, epsilon: float) -> np.ndarray:
    """Pairs points that are each other's first in the coupling.

    Args:
      source: [N, D] finite.
      target: [M, E] finite.
      epsilon: as for `couple`.

    Returns:
      [P, 2] int32 rows of source and target, P from 1 to min(N, M).
    """
    matrix = couple(source, target, epsilon=epsilon).matrix
    forward, backward = matrix.argmax(axis=1), matrix.argmax(axis=0)
    mutual = np.flatnonzero(backward[forward] == np.arange(len(matrix)))
    return np.stack([mutual, forward[mutual]], axis=1).astype(np.int32)
