"""Mining: which triplets of a batch a triplet loss learns from, listed once by name."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from jaxemb.losses.triplet import AllTriplets, Triplets
from jaxemb.sampling.triplets import (
    all_triplets,
    hardest_triplets,
    random_triplets,
    semi_hard_triplets,
)
from jaxemb.sampling.weighted_triplets import distance_weighted_triplets


class Batch(NamedTuple):
    """What triplets are chosen by.

    Attributes:
      key: random key.
      squared: [B, B] squared Euclidean distances, without gradient.
      labels: [B] int.
      dim: D, width of the vectors.
      margin: of the loss; None for the soft margin.
      positives: the most of an anchor that are paired with it.
    """

    key: jax.Array
    squared: jax.Array
    labels: jax.Array
    dim: int
    margin: Any
    positives: int


Miner = Callable[[Batch], Triplets | AllTriplets]

MINING: dict[str, Miner] = {
    "all": lambda batch: all_triplets(batch.labels, positives=batch.positives),
    "random": lambda batch: random_triplets(batch.key, batch.labels),
    "hardest": lambda batch: hardest_triplets(batch.squared, batch.labels),
    "semi_hard": lambda batch: semi_hard_triplets(
        batch.squared, batch.labels, margin=batch.margin, positives=batch.positives
    ),
    "distance_weighted": lambda batch: distance_weighted_triplets(
        batch.key, jnp.sqrt(batch.squared), batch.labels, dim=batch.dim, positives=batch.positives
    ),
}

if TYPE_CHECKING:
    Name = str
else:
    Name = Literal[tuple(MINING)]
