"""Several losses as one: a weighted sum of their means.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.combined import combine_terms, weighted_mean
    from jaxemb.losses.contrastive import all_pairs_contrastive_loss
    from jaxemb.losses.distances import pairwise_euclidean
    from jaxemb.losses.supervised_contrastive import supervised_contrastive_loss
    from jaxemb.losses.terms import mean_of_terms

    vectors = jnp.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]])
    labels = jnp.array([0, 0, 1, 1])
    softmax = supervised_contrastive_loss(vectors, labels, temperature=0.1)
    distances = pairwise_euclidean(vectors, vectors)
    pairs = all_pairs_contrastive_loss(distances, labels, margin=1.0)
    total = weighted_mean([softmax, pairs], [1.0, 0.5])  # to train by
    both = combine_terms([softmax, pairs], [1.0, 0.5])  # a loss of each example again
    assert abs(total - mean_of_terms(both)) < 1e-6

Losses have different numbers of terms: a batch of 4 examples has 4 softmax terms but 12 pairs. Each
loss is averaged over its own terms first, so that weights mean the same whatever the batch.
"""

from collections.abc import Sequence

import chex
import jax
import jax.numpy as jnp

from jaxemb.errors import InputError
from jaxemb.losses.terms import Terms, mean_of_terms


def weighted_mean(losses: Sequence[Terms | jax.Array], weights: Sequence[float]) -> jax.Array:
    """Computes sum_i w_i * (the mean of loss i).

    Args:
      losses: of any return contract (`jaxemb.losses`): Terms are averaged over their terms, [B]
        losses over the examples, an objective [] stays as it is. Batches may differ in size.
      weights: w, one for each loss, finite and at least 0.

    Returns:
      [] the sum. A loss without terms adds 0, with zero gradient.

    Raises:
      AssertionError: while tracing, if an array has more than one axis.
      InputError: if a weight is negative or not finite, or there isn't one for each loss.
    """
    check_weights(weights, len(losses))
    # From the first on, in this order: the same bits for the same losses.
    return sum((w * _mean(loss) for w, loss in zip(weights, losses, strict=True)), jnp.zeros(()))


def combine_terms(losses: Sequence[Terms], weights: Sequence[float]) -> Terms:
    """Combines losses of one batch into a loss of each example.

    Example b has the sum over i of w_i * (N / n_i) * loss_ib, where n_i counts the terms of loss i
    and N those of all; its count is the sum of its counts. The mean over all N terms is then
    `weighted_mean`: a loss with many terms weighs no more than one with few.

    Args:
      losses: Terms of the same B examples.
      weights: w, one for each loss, finite and at least 0.

    Returns:
      The terms. A loss without terms adds 0, with zero gradient.

    Raises:
      AssertionError: while tracing, if the batches differ in size.
      InputError: if a weight is negative or not finite, or there isn't one for each loss.
    """
    scaled = _scaled(losses, weights)
    chex.assert_equal_shape(scaled)
    return Terms(sum(scaled[1:], scaled[0]), sum((x.counts for x in losses[1:]), losses[0].counts))


def join_terms(losses: Sequence[Terms], weights: Sequence[float]) -> Terms:
    """Combines losses that have rows of different things, such as triplets and examples.

    As `combine_terms`, but the rows stand one behind the other rather than be added.

    Args:
      losses: Terms of any numbers of rows.
      weights: w, one for each loss, finite and at least 0.

    Returns:
      The terms, whose mean is `weighted_mean`.

    Raises:
      InputError: if a weight is negative or not finite, or there isn't one for each loss.
    """
    scaled = _scaled(losses, weights)
    return Terms(jnp.concatenate(scaled), jnp.concatenate([loss.counts for loss in losses]))


def _scaled(losses: Sequence[Terms], weights: Sequence[float]) -> list[jax.Array]:
    """Returns w_i * (N / n_i) * loss_i, n_i the terms of loss i and N those of all."""
    check_weights(weights, len(losses))
    counts = [jnp.sum(loss.counts) for loss in losses]
    total = sum(counts)
    return [
        weight * (total / jnp.maximum(count, 1)) * loss.loss
        for weight, count, loss in zip(weights, counts, losses, strict=True)
    ]


def _mean(loss: Terms | jax.Array) -> jax.Array:
    if isinstance(loss, Terms):
        return mean_of_terms(loss)
    chex.assert_rank(loss, {0, 1})
    return jnp.mean(loss) if loss.ndim else loss


def check_weights(weights: Sequence[float], losses: int) -> None:
    """Refuses weights that no losses can have.

    Raises:
      InputError: if there isn't one for each loss, or one is negative or not finite.
    """
    if len(weights) != losses or not losses:
        raise InputError(f"weights must be one for each of {losses} losses, found {len(weights)}")
    # NaN fails this comparison.
    for weight in weights:
        if not 0 <= weight < float("inf"):
            raise InputError(f"weights must be finite and at least 0, found {weight}")
