"""N pairs of N classes: each anchor tells its positive from those of all others.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.n_pair import n_pair_loss
    from jaxemb.losses.terms import mean_of_terms

    anchor, positive = jnp.array([[1.0, 0.0], [0.0, 1.0]]), jnp.array([[0.8, 0.6], [-0.6, 0.8]])
    loss = mean_of_terms(n_pair_loss(anchor, positive))

Row i of the positives is of the class of anchor i; all others are its negatives.
"""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.terms import Terms, class_masks, clip_finite


def n_pair_loss(
    anchor: jax.Array,
    positive: jax.Array,
    *,
    labels: jax.Array | None = None,
    where: jax.Array | None = None,
) -> Terms:
    """Computes log(1 + sum_j exp(a_i . p_j - a_i . p_i)), j over the positives of other classes.

    Vectors are not normalized; the paper adds a small penalty on their squared norms.

    Args:
      anchor: [B, D] float of sizes up to 1e17.
      positive: [B, D], row i of the class of anchor i.
      labels: [B] int, their classes; None if all differ.
      where: [B] bool; False leaves a pair out. None keeps all.

    Returns:
      A term for each anchor, in nats; one without negatives is 0.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Sohn 2016, "Improved deep metric learning with multi-class N-pair loss objective", eq. 5.
    """
    chex.assert_rank(anchor, 2)
    chex.assert_equal_shape([anchor, positive])
    batch = len(anchor)
    labels = jnp.arange(batch) if labels is None else labels
    chex.assert_shape(labels, (batch,))
    scores = clip_finite(jnp.matmul(anchor, positive.T, precision=jax.lax.Precision.HIGHEST))
    _, negative = class_masks(labels, where)
    loss = own_against_others(scores, negative)
    count = jnp.ones(batch, jnp.int32) if where is None else where.astype(jnp.int32)
    return Terms(loss, count)


def own_against_others(scores: jax.Array, negative: jax.Array) -> jax.Array:
    """Computes the cross entropy of each row's own column among that and the negatives.

    Args:
      scores: [B, B] float; the diagonal holds the pairs that belong together.
      negative: [B, B] bool.

    Returns:
      [B] losses in nats; 0 for a row without negatives.
    """
    own = jnp.eye(len(scores), dtype=bool)
    loss = jax.nn.logsumexp(jnp.where(negative | own, scores, -jnp.inf), axis=1)
    return jnp.where(jnp.any(negative, axis=1), loss - jnp.diagonal(scores), 0)
