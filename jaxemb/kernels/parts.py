"""A step's work in independent parts.

XLA's CPU runtime runs a batch of small matrix products on one thread, but independent operations
on several once more than eight of them are ready.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

# Parts of a long training's step; a short one would be done before they are compiled.
PARTS = 8


def in_parts(function: Callable[..., Any], count: int, arguments: Any) -> list[Any]:
    """Applies a function to slices of its arguments.

    Args:
      function: of arrays whose first axes agree.
      count: of parts; it divides that axis.
      arguments: the function's, a tuple of trees of arrays.

    Returns:
      What the function gives for each part.
    """
    size = len(jax.tree.leaves(arguments)[0]) // count
    return [
        function(*jax.tree.map(lambda leaf, i=i: leaf[i * size : (i + 1) * size], arguments))
        for i in range(count)
    ]


def keep_alive(count: jax.Array, arrays: Any) -> jax.Array:
    """Returns a whole number as it is, but not before all arrays are known.

    XLA lets a result have the memory of an array that is not needed any more, and the result then
    waits until that array was read: parts that could be computed side by side are computed one
    after another. An array that is read at the end stays alive, so XLA cannot reuse its memory.

    Args:
      count: an integer that a step returns.
      arrays: what parts compute and read again, a tree of floats; not what they are given. More
        than is needed makes what they work on larger than the caches.

    Returns:
      The count, whatever the arrays hold.
    """
    ends = [leaf[(0,) * leaf.ndim] for leaf in jax.tree.leaves(arrays) if leaf.size]
    # 0 times a float is 0 or NaN, neither of which exceeds 1; XLA doesn't know that.
    return count + (0 * sum(ends, jnp.zeros(())) > 1).astype(count.dtype)


def join(parts: list[Any]) -> Any:
    """Joins trees of arrays along their first axes.

    Args:
      parts: from `in_parts`.

    Returns:
      What the function gives for all at once.
    """
    joined = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *parts)
    # Fused with what follows, the joining would run element by element instead of as a copy.
    return jax.lax.optimization_barrier(joined)
