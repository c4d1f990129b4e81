"""Triplets: an example is to be nearer to one of its kind than to another, by a margin.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.distances import pairwise_squared_euclidean
    from jaxemb.losses.terms import mean_of_terms
    from jaxemb.losses.triplet import mined_triplets_loss
    from jaxemb.sampling.triplets import semi_hard_triplets

    vectors = jnp.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]])
    labels = jnp.array([0, 0, 1, 1])
    distances = pairwise_squared_euclidean(vectors, vectors)
    triplets = semi_hard_triplets(distances, labels, margin=0.5, positives=1)
    loss = mean_of_terms(mined_triplets_loss(vectors, triplets, margin=0.5))

Which triplets of a batch to learn from is chosen in `jaxemb.sampling`.
"""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import squared_euclidean
from jaxemb.losses.terms import Terms, check_margin, clip_finite


class Triplets(NamedTuple):
    """T triplets of rows of a batch.

    Attributes:
      anchor: [T] int32.
      positive: [T] int32.
      negative: [T] int32.
      valid: [T] bool; where False there was no such triplet, and its rows mean nothing.
    """

    anchor: jax.Array
    positive: jax.Array
    negative: jax.Array
    valid: jax.Array


class AllTriplets(NamedTuple):
    """All triplets of a batch: each pair of an anchor and its positive, with each negative.

    Attributes:
      positive: [B, K] int32, positives of each anchor.
      paired: [B, K] bool; where False there were no more positives.
      negative: [B, B] bool, negatives of each anchor.
    """

    positive: jax.Array
    paired: jax.Array
    negative: jax.Array


def triplet_loss(
    anchor: jax.Array,
    positive: jax.Array,
    negative: jax.Array,
    *,
    margin: float | None,
    distance: Callable[[jax.Array, jax.Array], jax.Array] = squared_euclidean,
    where: jax.Array | None = None,
) -> Terms:
    """Computes max{0, g + D(anchor, positive) - D(anchor, negative)} of each triplet.

    Args:
      anchor: [T, D] float.
      positive: [T, D] of the anchor's individual or class.
      negative: [T, D] of others.
      margin: g, in the unit of the distance. None gives the soft margin instead,
        log(1 + exp(D(anchor, positive) - D(anchor, negative))), which never stops pulling.
      distance: of rows, from `jaxemb.losses.distances`.
      where: [T] bool, such as the `valid` of `jaxemb.sampling.triplets`; False leaves a triplet
        out. None keeps all.

    Returns:
      A term for each triplet.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.

    Reference:
      Schroff et al. 2015, arXiv:1503.03832, eq. 3; Hermans et al. 2017, arXiv:1703.07737, section 2
      (soft margin).
    """
    chex.assert_rank(anchor, 2)
    chex.assert_equal_shape([anchor, positive, negative])
    here = jnp.ones(len(anchor), bool) if where is None else where
    chex.assert_shape(here, (len(anchor),))
    gap = clip_finite(distance(anchor, positive)) - clip_finite(distance(anchor, negative))
    return Terms(jnp.where(here, _hinge(gap, margin), 0), here.astype(jnp.int32))


def mined_triplets_loss(vectors: jax.Array, triplets: Triplets, *, margin: float | None) -> Terms:
    """Computes the loss of triplets of a batch's rows, in squared Euclidean distance.

    Args:
      vectors: [B, D] float.
      triplets: T of them, from `jaxemb.sampling`; those not valid are left out.
      margin: as for `triplet_loss`.

    Returns:
      A term for each triplet.

    Raises:
      AssertionError: while tracing, if `vectors` is no matrix.
      InputError: if the margin is negative or not a number.
    """
    anchor, positive, negative = (
        vectors[rows] for rows in (triplets.anchor, triplets.positive, triplets.negative)
    )
    return triplet_loss(anchor, positive, negative, margin=margin, where=triplets.valid)


def all_triplets_loss(
    distances: jax.Array,
    positive: jax.Array,
    paired: jax.Array,
    negative: jax.Array,
    *,
    margin: float | None,
) -> Terms:
    """Computes the loss of all triplets of a batch, summed for each anchor.

    Args:
      distances: [B, B] between all examples, by a pairwise function of `jaxemb.losses.distances`.
      positive: [B, K] int, positives of each anchor, as by `jaxemb.sampling.triplets.all_triplets`.
      paired: [B, K] bool; False leaves a positive out.
      negative: [B, B] bool, negatives of each anchor.
      margin: as for `triplet_loss`.

    Returns:
      As many terms for each anchor as it has triplets.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.

    Reference:
      Hermans et al. 2017, arXiv:1703.07737, eq. 6.
    """
    batch = len(distances)
    chex.assert_shape([distances, negative], (batch, batch))
    chex.assert_shape([positive, paired], (batch, None))
    far = clip_finite(distances)
    near = jnp.take_along_axis(far, positive, axis=1)
    valid = paired[:, :, None] & negative[:, None, :]  # [B, K, B]
    loss = _hinge(near[:, :, None] - far[:, None, :], margin)
    count = jnp.sum(paired, axis=1, dtype=jnp.int32) * jnp.sum(negative, axis=1, dtype=jnp.int32)
    return Terms(jnp.sum(loss, axis=(1, 2), where=valid), count)


def _hinge(gap: jax.Array, margin: float | None) -> jax.Array:
    if margin is None:
        return jax.nn.softplus(gap)
    check_margin(margin)
    # Not jnp.maximum, whose gradient at 0 is a half: without a margin, equal points would move.
    return jax.nn.relu(gap + margin)
