"""The largest singular values of a sparse matrix, by randomized block Krylov spaces."""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.sparse import BCSR
from scipy.sparse import csr_array

from jaxemb.errors import InputError
from jaxemb.memory import require_memory

# GPUs would otherwise multiply in TF32, which costs the basis its orthogonality.
_matmul = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)

# Columns by which the space grows: larger blocks need more products for the same accuracy.
BLOCK = 32
# The space grows at least this often: with few blocks the result is inaccurate.
_GROWTHS = 8


class SVD(NamedTuple):
    """The largest singular values of an [M, N] matrix and their vectors.

    Attributes:
      left: [M, C] orthonormal columns. A column's sign is fixed: its entry of largest magnitude is
        positive.
      values: [C] descending; exactly 0 where they are within rounding error.
      right: [N, C] orthonormal columns, so that `left * values @ right.T` is nearest the matrix.
    """

    left: jax.Array
    values: jax.Array
    right: jax.Array


def svd(
    key: jax.Array,
    matrix: csr_array,
    *,
    rank: int,
    width: int | None = None,
    block: int = BLOCK,
) -> SVD:
    """Computes the largest singular values of a sparse matrix, approximately and from below.

    A Krylov space starts from random columns and grows by multiplication by the matrix and its
    transpose; within it the result is exact. The device holds the matrix twice, once transposed,
    and a basis of the space, which has as many rows as the matrix's smaller side.

    Args:
      key: random key.
      matrix: [M, N] float32, finite; any scale.
      rank: C in 1..min(M, N).
      width: dimensions of the space, at least C; None for five times C, at least eight blocks.
        More is more accurate; min(M, N) is exact.
      block: columns by which the space grows.

    Returns:
      The decomposition.

    Raises:
      InputError: if the matrix or a number is outside its documented range, or memory is short.

    Reference:
      Musco & Musco 2015, arXiv:1504.05477, algorithm 2, its basis kept orthonormal block by block
      (Golub & Underwood 1977, "The block Lanczos method for computing eigenvalues").
    """
    small = min(matrix.shape)
    if not 1 <= rank <= small:
        raise InputError(
            f"a rank must be from 1 to {small:,}, the smaller side of the matrix, found {rank:,}"
        )
    width = max(5 * rank, _GROWTHS * block) if width is None else width
    if width < rank:
        raise InputError(f"the width must be at least the rank, {rank:,}, found {width:,}")
    if matrix.dtype != np.float32:
        raise InputError(f"the matrix must be of float32, found {matrix.dtype}; convert it first")
    if not np.isfinite(matrix.data).all():
        bad = int((~np.isfinite(matrix.data)).sum())
        raise InputError(f"the matrix has {bad:,} entries that are not finite; what made it?")
    if matrix.nnz >= 1 << 31:
        raise InputError(f"the matrix has {matrix.nnz:,} entries, more than 32-bit indices reach")
    blocks = -(-width // block)
    # A basis of the whole side in one block, where several don't fit.
    block, blocks = (block, blocks) if blocks * block <= small else (small, 1)
    require_memory(
        16 * matrix.nnz + 4 * (block * blocks * small + 3 * rank * sum(matrix.shape)),
        f"{rank} singular values of {matrix.nnz:,} entries",
        "take fewer, or leave out entries",
    )
    # Squares of the largest entries stay within float32; a power of two loses no digits.
    exponent = int(np.frexp(np.abs(matrix.data).max(initial=0))[1])
    wide = matrix.shape[0] <= matrix.shape[1]
    pair = [_to_device(part, -exponent) for part in (matrix, matrix.T)]
    found = _decompose(key, *(pair if wide else pair[::-1]), rank=rank, block=block, blocks=blocks)
    left, right = (found.left, found.right) if wide else (found.right, found.left)
    largest = jnp.argmax(jnp.abs(left), axis=0)
    signs = jnp.sign(left[largest, jnp.arange(rank)])[None, :]
    return SVD(left * signs, jnp.ldexp(found.values, exponent), right * signs)


def _to_device(matrix: csr_array, exponent: int) -> BCSR:
    rows = matrix.tocsr()
    rows = rows if rows.has_sorted_indices else rows.sorted_indices()
    indices, ends = (jnp.asarray(part, jnp.int32) for part in (rows.indices, rows.indptr))
    return BCSR((jnp.asarray(np.ldexp(rows.data, exponent)), indices, ends), shape=matrix.shape)


@functools.partial(jax.jit, static_argnames=("rank", "block", "blocks"))
def _decompose(
    key: jax.Array, matrix: BCSR, transposed: BCSR, *, rank: int, block: int, blocks: int
) -> SVD:
    """Decomposes a matrix of no more rows than columns, with any signs."""
    rows, columns = matrix.shape
    chex.assert_shape(transposed, (columns, rows))
    width = block * blocks

    def grow(i: jax.Array, carry: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        basis, product, newest = carry
        basis = jax.lax.dynamic_update_slice_in_dim(basis, newest, i * block, axis=1)
        image = matrix @ (transposed @ newest)
        inside = _matmul(basis.T, image)
        product = jax.lax.dynamic_update_slice_in_dim(product, inside, i * block, axis=1)
        newest = jnp.linalg.qr(image - _matmul(basis, inside))[0]
        # Twice more: for a matrix of low rank only rounding errors are left, the basis's too.
        for _ in range(2):
            newest = jnp.linalg.qr(newest - _matmul(basis, _matmul(basis.T, newest)))[0]
        return basis, product, newest

    newest = jnp.linalg.qr(matrix @ jax.random.normal(key, (columns, block), jnp.float32))[0]
    start = jnp.zeros((rows, width), jnp.float32), jnp.zeros((width, width), jnp.float32), newest
    basis, product, _ = jax.lax.fori_loop(0, blocks, grow, start)
    # The matrix times its transpose, within the basis; below the diagonal it was not computed.
    _, vectors = jnp.linalg.eigh(jnp.triu(product) + jnp.triu(product, 1).T)
    left = _matmul(basis, vectors[:, ::-1][:, :rank])
    # Singular values of the matrix, not roots of its square's eigenvalues: twice the digits.
    right, triangle = jnp.linalg.qr(transposed @ left)
    inner, values, outer = jnp.linalg.svd(triangle)
    values = jnp.where(values > 32 * jnp.finfo(values.dtype).eps * values[0], values, 0)
    return SVD(_matmul(left, outer.T), values, _matmul(right, inner))
