"""Work on rows, a block at a time: in cache, and without a second array as large as the first."""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

# Numbers at a time: 1 MiB in float32, of which a few arrays stay in a core's cache.
_AT_A_TIME = 1 << 18


def map_rows(function: Callable[..., Any], *arrays: jax.Array, at_a_time: int | None = None) -> Any:
    """Applies a function to blocks of rows and joins its results.

    Args:
      function: a block [B, ...] of each array -> a pytree of arrays [B, ...].
      *arrays: [N, ...] each.
      at_a_time: numbers that a block of the widest array has at most, if it has several rows.
        None: a megabyte of them.

    Returns:
      The pytree, of arrays [N, ...].
    """
    count = len(arrays[0])
    size = _block_rows(arrays, _AT_A_TIME if at_a_time is None else at_a_time)

    def write(i: jax.Array, results: Any) -> Any:
        # Both slices move back where the last block would reach beyond the rows.
        blocks = [jax.lax.dynamic_slice_in_dim(array, i * size, size) for array in arrays]
        return jax.tree.map(
            lambda whole, part: jax.lax.dynamic_update_slice_in_dim(whole, part, i * size, axis=0),
            results,
            function(*blocks),
        )

    shapes = jax.eval_shape(function, *(array[:size] for array in arrays))
    empty = jax.tree.map(lambda leaf: jnp.zeros((count, *leaf.shape[1:]), leaf.dtype), shapes)
    return jax.lax.fori_loop(0, -(-count // size), write, empty)


def sum_rows(function: Callable[[jax.Array], Any], array: jax.Array, *, at_a_time: int) -> Any:
    """Adds up what a function returns for blocks of rows.

    Args:
      function: a block [B, ...] -> a pytree of arrays, of the same shapes for any B, also 0.
      array: [N, ...].
      at_a_time: numbers that a block has at most, if it has several rows.

    Returns:
      The pytree of sums.
    """
    size = _block_rows([array], at_a_time)
    whole = len(array) // size

    def add(i: jax.Array, total: Any) -> Any:
        block = jax.lax.dynamic_slice_in_dim(array, i * size, size)
        return jax.tree.map(jnp.add, total, function(block))

    rest = function(array[whole * size :])
    return jax.lax.fori_loop(0, whole, add, rest)


def _block_rows(arrays: Any, at_a_time: int) -> int:
    widest = max(math.prod(array.shape[1:]) for array in arrays)
    return max(1, min(len(arrays[0]), at_a_time // widest))
