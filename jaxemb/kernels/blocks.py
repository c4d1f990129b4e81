"""Stretches of text in overlapping blocks, so that scores within windows are small products."""

import jax
import jax.numpy as jnp


def cut_blocks(words: jax.Array, *, margin: int, block: int) -> jax.Array:
    """Cuts stretches of words into overlapping blocks, each of some centers and all their contexts.

    Args:
      words: [G, S + 2W].
      margin: W.
      block: B centers a block; it divides S.

    Returns:
      [G, S / B * (B + 2W)], block after block.
    """
    starts = range(0, words.shape[1] - 2 * margin, block)
    return jnp.concatenate([words[:, i : i + block + 2 * margin] for i in starts], axis=1)
