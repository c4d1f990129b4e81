"""Mining: which triplets (anchor, positive, negative) of a batch to learn from.

A positive is another example of the anchor's individual or class, a negative one of another. All
shapes are static; what there is too few of is marked in `valid`. Nothing is differentiated here:
take the losses of the rows chosen (`jaxemb.losses.triplet`). Draws by distance or by relevance are
in `jaxemb.sampling.weighted_triplets`.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from jaxemb.losses.terms import check_margin, class_masks
from jaxemb.losses.triplet import AllTriplets, Triplets


def all_triplets(
    labels: jax.Array, *, positives: int, where: jax.Array | None = None
) -> AllTriplets:
    """Lists all triplets; for `jaxemb.losses.triplet.all_triplets_loss`.

    Args:
      labels: [B] int.
      positives: K, the most of an anchor that are paired with it, the first of the batch; with
        `jaxemb.sampling.balanced` one less than the samples of an identity, which is all.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      The triplets.

    Reference:
      Hermans et al. 2017, arXiv:1703.07737, eq. 6 ("batch all").
    """
    return AllTriplets(*_pairs(labels, positives, where), class_masks(labels, where)[1])


def random_triplets(
    key: jax.Array, labels: jax.Array, *, where: jax.Array | None = None
) -> Triplets:
    """Draws for each anchor one positive and one negative, evenly, in time B log B.

    Args:
      key: random key.
      labels: [B] int.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A triplet for each example, T = B.
    """
    positive_key, negative_key = jax.random.split(key)
    groups = _grouped(labels, where)
    positives, negatives = groups.size - 1, groups.present - groups.size

    def draw(key: jax.Array, count: jax.Array) -> jax.Array:
        return jax.random.randint(key, count.shape, 0, jnp.maximum(count, 1))

    # Numbered without the anchor, then without its group.
    slot = draw(positive_key, positives)
    place = draw(negative_key, negatives)
    place += jnp.where(place >= groups.start, groups.size, 0)
    return Triplets(
        jnp.arange(len(labels), dtype=jnp.int32),
        _member(groups, slot),
        groups.order[place],
        groups.here & (positives > 0) & (negatives > 0),
    )


def hardest_triplets(
    distances: jax.Array, labels: jax.Array, *, where: jax.Array | None = None
) -> Triplets:
    """Chooses for each anchor the farthest positive and the nearest negative ("batch hard").

    Args:
      distances: [B, B] between all examples.
      labels: [B] int.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A triplet for each example, T = B; of equally far ones the first.

    Raises:
      AssertionError: while tracing, if the shapes disagree.

    Reference:
      Hermans et al. 2017, arXiv:1703.07737, eq. 5.
    """
    chex.assert_shape(distances, (len(labels), len(labels)))
    positive, negative = class_masks(labels, where)
    return Triplets(
        jnp.arange(len(labels), dtype=jnp.int32),
        _first_smallest(jnp.where(positive, -distances, jnp.inf)),
        _first_smallest(jnp.where(negative, distances, jnp.inf)),
        positive.any(axis=1) & negative.any(axis=1),
    )


def semi_hard_triplets(
    distances: jax.Array,
    labels: jax.Array,
    *,
    margin: float,
    positives: int,
    where: jax.Array | None = None,
) -> Triplets:
    """Chooses for each pair the nearest negative that is farther than the positive.

    It must also be nearer than the positive and the margin, or the triplet has no loss.

    Args:
      distances: [B, B] between all examples, in the unit of the loss.
      labels: [B] int.
      margin: of the loss.
      positives: the most of an anchor that are paired with it, as in `all_triplets`.
      where: [B] bool; False leaves an example out. None keeps all.

    Returns:
      A triplet for each pair, T = B K, by anchor. Not valid if no negative is semi-hard.

    Raises:
      AssertionError: while tracing, if the shapes disagree.
      InputError: if the margin is negative or not a number.

    Reference:
      Schroff et al. 2015, arXiv:1503.03832, eq. 4.
    """
    check_margin(margin)
    chex.assert_shape(distances, (len(labels), len(labels)))
    chosen, paired, negative = all_triplets(labels, positives=positives, where=where)
    near = jnp.take_along_axis(distances, chosen, axis=1)[:, :, None]  # [B, K, 1]
    far = distances[:, None, :]
    allowed = negative[:, None, :] & (far > near) & (far < near + margin)  # [B, K, B]
    nearest = _first_smallest(jnp.where(allowed, far, jnp.inf))
    return triplets_of_pairs(chosen, nearest, paired & allowed.any(axis=2))


def triplets_of_pairs(positive: jax.Array, negative: jax.Array, valid: jax.Array) -> Triplets:
    """Lists the triplets of pairs and a negative for each.

    Args:
      positive: [B, K] int32, positives of each anchor.
      negative: [B, K] int32, the negative of each pair.
      valid: [B, K] bool.

    Returns:
      A triplet for each pair, T = B K, by anchor.
    """
    anchor = jnp.arange(len(positive), dtype=jnp.int32)[:, None]
    anchor = jnp.broadcast_to(anchor, positive.shape)
    return Triplets(anchor.ravel(), positive.ravel(), negative.ravel(), valid.ravel())


class _Groups(NamedTuple):
    """Where a batch's examples stand once sorted by label, those left out last."""

    order: jax.Array  # [B] int32, rows in this order
    start: jax.Array  # [B] int32, where the group of each row starts
    size: jax.Array  # [B] int32, of the group of each row
    rank: jax.Array  # [B] int32, of each row in its group
    here: jax.Array  # [B] bool
    present: jax.Array  # [] int32, rows not left out


