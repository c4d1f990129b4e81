"""DeViSE's ranking: a vector's own partner is to be nearer than all others, by a margin.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.ranking import ranking_loss
    from jaxemb.losses.terms import mean_of_terms

    first, second = jnp.array([[1.0, 0.0], [0.0, 1.0]]), jnp.array([[0.8, 0.6], [-0.6, 0.8]])
    loss = mean_of_terms(ranking_loss(first, second, margin=0.1))

Row i of the second view belongs to row i of the first; all others are wrong for it.
"""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import unit
from jaxemb.losses.terms import Terms, check_margin, class_masks


def ranking_loss(
    first: jax.Array,
    second: jax.Array,
    *,
    margin: float,
    labels: jax.Array | None = None,
    where: jax.Array | None = None,
) -> Terms:
    """Sums max{0, g - cos(first_i, second_i) + cos(first_i, second_j)} over wrong j.

    For two kinds of things that are both searched add the loss with the two exchanged.

    Args:
      first: [B, D] float, such as pictures; a zero vector has cosine 0 to all.
      second: [B, D], row i belongs to row i, such as vectors of their words.
      margin: g, of cosines.
      labels: [B] int; rows with the same label are not wrong for each other. None if all differ.
      where: [B] bool; False leaves a pair out. None keeps all.

    Returns:
      A term for each row of `first`, the sum over the wrong ones as in the paper.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.

    Reference:
      Frome et al. 2013, "DeViSE: a deep visual-semantic embedding model", eq. 1, where the wrong
      ones are other words; here they are those of the batch.
    """
    chex.assert_rank(first, 2)
    chex.assert_equal_shape([first, second])
    check_margin(margin)
    batch = len(first)
    labels = jnp.arange(batch) if labels is None else labels
    chex.assert_shape(labels, (batch,))
    cosines = jnp.matmul(unit(first), unit(second).T, precision=jax.lax.Precision.HIGHEST)
    _, wrong = class_masks(labels, where)
    # Not jnp.maximum, whose gradient at 0 is a half.
    loss = jax.nn.relu(margin - jnp.diagonal(cosines)[:, None] + cosines)
    count = jnp.ones(batch, jnp.int32) if where is None else where.astype(jnp.int32)
    return Terms(jnp.sum(loss, axis=1, where=wrong), count)
