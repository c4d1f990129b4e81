"""Random corruption of inputs, which a denoising autoencoder learns to undo."""

from typing import Literal

import jax
import jax.numpy as jnp

Kind = Literal["gaussian", "masking"]


def corrupt(key: jax.Array, points: jax.Array, *, amount: float, kind: Kind) -> jax.Array:
    """Corrupts points at random.

    Args:
      key: random key.
      points: [B, D] float, any shape.
      amount: standard deviation of the noise in the units of the points, or share of the numbers
        in [0, 1] that are masked. 0 leaves the points as they are.
      kind: "gaussian" adds noise to each number, "masking" sets numbers to 0.

    Returns:
      The corrupted points, of the same shape.

    Raises:
      ValueError: if there is no such kind.

    Reference:
      Vincent et al. 2010, "Stacked denoising autoencoders", section 3.3.
    """
    if kind == "gaussian":
        return points + amount * jax.random.normal(key, points.shape, points.dtype)
    if kind == "masking":
        return jnp.where(jax.random.bernoulli(key, amount, points.shape), 0, points)
    raise ValueError(f"no kind of corruption is named {kind!r}")
