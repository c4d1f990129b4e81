"""Principal components, exact and randomized: fitted once, applied to any points."""

import functools
import itertools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from jaxemb.factorize.row_blocks import map_rows, sum_rows

# GPUs would otherwise multiply in TF32, whose three digits blur the small eigenvalues.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)

# Entries in a block, 16 MB in float32: no centered copy of all points is ever made.
_BLOCK = 1 << 22
_summed = functools.partial(sum_rows, at_a_time=_BLOCK)
# A symmetric product is computed as the tiles of its upper triangle, this many to a side: three
# fifths of the work, and XLA's CPU runtime runs independent products on all cores.
_TILES = 5


class PCA(NamedTuple):
    """The directions of greatest variance of some points.

    Attributes:
      mean: [D] of the points.
      directions: [D, C] orthonormal columns, widest first. A direction's sign is fixed: its entry
        of largest magnitude is positive.
      deviation: [C] standard deviation along each direction, in the units of the points; exactly 0
        where it is within rounding error, below about 1e-3 of the widest.
      explained_variance_ratio: [C] share of the total variance in [0, 1]; 0 if all points are
        equal.
    """

    mean: jax.Array
    directions: jax.Array
    deviation: jax.Array
    explained_variance_ratio: jax.Array

    @property
    def explained_variance(self) -> jax.Array:
        """[C] variance along each direction, unbiased; infinite from deviations of 1.8e19 on."""
        return jnp.square(self.deviation)


@functools.partial(jax.jit, static_argnames="components")
def fit(points: jax.Array, *, components: int) -> PCA:
    """Finds the directions of greatest variance, exactly.

    They are computed from the eigenvectors of the scatter matrix [D, D], or of the Gram matrix
    [N, N] if N < D. Beyond the points this needs a few blocks and that matrix; with N < D also a
    copy of the points.

    Args:
      points: [N, D] finite float; sizes up to 1e30 neither overflow nor lose digits.
      components: directions to keep, C in 1..min(N, D).

    Returns:
      The directions.

    Raises:
      AssertionError: while tracing, if `points` is no matrix or C is not in 1..min(N, D).
    """
    mean, scale = _center(points, components)
    if points.shape[0] >= points.shape[1]:
        upper = _summed(lambda block: _upper_tiles((block - mean) * scale), points)
        ascending, vectors = jnp.linalg.eigh(_symmetric(upper))
        directions = vectors[:, ::-1][:, :components]
    else:
        centered = (points - mean) * scale
        ascending, vectors = jnp.linalg.eigh(_symmetric(_upper_tiles(centered.T)))
        # Orthonormal also where all points are equal and the product is rounding error alone.
        directions = jnp.linalg.qr(_matmul(centered.T, vectors[:, ::-1][:, :components]))[0]
    return _fitted(mean, scale, directions, ascending[::-1], ascending.sum(), len(points))