def _grouped(labels: jax.Array, where: jax.Array | None) -> _Groups:
    chex.assert_rank(labels, 1)
    rows = len(labels)
    here = jnp.ones(rows, bool) if where is None else where
    order = jnp.lexsort((labels, ~here)).astype(jnp.int32)
    place = jnp.arange(rows, dtype=jnp.int32)
    sorted_, kept = labels[order], here[order]
    changes = (sorted_[1:] != sorted_[:-1]) | (kept[1:] != kept[:-1])
    edge = jnp.ones(1, bool)
    starts = jax.lax.cummax(jnp.where(jnp.concatenate([edge, changes]), place, 0))
    ends = jnp.where(jnp.concatenate([changes, edge]), place + 1, rows)
    ends = jax.lax.cummin(ends, reverse=True)

    def by_row(values: jax.Array) -> jax.Array:
        return jnp.zeros_like(place).at[order].set(values)

    return _Groups(
        order,
        by_row(starts),
        by_row(ends - starts),
        by_row(place - starts),
        here,
        jnp.sum(here, dtype=jnp.int32),
    )


def _member(groups: _Groups, slot: jax.Array) -> jax.Array:
    """Returns a row of each row's group, numbered without the row itself."""
    return groups.order[groups.start + slot + (slot >= groups.rank)]


def _pairs(
    labels: jax.Array, positives: int, where: jax.Array | None
) -> tuple[jax.Array, jax.Array]:
    """Returns [B, K] positives of each anchor and which of them there are."""
    groups = _grouped(labels, where)
    by_slot = jax.vmap(_member, (None, 0), 1)
    slots = jnp.arange(positives, dtype=jnp.int32)
    exists = (slots[None, :] < groups.size[:, None] - 1) & groups.here[:, None]
    # Beyond the last row of the batch a slot reads it; it is not valid.
    return by_slot(groups, slots), exists


def _first_smallest(values: jax.Array) -> jax.Array:
    """Finds the column of each row's smallest value, the first of several."""
    column = jax.lax.broadcasted_iota(jnp.int32, values.shape, values.ndim - 1)
    found = values == jnp.min(values, axis=-1, keepdims=True)
    # Two plain minima: on CPU argmin takes twice their time.
    return jnp.min(jnp.where(found, column, values.shape[-1] - 1), axis=-1)
