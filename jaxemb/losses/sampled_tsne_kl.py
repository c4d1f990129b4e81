"""t-SNE's objective from a batch of neighbors, for encoders that see a few points at a time."""

import chex
import jax
import jax.numpy as jnp


def sampled_tsne_kl(center: jax.Array, neighbor: jax.Array, *, points: int) -> jax.Array:
    """Estimates the part of t-SNE's Kullback-Leibler divergence that depends on the map.

    With w(d) = 1 / (1 + d^2), q_ij = w_ij / Z and Z the sum of w over all ordered pairs,

        KL(P || Q) = sum_ij p_ij log p_ij - E_{(i, j) ~ P} log w_ij + log Z.

    Draw i uniformly without replacement and j from p_{j|i}: the pair is distributed as p_ij, for
    log w_ij is symmetric in i and j, and pairs of centers are distributed uniformly. So the
    mean over pairs (i, j) estimates the expectation without bias, and the mean over pairs of
    centers, times N (N - 1), estimates Z. Its logarithm is biased by the order of 1 / B.

    Args:
      center: [B, d] places of uniformly drawn points, all different; B at least 2.
      neighbor: [B, d] the place of one neighbor of each, drawn from p_{j|i}.
      points: N, how many points the whole map has.

    Returns:
      [] estimate of KL(P || Q) - sum p log p, in nats.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      van der Maaten & Hinton 2008, eq. 4 and 5; the split into two expectations as in Damrich et
      al. 2023, arXiv:2206.01816.
    """
    chex.assert_rank(center, 2)
    chex.assert_equal_shape([center, neighbor])
    batch = len(center)
    chex.assert_scalar_positive(batch - 1)
    attraction = jnp.mean(jnp.log1p(jnp.sum((center - neighbor) ** 2, axis=1)))
    # Written as differences: their squares are exact where points are close.
    squared = jnp.sum((center[:, None] - center[None]) ** 2, axis=2)  # [B, B]
    # Masked, not subtracted: the diagonal's ones would swallow what far points add.
    kernel = jnp.where(jnp.eye(batch, dtype=bool), 0, 1 / (1 + squared))
    mean = jnp.sum(kernel) / (batch * (batch - 1))
    return attraction + jnp.log(mean) + jnp.log(float(points)) + jnp.log(points - 1.0)
