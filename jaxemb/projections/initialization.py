"""Where the points of a map begin: close together, in an order that says something."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, eigsh

from jaxemb.checks import as_points
from jaxemb.errors import InputError
from jaxemb.factorize.pca_scores import pca_scores
from jaxemb.projections.affinities import Graph

Initialization = Literal["pca", "spectral", "random"]


def initialize(
    key: jax.Array,
    how: Initialization | np.ndarray,
    *,
    points: np.ndarray,
    graph: Graph,
    dim: int,
    deviation: float,
    noise: float,
) -> jax.Array:
    """Places the points of a map.

    Args:
      key: random key: of "random", the noise, and the start of the search for eigenvectors.
      how: "pca" of the points, "spectral" for the eigenvectors of the graph, "random", or [N, d]
        positions, whose scale does not matter.
      points: [N, D] float, for "pca".
      graph: of the points, for "spectral".
      dim: d.
      deviation: standard deviation of the first coordinate.
      noise: standard deviation of noise relative to that. Without, points that begin on a line
        would stay there, and equal points would never part.

    Returns:
      [N, d] float32, centered but for the noise.

    Raises:
      InputError: if the positions given are of another shape, not finite or all in one place, or
        the data have too few columns.
    """
    rng = generator(key)
    count = len(points)
    random = rng.normal(size=(count, dim))
    if not isinstance(how, str):
        positions = given(how, count, dim)
    elif how == "pca":
        found = pca_scores(points, components=min(dim, *points.shape))
        positions = np.pad(found, ((0, 0), (0, dim - found.shape[1])))
    elif how == "spectral":
        positions = _spectral(rng, graph, count, dim)
    else:
        positions = rng.normal(size=(count, dim))
    positions = positions - positions.mean(axis=0, dtype=float, keepdims=True)
    spread = positions[:, 0].std(dtype=float)
    scaled = positions * (deviation / spread if spread > 0 else 0)
    placed = scaled + deviation * (noise if spread > 0 else 1) * random
    return jnp.asarray(placed, jnp.float32)


def generator(key: jax.Array) -> np.random.Generator:
    """Returns NumPy's random numbers of a key: JAX's take a fifth of a second to compile."""
    return np.random.Generator(np.random.Philox(key=np.ravel(jax.random.key_data(key))))


def given(positions: np.ndarray, count: int, dim: int) -> np.ndarray:
    """Checks positions that a user gives.

    Raises:
      InputError: if they cannot be where a map begins.
    """
    positions = as_points(positions, name="positions")
    if positions.shape != (count, dim):
        raise InputError(f"positions must be of shape {(count, dim)}, found {positions.shape}")
    largest = np.abs(positions).max()
    positions = positions / (largest if largest > 0 else 1)
    if positions[:, 0].std(dtype=float) == 0:
        raise InputError(
            "positions have all points at the same first coordinate; give the one that spreads "
            'most first, or "random"'
        )
    return positions


def _spectral(rng: np.random.Generator, graph: Graph, count: int, dim: int) -> np.ndarray:
    """The smoothest functions on the graph: eigenvectors of its normalized adjacency matrix.

    The smoothest of all, the constant, is left out first: of a graph in several parts others are as
    smooth, those that tell the parts apart.
    """
    if count <= dim + 1:
        raise InputError(f'initialization "spectral" needs more than {dim + 1} points for {dim}-D')
    order = np.asarray(graph.order)
    i = np.repeat(order[graph.owners], graph.joint.shape[1])
    edges = np.asarray(graph.joint).ravel(), (i, order[graph.neighbors].ravel())
    joint = sp.coo_array(edges, shape=(count, count)).tocsr()
    roots = np.sqrt(joint.sum(axis=1), dtype=float)
    normal = (sp.diags_array(1 / roots) @ joint @ sp.diags_array(1 / roots)).astype(float)
    constant = roots / np.linalg.norm(roots)
    others = LinearOperator(
        normal.shape, lambda values: normal @ values - constant * (constant @ values), dtype=float
    )
    start = rng.normal(size=count)
    values, vectors = eigsh(others, k=dim, which="LA", v0=start, tol=1e-4)
    functions = vectors[:, np.argsort(-values)] / roots[:, None]
    largest = np.abs(functions).argmax(axis=0)
    return functions * np.sign(functions[largest, range(dim)])[None, :]
