"""Triplets drawn at random, weighted by distance or by relevance."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.terms import class_masks
from jaxemb.losses.triplet import Triplets
from jaxemb.sampling.triplets import all_triplets, triplets_of_pairs


def distance_weighted_triplets(
    key: jax.Array,
    distances: jax.Array,
    labels: jax.Array,
    *,
    dim: int,
    positives: int,
    cutoff: float = 0.5,
    farthest: float = 1.4,
    where: jax.Array | None = None,
) -> Triplets:
    """Draws for each pair a negative such that all distances are about equally frequent.

    Distances of uniform points on the sphere have the density q(d), which is all but zero away from
    sqrt(2); a negative is drawn in proportion to min(1 / q(d), 1 / q(cutoff)).

    Args:
      key: random key.
      distances: [B, B] Euclidean between vectors of norm 1, in [0, 2].
      labels: [B] int.
      dim: D, width of the vectors.
      positives: the most of an anchor that are paired with it, as in `all_triplets`.
      cutoff: nearer negatives weigh no more than one as far, since the nearest are mostly noise.
      farthest: farther negatives give no loss with the paper's margin and are drawn, evenly, only
        where there are no others, as in the authors' program.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A triplet for each pair, T = B K, by anchor.

    Raises:
      AssertionError: while tracing, if the shapes disagree.

    Reference:
      Wu et al. 2017, arXiv:1706.07567, section 4.1.
    """
    chex.assert_shape(distances, (len(labels), len(labels)))
    chosen, paired, negative = all_triplets(labels, positives=positives, where=where)

    def log_density(distance: jax.Array | float) -> jax.Array:
        tiny = jnp.finfo(distances.dtype).tiny
        rest = jnp.maximum(1 - jnp.square(distance) / 4, tiny)
        return (dim - 2) * jnp.log(jnp.maximum(distance, tiny)) + (dim - 3) / 2 * jnp.log(rest)

    logs = jnp.minimum(-log_density(distances), -log_density(cutoff))
    near = negative & (distances < farthest)
    logs = jnp.where(near.any(axis=1, keepdims=True), _logs(near, logs), _logs(negative, 0))
    best = jnp.max(logs, axis=1, keepdims=True)
    weights = jnp.exp(logs - jnp.where(jnp.isfinite(best), best, 0))  # [B, B]
    # By cumulative weights: five times faster than a random number for each candidate.
    upto = jnp.cumsum(weights, axis=1)
    place = jax.random.uniform(key, chosen.shape) * upto[:, -1:]  # [B, K]
    passed = (weights > 0)[:, None, :] & (upto[:, None, :] > place[:, :, None])  # [B, K, B]
    # Rounding can leave nothing above the place: then it is the last candidate.
    column = jnp.arange(len(labels), dtype=jnp.int32)
    last = jnp.max(jnp.where(weights > 0, column[None, :], 0), axis=1, keepdims=True)
    drawn = jnp.min(jnp.where(passed, column[None, None, :], last[:, :, None]), axis=2)
    return triplets_of_pairs(chosen, drawn, paired & negative.any(axis=1, keepdims=True))


def relevance_weighted_triplets(
    key: jax.Array,
    relevance: jax.Array,
    labels: jax.Array,
    *,
    triplets: int,
    most_relevant: float,
    margin: float,
    out_of_class: float,
    where: jax.Array | None = None,
) -> Triplets:
    """Draws triplets as deep ranking does, for similarity finer than classes.

    Anchors are drawn in proportion to their relevance to the rest of their class, positives from
    there in proportion to their own; negatives likewise, if less relevant by a margin, or evenly
    from the other classes.

    Args:
      key: random key.
      relevance: [B, B] at least 0, of pairs within a class; others are ignored.
      labels: [B] int, classes.
      triplets: T.
      most_relevant: more relevant pairs weigh no more than such a one (the paper's T_p).
      margin: by how much a negative of the class must be less relevant than the positive (T_r).
      out_of_class: in [0, 1], share of negatives from other classes.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      T triplets. Not valid if no candidate was left for the negative.

    Raises:
      AssertionError: while tracing, if the shapes disagree.

    Reference:
      Wang et al. 2014, arXiv:1404.4661, section 5.2.
    """
    chex.assert_shape(relevance, (len(labels), len(labels)))
    anchor_key, positive_key, side_key, negative_key = jax.random.split(key, 4)
    same, other = class_masks(labels, where)
    total = jnp.sum(relevance, axis=1, where=same)
    anchor = jax.random.categorical(anchor_key, _logs(total > 0, jnp.log(total)), shape=(triplets,))
    same, other, relevance = same[anchor], other[anchor], relevance[anchor]  # [T, B]
    weights = _logs(same & (relevance > 0), jnp.log(jnp.minimum(relevance, most_relevant)))
    positive = jax.random.categorical(positive_key, weights, axis=1)
    reached = jnp.take_along_axis(relevance, positive[:, None], axis=1)
    within = jnp.where(reached - relevance >= margin, weights, -jnp.inf)
    without = jax.random.bernoulli(side_key, out_of_class, (triplets, 1))
    negatives = jnp.where(without, _logs(other, 0), within)
    negative = jax.random.categorical(negative_key, negatives, axis=1)
    valid = (weights > -jnp.inf).any(axis=1) & (negatives > -jnp.inf).any(axis=1)
    anchor, positive, negative = (x.astype(jnp.int32) for x in (anchor, positive, negative))
    return Triplets(anchor, positive, negative, valid)


def _logs(allowed: jax.Array, logs: jax.Array | float) -> jax.Array:
    return jnp.where(allowed, logs, -jnp.inf)
