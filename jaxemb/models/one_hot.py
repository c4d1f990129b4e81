"""One-hot vectors: a word is represented by its place in the dictionary alone.

Word i of V is the i-th unit vector of V dimensions. The table of all words is the identity [V, V],
25 GB for 80,000 words: only the part that is needed is ever computed.
"""

import chex
import jax
import jax.numpy as jnp


def one_hot(ids: jax.Array, axes: jax.Array) -> jax.Array:
    """Returns words' vectors along some of their V axes.

    Words among `axes` are 0 along all other axes, so that their products, norms and distances are
    those of the whole vectors.

    Args:
      ids: [N] int words.
      axes: [A] int different words, whose axes are wanted.

    Returns:
      [N, A] float32, 1 where the word is the axis's own and 0 elsewhere.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
    """
    chex.assert_rank([ids, axes], 1)
    return (ids[:, None] == axes[None, :]).astype(jnp.float32)
