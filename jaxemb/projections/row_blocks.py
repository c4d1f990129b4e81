"""Work on all pairs of points, a block of rows at a time: in cache, and never [N, N] in memory."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

# Pairs at a time: 1 MiB in float32, of which a few arrays stay in a core's cache.
_AT_A_TIME = 1 << 18


def map_rows(function: Callable[..., Any], *arrays: jax.Array) -> Any:
    """Applies a function to blocks of rows and joins its results.

    Args:
      function: takes a block [B, ...] of each array, and returns a pytree of arrays [B, ...].
      *arrays: [N, ...] each; a row's numbers in the widest one say how many make a block.

    Returns:
      The pytree, of arrays [N, ...].
    """
    count = len(arrays[0])
    widest = max(array.size for array in arrays) // count
    size = max(1, min(count, _AT_A_TIME // widest))

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
