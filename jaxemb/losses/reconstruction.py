"""Reconstruction error of an autoencoder."""

import chex
import jax
import jax.numpy as jnp


def reconstruction_loss(points: jax.Array, reconstructed: jax.Array) -> jax.Array:
    """Sums the squared errors of each point.

    Args:
      points: [B, D] the targets; for a denoising autoencoder, without noise.
      reconstructed: [B, D] the outputs.

    Returns:
      [B] squared Euclidean distances, in squared units of the points. Not averaged.

    Raises:
      AssertionError: while tracing, if the shapes differ.

    Reference:
      Vincent et al. 2008, "Extracting and composing robust features with denoising autoencoders",
      eq. 2.
    """
    chex.assert_rank([points, reconstructed], 2)
    chex.assert_equal_shape([points, reconstructed])
    return jnp.sum(jnp.square(points - reconstructed), axis=1)
