"""InfoNCE and NT-Xent: which of the batch's vectors is the other view of this example?

Example:
    import jax.numpy as jnp

    from jaxemb.losses.info_nce import nt_xent_loss
    from jaxemb.losses.terms import mean_of_terms

    first, second = jnp.array([[1.0, 0.0], [0.0, 1.0]]), jnp.array([[0.8, 0.6], [-0.6, 0.8]])
    loss = mean_of_terms(nt_xent_loss(first, second, temperature=0.1))

Row i of the second view belongs to row i of the first; all others are its negatives.
"""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import unit
from jaxemb.losses.n_pair import own_against_others
from jaxemb.losses.terms import Terms, class_masks


def info_nce_loss(
    first: jax.Array,
    second: jax.Array,
    *,
    temperature: float | jax.Array,
    labels: jax.Array | None = None,
    where: jax.Array | None = None,
    log_q: jax.Array | None = None,
) -> Terms:
    """Computes -log of the softmax over j of cos(first_i, second_j) / temperature, at j = i.

    For two kinds of things (images and words) add the loss with the two exchanged.

    Args:
      first: [B, D] float; a zero vector has cosine 0 to all.
      second: [B, D], row i the other view of row i.
      temperature: above 0.
      labels: [B] int; rows with the same label are no negatives of each other. None if all differ.
      where: [B] bool; False leaves a pair out. None keeps all.
      log_q: [B] log of the chance that a row of a batch has this second view, taken off its scores:
        what is frequent in batches is a negative as often, and would be pushed away for that. None
        if all are as frequent.

    Returns:
      A term for each row of `first`, in nats; one without negatives is 0.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      van den Oord et al. 2018, arXiv:1807.03748, eq. 4; Radford et al. 2021, arXiv:2103.00020;
      Yi et al. 2019, "Sampling-bias-corrected neural modeling for large corpus item
      recommendations", section 3 (log_q).
    """
    chex.assert_rank(first, 2)
    chex.assert_equal_shape([first, second])
    batch = len(first)
    labels = jnp.arange(batch) if labels is None else labels
    chex.assert_shape(labels, (batch,))
    cosines = jnp.matmul(unit(first), unit(second).T, precision=jax.lax.Precision.HIGHEST)
    scores = cosines / temperature
    if log_q is not None:
        chex.assert_shape(log_q, (batch,))
        scores -= log_q[None]
    _, negative = class_masks(labels, where)
    loss = own_against_others(scores, negative)
    count = jnp.ones(batch, jnp.int32) if where is None else where.astype(jnp.int32)
    return Terms(loss, count)


def nt_xent_loss(
    first: jax.Array,
    second: jax.Array,
    *,
    temperature: float | jax.Array,
    labels: jax.Array | None = None,
    where: jax.Array | None = None,
) -> Terms:
    """Computes InfoNCE over all 2 B views: each tells its partner from all other views.

    Args:
      first: [B, D] float; a zero vector has cosine 0 to all.
      second: [B, D], row i the other view of row i.
      temperature: above 0.
      labels: [B] int; rows with the same label are no negatives of each other. None if all differ.
      where: [B] bool; False leaves both views out. None keeps all.

    Returns:
      Two terms for each example, one for each of its views, in nats.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.

    Reference:
      Chen et al. 2020, arXiv:2002.05709, eq. 1.
    """
    batch = len(first)
    views = jnp.concatenate([first, second])  # [2B, D]
    # Rolled by B, each view stands in the row of its partner.
    twice = jnp.tile(jnp.arange(batch) if labels is None else labels, 2)
    present = None if where is None else jnp.tile(where, 2)
    partner = jnp.concatenate([second, first])
    loss, count = info_nce_loss(
        views, partner, temperature=temperature, labels=twice, where=present
    )
    return Terms(loss[:batch] + loss[batch:], count[:batch] + count[batch:])
