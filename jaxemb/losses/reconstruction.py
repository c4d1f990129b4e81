"""Reconstruction: how far what comes out of an autoencoder is from what it should be."""

import chex
import jax
import jax.numpy as jnp


def reconstruction_loss(points: jax.Array, reconstructed: jax.Array) -> jax.Array:
    """Sums the squared errors of each point.

    Args:
      points: [B, D] what should come out; for a denoising autoencoder, without the noise.
      reconstructed: [B, D] what came out.

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
