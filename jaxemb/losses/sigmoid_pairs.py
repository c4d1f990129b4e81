"""The sigmoid pairwise loss: does this pair of a batch belong together, yes or no?

Example:
    import jax.numpy as jnp

    from jaxemb.losses.sigmoid_pairs import sigmoid_pairs_loss
    from jaxemb.losses.terms import mean_of_terms

    first, second = jnp.array([[1.0, 0.0], [0.0, 1.0]]), jnp.array([[0.8, 0.6], [-0.6, 0.8]])
    loss = mean_of_terms(sigmoid_pairs_loss(first, second, scale=10.0, bias=-10.0))

Row i of the second view belongs to row i of the first; all others don't.
"""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import unit
from jaxemb.losses.terms import Terms, class_masks


def sigmoid_pairs_loss(
    first: jax.Array,
    second: jax.Array,
    *,
    scale: float | jax.Array,
    bias: float | jax.Array,
    labels: jax.Array | None = None,
    where: jax.Array | None = None,
) -> Terms:
    """Sums -log sigmoid(z_ij (scale cos(first_i, second_j) + bias)), z = 1 for pairs, else -1.

    Args:
      first: [B, D] float; a zero vector has cosine 0 to all.
      second: [B, D], row i belongs to row i.
      scale: above 0; learned in the paper, from 10 on.
      bias: learned in the paper, from -10 on, for most pairs don't belong together.
      labels: [B] int; rows with the same label belong together. None if all differ.
      where: [B] bool; False leaves a row of both out. None keeps all.

    Returns:
      A term for each row of `first`, in nats, the sum over `second` as in the paper.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Zhai et al. 2023, arXiv:2303.15343, eq. 2.
    """
    chex.assert_rank(first, 2)
    chex.assert_equal_shape([first, second])
    batch = len(first)
    labels = jnp.arange(batch) if labels is None else labels
    chex.assert_shape(labels, (batch,))
    here = jnp.ones(batch, bool) if where is None else where
    cosines = jnp.matmul(unit(first), unit(second).T, precision=jax.lax.Precision.HIGHEST)
    logits = scale * cosines + bias
    _, negative = class_masks(labels, here)
    # -log sigmoid(x) written as softplus(-x): finite for large |x|.
    loss = jax.nn.softplus(jnp.where(negative, logits, -logits))
    both = here[:, None] & here[None, :]
    return Terms(jnp.sum(loss, axis=1, where=both), here.astype(jnp.int32))