@functools.partial(jax.jit, static_argnames=("components", "oversamples", "power_iterations"))
def fit_randomized(
    key: jax.Array,
    points: jax.Array,
    *,
    components: int,
    oversamples: int = 10,
    power_iterations: int = 7,
) -> PCA:
    """Finds the directions of greatest variance approximately, for D too large for [D, D].

    Each iteration reads the points once. Its error falls with the power 4 q + 2 of the ratio of
    the first standard deviation left out to the one in question (q iterations).

    Args:
      key: random key.
      points: [N, D] finite float.
      components: directions to keep, C in 1..min(N, D).
      oversamples: additional directions in the iteration.
      power_iterations: multiplications by the scatter matrix, q.

    Returns:
      The directions.

    Raises:
      AssertionError: while tracing, if a number or a shape disagrees with the above.

    Reference:
      Halko, Martinsson & Tropp 2011, arXiv:0909.4061, algorithms 4.4 and 5.1, in the space of
      the columns, so that no [N, L] matrix is orthogonalized.
    """
    mean, scale = _center(points, components)
    assert oversamples >= 0, f"{oversamples} oversamples"
    assert power_iterations >= 1, f"{power_iterations} power iterations"
    count, dim = points.shape

    def multiply(basis: jax.Array) -> jax.Array:
        """Returns [D, L] the scatter matrix times a basis."""

        def of_block(block: jax.Array) -> jax.Array:
            centered = (block - mean) * scale
            return _matmul(centered.T, _matmul(centered, basis))

        return _summed(of_block, points)

    def restrict(block: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns [L, L] the scatter matrix within the basis, and the total scatter."""
        centered = (block - mean) * scale
        projected = _matmul(centered, basis)
        return _matmul(projected.T, projected), jnp.sum(jnp.sum(jnp.square(centered), axis=0))

    basis = jax.random.normal(key, (dim, min(components + oversamples, count, dim)), points.dtype)
    basis = jax.lax.fori_loop(
        0, power_iterations, lambda _, basis: jnp.linalg.qr(multiply(basis))[0], basis
    )
    scatter, total = _summed(restrict, points)
    ascending, vectors = jnp.linalg.eigh(scatter)
    directions = _matmul(basis, vectors[:, ::-1][:, :components])
    return _fitted(mean, scale, directions, ascending[::-1], total, count)


@functools.partial(jax.jit, static_argnames="whiten")
def transform(pca: PCA, points: jax.Array, *, whiten: bool = False) -> jax.Array:
    """Projects points, those fitted or others, onto the directions.

    Args:
      pca: C directions in D dimensions.
      points: [N, D].
      whiten: divide by the standard deviations; a direction of variance 0 gives 0.

    Returns:
      [N, C] coordinates along each direction, in the units of the points, or of one standard
      deviation. Those fitted are centered at 0.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    dim, components = pca.directions.shape
    chex.assert_shape(points, (None, dim))
    directions = pca.directions
    if whiten:
        extended = pca.deviation > 0
        inverse_deviation = jnp.where(extended, 1 / jnp.where(extended, pca.deviation, 1), 0)
        directions *= inverse_deviation[None, :]
    mean = pca.mean[None, :]
    return map_rows(lambda block: _matmul(block - mean, directions), points, at_a_time=_BLOCK)


@functools.partial(jax.jit, static_argnames="whiten")
def inverse(pca: PCA, scores: jax.Array, *, whiten: bool = False) -> jax.Array:
    """Reconstructs points from their projections.

    Args:
      pca: C directions in D dimensions.
      scores: [N, C] from `transform`.
      whiten: as in `transform`.

    Returns:
      [N, D].

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    chex.assert_shape(scores, (None, pca.directions.shape[1]))
    if whiten:
        scores = scores * pca.deviation[None, :]
    return _matmul(scores, pca.directions.T) + pca.mean[None, :]


def _center(points: jax.Array, components: int) -> tuple[jax.Array, jax.Array]:
    """Returns [1, D] the mean, and the power of two that scales the largest entry to about 1."""
    chex.assert_rank(points, 2)
    assert 1 <= components <= min(points.shape), f"{components} components of {points.shape}"
    # A power of two loses no digits, and squares of values of 1e20 would overflow.
    exponent = jnp.frexp(jnp.max(jnp.abs(points)))[1]
    scale = jnp.ldexp(jnp.ones((), points.dtype), -exponent)
    # Relative to one of the points, a constant column is zero and its mean is exact.
    first = points[:1] * scale
    mean = first + jnp.mean(points * scale - first, axis=0, keepdims=True)
    return mean / scale, scale


def _upper_tiles(rows: jax.Array) -> list[list[jax.Array]]:
    """Returns the upper triangle of a matrix's transpose times it, in tiles from the diagonal."""
    cuts = sorted({rows.shape[1] * tile // _TILES for tile in range(_TILES + 1)})
    columns = [rows[:, start:stop] for start, stop in itertools.pairwise(cuts)]
    return [[_matmul(left.T, right) for right in columns[i:]] for i, left in enumerate(columns)]


def _symmetric(tiles: list[list[jax.Array]]) -> jax.Array:
    """Returns the [D, D] matrix of which these are the upper tiles."""
    strips = [jnp.concatenate(row, axis=1) for row in tiles]
    dim = strips[0].shape[1]
    wide = [jnp.pad(strip, ((0, 0), (dim - strip.shape[1], 0))) for strip in strips]
    upper = jnp.triu(jnp.concatenate(wide))
    return upper + jnp.triu(upper, 1).T


def _fitted(
    mean: jax.Array,
    scale: jax.Array,
    directions: jax.Array,
    descending: jax.Array,
    total: jax.Array,
    count: int,
) -> PCA:
    """Returns the result, from eigenvalues of the scaled scatter matrix and their sum."""
    components = directions.shape[1]
    rounding = 8 * jnp.finfo(descending.dtype).eps * jnp.maximum(descending[0], 0)
    kept = descending[:components]
    eigenvalues = jnp.where(kept > rounding, kept, 0)
    largest = jnp.argmax(jnp.abs(directions), axis=0)
    directions *= jnp.sign(directions[largest, jnp.arange(components)])[None, :]
    return PCA(
        mean[0],
        directions,
        jnp.sqrt(eigenvalues / max(count - 1, 1)) / scale,
        eigenvalues / jnp.where(total > 0, total, 1),
    )
