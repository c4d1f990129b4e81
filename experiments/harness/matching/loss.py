"""Losses and mining of experiments that learn from labeled batches, chosen by fields."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Literal

import jax
import jax.numpy as jnp

from jaxemb.losses.angular_margin import cosface_loss
from jaxemb.losses.contrastive import all_pairs_contrastive_loss
from jaxemb.losses.distances import pairwise_euclidean, pairwise_squared_euclidean
from jaxemb.losses.proxy import proxy_nca_loss
from jaxemb.losses.supervised_contrastive import supervised_contrastive_loss
from jaxemb.losses.terms import Terms
from jaxemb.losses.triplet import all_triplets_loss, mined_triplets_loss
from jaxemb.sampling.triplets import (
    all_triplets,
    hardest_triplets,
    random_triplets,
    semi_hard_triplets,
)
from jaxemb.sampling.weighted_triplets import distance_weighted_triplets

from .. import command
from . import training as matching


@dataclasses.dataclass(frozen=True)
class Config(matching.Config):
    """The fields of the loss; an experiment adds its own."""

    loss: Literal["triplet", "contrastive", "supervised_contrastive", "proxy_nca", "cosface"] = (
        "supervised_contrastive"
    )
    """What brings examples of a class together."""
    mining: Literal["all", "random", "hardest", "semi_hard", "distance_weighted"] = "semi_hard"
    """Which triplets of a batch to learn from: triplet."""
    margin: float = 0.2
    """Of squared distances: triplet; of distances: contrastive; of cosines: cosface."""
    temperature: float = 0.1
    """What cosines are divided by: supervised_contrastive, proxy_nca and cosface."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "margin", at_least=0, at_most=4)
        command.check_field(self, "temperature", above=0, at_most=100)


def init(key: jax.Array, config: Config, classes: int) -> dict[str, jax.Array]:
    """Draws what the loss itself learns: "centers" [C, D], a vector for each class, or nothing.

    Args:
      key: drawn from.
      config: the experiment's.
      classes: C.

    Returns:
      What to add to the encoder's parameters; empty for losses that compare examples.
    """
    if config.loss not in ("proxy_nca", "cosface"):
        return {}
    return {"centres": jax.random.normal(key, (classes, config.dim))}


def make(config: Config) -> Callable[[Any, jax.Array, tuple[jax.Array, jax.Array]], Terms]:
    """Returns the loss: (parameters, [B, D], (key of the mining, labels [B])) -> its terms."""

    def loss(params: Any, vectors: jax.Array, told: tuple[jax.Array, jax.Array]) -> Terms:
        key, labels = told
        match config.loss:
            case "triplet":
                return _triplet_loss(config, key, vectors, labels)
            case "contrastive":
                distances = pairwise_euclidean(vectors, vectors)
                return all_pairs_contrastive_loss(distances, labels, margin=config.margin)
            case "supervised_contrastive":
                return supervised_contrastive_loss(vectors, labels, temperature=config.temperature)
            case "proxy_nca":
                return proxy_nca_loss(
                    vectors, labels, params["centres"], temperature=config.temperature
                )
            case "cosface":
                return cosface_loss(
                    vectors,
                    labels,
                    params["centres"],
                    scale=1 / config.temperature,
                    margin=config.margin,
                )

    return loss


def first_loss(config: Config, classes: int) -> float:
    """Returns about the loss of a network that knows nothing."""
    batch = config.identities * config.samples
    return {
        "triplet": config.margin + 1,
        "contrastive": (1 + config.margin**2) / 2,
        "supervised_contrastive": math.log(batch),
        "proxy_nca": math.log(classes) + 1 / config.temperature,
        "cosface": math.log(classes) + (1 + config.margin) / config.temperature,
    }[config.loss]


def _triplet_loss(config: Config, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
    """Takes the loss of the triplets mined, in squared distances."""
    if config.mining == "random":
        return mined_triplets_loss(vectors, random_triplets(key, labels), margin=config.margin)
    squared = pairwise_squared_euclidean(vectors, vectors)
    positives = config.samples - 1
    if config.mining == "all":
        triplets = all_triplets(labels, positives=positives)
        return all_triplets_loss(squared, *triplets, margin=config.margin)
    seen = jax.lax.stop_gradient(squared)
    if config.mining == "hardest":
        mined = hardest_triplets(seen, labels)
    elif config.mining == "semi_hard":
        mined = semi_hard_triplets(seen, labels, margin=config.margin, positives=positives)
    else:
        mined = distance_weighted_triplets(
            key, jnp.sqrt(seen), labels, dim=config.dim, positives=positives
        )
    return mined_triplets_loss(vectors, mined, margin=config.margin)
