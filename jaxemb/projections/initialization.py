"""Where the points of a map begin: close together, in an order that says something."""

from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator, eigsh

from jaxemb.checks import check_points
from jaxemb.errors import InputError
from jaxemb.projections.affinities import Graph

Initialization = Literal["pca", "spectral", "random"]

# Standard deviation of the first coordinate, and of noise relative to it. Without the noise,
# points that begin on a line would stay there, and equal points would never part.
DEVIATION, NOISE = 1e-4, 1e-2


def initialize(
    key: jax.Array,
    how: Initialization | np.ndarray,
    *,
    points: np.ndarray | None,
    graph: Graph,
    count: int,
    dim: int,
) -> jax.Array:
    """Places the points of a map.

    Args:
      key: for "random", the noise and the start of the search for eigenvectors.
      how: "pca" of the points, "spectral" for the eigenvectors of the graph, "random", or [N, d]
        positions, of which the scale does not matter.
      points: [N, D] float, for "pca".
      graph: of the points, for "spectral".
      count: N.
      dim: d.

    Returns:
      [N, d] float32, centered, the first coordinate's standard deviation 1e-4.

    Raises:
      InputError: if the positions given are of another shape, not finite or all in one place, or
        the data have too few columns.
    """
    # JAX's own numbers would take a fifth of a second to compile.
    rng = np.random.Generator(np.random.Philox(key=np.ravel(jax.random.key_data(key))))
    noise = rng.normal(size=(count, dim))
    if not isinstance(how, str):
        positions = given(how, count, dim)
    elif how == "pca":
        if points is None:
            raise InputError('initialization "pca" needs the points, not only their affinities')
        positions = _principal(points, dim)
    elif how == "spectral":
        positions = _spectral(rng, graph, count, dim)
    elif how == "random":
        positions = rng.normal(size=(count, dim))
    else:
        raise InputError(
            f'initialization must be "pca", "spectral", "random" or positions: {how!r}'
        )
    positions = positions - positions.mean(axis=0, dtype=float, keepdims=True)
    spread = positions[:, 0].std(dtype=float)
    scaled = positions * (DEVIATION / spread if spread > 0 else 0)
    placed = scaled + DEVIATION * (NOISE if spread > 0 else 1) * noise
    return jnp.asarray(placed, jnp.float32)


def given(positions: np.ndarray, count: int, dim: int) -> np.ndarray:
    """Checks positions that a user gives.

    Raises:
      InputError: if they cannot be where a map begins.
    """
    check_points(positions, name="initialization")
    if positions.shape != (count, dim):
        raise InputError(f"initialization must be of shape {(count, dim)}, found {positions.shape}")
    largest = np.abs(positions).max()
    positions = positions / (largest if largest > 0 else 1)
    if positions[:, 0].std(dtype=float) == 0:
        raise InputError(
            "initialization has all points at the same first coordinate; give the one that spreads "
            'most first, or "random"'
        )
    return positions


def _principal(points: np.ndarray, dim: int) -> np.ndarray:
    """The first principal components, in NumPy: compiling `factorize.pca` takes a second."""
    # Sizes whose squares are no float32 are of no interest here.
    largest = np.abs(points).max()
    table = (points / (largest if largest > 0 else 1)).astype(np.float32)
    table -= table.mean(axis=0, dtype=float, keepdims=True).astype(np.float32)
    count, width = table.shape
    components = min(dim, count, width)
    if width <= count:
        _, vectors = np.linalg.eigh((table.T @ table).astype(float))
        scores = table @ vectors[:, ::-1][:, :components].astype(np.float32)
    else:
        values, vectors = np.linalg.eigh((table @ table.T).astype(float))
        roots = np.sqrt(np.maximum(values[::-1][:components], 0))
        scores = vectors[:, ::-1][:, :components] * roots[None]
    signs = np.sign(scores[np.abs(scores).argmax(axis=0), range(components)])
    return np.pad(scores * signs[None], ((0, 0), (0, dim - components)))


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
