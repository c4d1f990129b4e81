"""Contrastive pairs: the same are pulled together, others pushed apart up to a margin.

Example:
    import jax.numpy as jnp

    from jaxemb.losses.contrastive import all_pairs_contrastive_loss
    from jaxemb.losses.distances import pairwise_euclidean
    from jaxemb.losses.terms import mean_of_terms

    vectors = jnp.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-0.6, 0.8]])
    distances = pairwise_euclidean(vectors, vectors)
    terms = all_pairs_contrastive_loss(distances, jnp.array([0, 0, 1, 1]), margin=1.0)
    loss = mean_of_terms(terms)

The same examples as pairs of their own go through `contrastive_loss`.
"""

from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.distances import euclidean
from jaxemb.losses.terms import Terms, check_margin, class_masks, clip_finite


def contrastive_loss(
    first: jax.Array,
    second: jax.Array,
    same: jax.Array,
    *,
    margin: float,
    distance: Callable[[jax.Array, jax.Array], jax.Array] = euclidean,
    where: jax.Array | None = None,
) -> Terms:
    """Computes D^2 / 2 of pairs of the same, and max{0, g - D}^2 / 2 of others.

    Args:
      first: [B, D] float.
      second: [B, D].
      same: [B] bool, whether a pair is of the same individual or class.
      margin: g, in the unit of the distance.
      distance: of rows, from `jaxemb.losses.distances`.
      where: [B] bool; False leaves a pair out. None keeps all.

    Returns:
      A term for each pair.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.

    Reference:
      Hadsell et al. 2006, "Dimensionality reduction by learning an invariant mapping", eq. 4.
    """
    chex.assert_rank(first, 2)
    chex.assert_equal_shape([first, second])
    here = jnp.ones(len(first), bool) if where is None else where
    chex.assert_shape([same, here], (len(first),))
    loss = _pair_loss(distance(first, second), same, margin)
    return Terms(jnp.where(here, loss, 0), here.astype(jnp.int32))


def all_pairs_contrastive_loss(
    distances: jax.Array, labels: jax.Array, *, margin: float, where: jax.Array | None = None
) -> Terms:
    """Computes the contrastive loss of all pairs of a batch, each pair as both examples see it.

    Args:
      distances: [B, B] between all examples, by a pairwise function of `jaxemb.losses.distances`.
      labels: [B] int.
      margin: as for `contrastive_loss`.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A term for each example and each other one.

    Raises:
      AssertionError: while tracing, if a shape disagrees with the above.
      InputError: if the margin is negative or not a number.
    """
    chex.assert_shape(distances, (len(labels), len(labels)))
    positive, negative = class_masks(labels, where)
    loss = _pair_loss(distances, positive, margin)
    pairs = positive | negative
    return Terms(jnp.sum(loss, axis=1, where=pairs), jnp.sum(pairs, axis=1, dtype=jnp.int32))


def _pair_loss(distances: jax.Array, same: jax.Array, margin: float) -> jax.Array:
    check_margin(margin)
    # The wrong branch's square may overflow, and then have a gradient that is not finite.
    near = jnp.where(same, distances, 0)
    short = jnp.where(same, 0, jax.nn.relu(margin - distances))
    return clip_finite(jnp.square(near) + jnp.square(short)) / 2
