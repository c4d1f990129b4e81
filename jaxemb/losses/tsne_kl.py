"""The objective of t-SNE over all pairs, by the formulas; faster ways are tested against it."""

import chex
import jax
import jax.numpy as jnp


def tsne_kl(points: jax.Array, joint: jax.Array) -> jax.Array:
    """Computes the divergence of a map's similarities q_ij from the data's p_ij.

    q_ij = (1 + |y_i - y_j|^2)^-1 / Z, where Z sums the same over all pairs of different points.

    Args:
      points: [N, d] the map y.
      joint: [N, N] p_ij; symmetric, sums to 1. The diagonal is ignored.

    Returns:
      [] KL(P || Q) = sum of p_ij log(p_ij / q_ij) over ordered pairs, in nats.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      van der Maaten & Hinton 2008, JMLR 9, eq. 2 (of the joint ones) and eq. 4.
    """
    p, squares, others = _pairs(points, joint)
    similarity = jnp.where(others, 1 / (1 + squares), 0)
    # -log q split into two terms: q of far points vanishes in float32 before its logarithm does.
    to_similarity = jnp.sum(p * jnp.log1p(squares)) + jnp.log(jnp.sum(similarity))
    return to_similarity - jnp.sum(jax.scipy.special.entr(p))


def tsne_kl_gradient(points: jax.Array, joint: jax.Array) -> jax.Array:
    """Returns the gradient of `tsne_kl`, as the paper writes it.

    Args:
      points: [N, d] the map y.
      joint: [N, N] p_ij; symmetric, sums to 1. The diagonal is ignored.

    Returns:
      [N, d] 4 sum_j (p_ij - q_ij) (1 + |y_i - y_j|^2)^-1 (y_i - y_j).

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      van der Maaten & Hinton 2008, JMLR 9, eq. 5.
    """
    p, squares, others = _pairs(points, joint)
    similarity = jnp.where(others, 1 / (1 + squares), 0)
    q = similarity / jnp.sum(similarity)
    weights = 4 * (p - q) * similarity  # [N, N]
    return jnp.sum(weights[:, :, None] * (points[:, None] - points[None]), axis=1)


def _pairs(points: jax.Array, joint: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns p_ij, squared distances and which pairs are of different points, [N, N] each."""
    chex.assert_rank(points, 2)
    rows = len(points)
    chex.assert_shape(joint, (rows, rows))
    others = ~jnp.eye(rows, dtype=bool)
    squares = jnp.sum(jnp.square(points[:, None] - points[None]), axis=-1)
    return jnp.where(others, joint, 0), squares, others
