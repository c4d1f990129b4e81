"""Nearest neighbors by cosine."""

import functools

import chex
import jax
import jax.numpy as jnp

# Cosines held at a time: 16 MiB in float32, whatever the number of words and queries.
_COSINES_AT_A_TIME = 2**22


def unit_rows(vectors: jax.Array) -> jax.Array:
    """Divides each row by its Euclidean norm; a zero row stays zero, with zero gradient.

    Args:
      vectors: [V, D] float.

    Returns:
      [V, D] rows of norm 1 or 0.

    Raises:
      AssertionError: while tracing, if `vectors` is no matrix.
    """
    chex.assert_rank(vectors, 2)
    # Divided by its largest entry, a row's squares neither overflow nor vanish. The result doesn't
    # depend on that divisor, so neither does its gradient.
    largest = jax.lax.stop_gradient(jnp.max(jnp.abs(vectors), axis=1, keepdims=True))
    nonzero = largest > 0
    scaled = vectors / jnp.where(nonzero, largest, 1)
    # The root's gradient at 0 is infinite: zero rows must not reach it.
    squares = jnp.sum(jnp.square(scaled), axis=1, keepdims=True)
    unit = scaled / jnp.sqrt(jnp.where(nonzero, squares, 1))
    return jnp.where(nonzero, unit, 0)


@functools.partial(jax.jit, static_argnames="k")
def nearest(
    vectors: jax.Array, queries: jax.Array, *, k: int, exclude: jax.Array | None = None
) -> tuple[jax.Array, jax.Array]:
    """Finds the rows of a table with the largest cosine to each query.

    Memory beyond the arguments and results is one copy of the table and 16 MiB of cosines.

    Args:
      vectors: [V, D] the table; need not be normalized.
      queries: [B, D] directions looked for; need not be normalized.
      k: neighbors of each query; at most V - E.
      exclude: [B, E] row numbers that may not answer the query, such as its own; -1 excludes
        none. None excludes nothing.

    Returns:
      ids: [B, k] int32 row numbers, nearest first; equal cosines in the order of the table.
      cosines: [B, k] in [-1, 1] up to rounding; a zero vector's cosine to anything is 0.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    rows, dim = vectors.shape
    batch = queries.shape[0]
    chex.assert_shape(queries, (batch, dim))
    if exclude is None:
        exclude = jnp.empty((batch, 0), jnp.int32)
    chex.assert_shape(exclude, (batch, None))
    assert 1 <= k <= rows - exclude.shape[1], f"{k} of {rows} rows, {exclude.shape[1]} excluded"
    unit = unit_rows(vectors)

    def one_query(query: jax.Array, excluded: jax.Array) -> tuple[jax.Array, jax.Array]:
        # GPUs would otherwise multiply in TF32 and confuse near neighbors.
        cosines = jnp.matmul(unit, query, precision=jax.lax.Precision.HIGHEST)  # [V]
        barred = jnp.any(jnp.arange(rows)[:, None] == excluded[None, :], axis=1)
        best, ids = jax.lax.top_k(jnp.where(barred, -jnp.inf, cosines), k)
        return ids, best

    tile = max(1, min(batch, _COSINES_AT_A_TIME // rows))
    return jax.lax.map(
        lambda pair: one_query(*pair), (unit_rows(queries), exclude), batch_size=tile
    )
