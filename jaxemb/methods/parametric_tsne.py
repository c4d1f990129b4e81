"""Parametric t-SNE: an encoder trained on t-SNE's objective, alone or with others.

Example:
    import numpy as np
    from jaxemb import parametric_tsne

    points = np.random.default_rng(0).normal(size=(200, 8))
    options = parametric_tsne.Options(perplexity=10, hidden=(16,), iterations=100, batch=64)
    fitted = parametric_tsne.fit(0, points, options)
    places = parametric_tsne.encode(fitted.model, points)  # [200, 2], of these points or new ones

A step sees a batch of points and a neighbor of each. Kullback-Leibler divergence, triplets of
labeled points and reconstruction are terms of one loss; a weight of 0 leaves a term out of the
program.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb import checks
from jaxemb.data.standardized import as_rows, checked_moments, standard
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.losses.combined import weighted_mean
from jaxemb.losses.distances import pairwise_squared_euclidean
from jaxemb.losses.reconstruction import reconstruction_loss
from jaxemb.losses.sampled_tsne_kl import sampled_tsne_kl
from jaxemb.losses.terms import mean_of_terms
from jaxemb.losses.triplet import mined_triplets_loss
from jaxemb.methods.autoencoder import Fitted, Model, encode, reconstruct
from jaxemb.methods.tsne.affinities import check_perplexity
from jaxemb.models.autoencoder import DenseAutoencoder
from jaxemb.projections.affinities import by_perplexity
from jaxemb.projections.neighbors import nearest_neighbors
from jaxemb.sampling.neighbor_pairs import neighbor_pairs
from jaxemb.sampling.triplets import hardest_triplets
from jaxemb.training import loop, network
from jaxemb.training.run import Run
from jaxemb.training.state import Training

__all__ = ["Fitted", "Model", "Options", "encode", "fit", "reconstruct", "start"]


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines a map, the points given."""

    dim: int = 2
    """Dimensions of the map."""
    perplexity: float | None = None
    """How many neighbors a point sees, from 1 to less than a third of the points. None: 30, or as
    many as there can be."""
    neighbors_per_perplexity: float = 3.0
    """Neighbors of a point that have a probability, as a multiple of the perplexity."""
    hidden: tuple[int, ...] = (256, 256)
    """Widths of the layers between the points and the map."""
    kl: float = 1.0
    """Weight of t-SNE's divergence, in nats."""
    triplet: float = 0.0
    """Weight of the triplets of labeled points within a batch, in squared units of the map."""
    reconstruction: float = 0.0
    """Weight of the decoder's error, as a share of the points' variance."""
    margin: float = 10.0
    """Of the triplets, in squared units of the map."""
    iterations: int = 5000
    """Steps of the training."""
    batch: int = 1024
    """Points a step, and a neighbor of each; all points if there are fewer."""
    learning_rate: float = 1e-3
    """Adam's, at the start; it falls to 0 along a cosine. Wide layers begin with less, t / their
    inputs in step t, and it is halved where the loss rises beyond twice that at chance level."""

    def __post_init__(self) -> None:
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=1)
        if self.perplexity is not None:
            checks.check_field(self, "perplexity", at_least=1)
        checks.check_field(self, "neighbors_per_perplexity", at_least=1, at_most=1e6)
        checks.check_widths(self, "hidden")
        for name in (*Weights._fields, "margin"):
            checks.check_field(self, name, at_least=0, at_most=1e6)
        if not any(self.weights):
            raise InputError("kl, triplet and reconstruction are all 0; one of them must be more")
        checks.check_field(self, "iterations", at_least=1)
        checks.check_field(self, "batch", at_least=2)
        checks.check_field(self, "learning_rate", above=0, at_most=10)

    @property
    def weights(self) -> "Weights":
        """The terms' weights."""
        return Weights(self.kl, self.triplet, self.reconstruction)


class Weights(NamedTuple):
    """How much each term counts in the loss.

    Attributes:
      kl: of the divergence, in nats.
      triplet: of the triplets of labeled points within the batch, in squared units of the map.
      reconstruction: of the decoder's mean squared error, in squared units of the points.
    """

    kl: float = 1.0
    triplet: float = 0.0
    reconstruction: float = 0.0


class Batch(NamedTuple):
    """What a step sees.

    Attributes:
      points: [B, D] evenly drawn, all different.
      neighbors: [B, D] a neighbor of each, drawn from p_j|i.
      labels: [B] int32; -1 for a point whose class is not told.
    """

    points: jax.Array
    neighbors: jax.Array
    labels: jax.Array


def fit(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    labels: Any = None,
    module: nn.Module | None = None,
    run: Run | None = None,
) -> Fitted:
    """Trains an encoder to map points, with Adam.

    Args:
      key: random key, or a seed.
      points: [N, D] real numbers, N at least 4.
      options: of the network, its loss and the training.
      labels: [N] int for the triplets; -1 for a point whose class is not told. None tells none.
      module: a Flax module with the methods `encode`, [B, D] to the map [B, d], and `decode`, back,
        in place of the one that the options describe.
      run: checkpoints, log and progress.

    Returns:
      The network; the same bits for the same arguments on the same machine, interrupted or not. Its
      loss is the weighted sum.

    Raises:
      InputError: if an argument is outside its documented range, all points are equal, triplets are
        asked for without labels, the loss explodes, or no checkpoint can be used.
    """
    return loop.fit(start(key, points, options, labels=labels, module=module), run)


def start(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    labels: Any = None,
    module: nn.Module | None = None,
) -> Training:
    """Prepares the training; its arguments are those of `fit`.

    Raises:
      InputError: as `fit`.
    """
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    points = as_rows(points)
    count, width = points.shape
    known = _known_labels(labels, count, needed=options.triplet > 0)
    perplexity = check_perplexity(options.perplexity, count)[0]
    neighbors = _neighbors(options, perplexity, count)
    model = DenseAutoencoder(width, options.dim, options.hidden) if module is None else module
    mean, scale = checked_moments(points)
    values = standard(points, mean, scale)
    near = nearest_neighbors(values, k=neighbors)
    p = np.asarray(by_perplexity(jnp.asarray(near.distances), perplexity=perplexity).p)
    init_key, pair_key, base_key = jax.random.split(key, 3)
    pairs = neighbor_pairs(pair_key, near.ids, p, size=min(options.batch, count))

    def batches(start: int, stop: int) -> Batch:
        rows, partners = pairs(start, stop)
        return Batch(values[rows], values[partners], known[rows])

    weights = options.weights
    return network.start(
        base_key,
        network.initial(model, init_key, jnp.zeros((1, width))),
        objective(model, weights=weights, margin=options.margin, points=count),
        batches,
        finish=lambda params: Fitted(Model(model, params, mean, scale), options),
        iterations=options.iterations,
        learning_rate=options.learning_rate,
        # That of a map in one point and of points reconstructed as their mean.
        chance_loss=weights.kl * 2 * np.log(count)
        + weights.triplet * options.margin
        + weights.reconstruction,
        about=options,
    )


def _known_labels(labels: Any, count: int, *, needed: bool) -> np.ndarray:
    """Returns the labels [N] int32, -1 where none is told."""
    if labels is None:
        found = np.full(count, -1, np.int32)
    else:
        checks.check_labels(np.asarray(labels), count)
        found = np.asarray(labels).astype(np.int32)
    if needed and not (found >= 0).any():
        raise InputError("triplet needs labels; give some, or set it to 0")
    return found


def _neighbors(options: Options, perplexity: float, count: int) -> int:
    """Returns how many neighbors of each of N points have a probability."""
    found = int(options.neighbors_per_perplexity * perplexity)
    if found >= count:
        raise InputError(
            f"neighbors_per_perplexity must leave fewer neighbors than the {count:,} points, found "
            f"{options.neighbors_per_perplexity:g}, that is {found:,}"
        )
    return found


def objective(
    model: nn.Module, *, weights: Weights, margin: float, points: int
) -> network.Objective:
    """Returns the loss of a batch.

    Args:
      model: with the methods `encode`, [B, D] to the map [B, d], and `decode`, back.
      weights: of the terms.
      margin: of the triplets, in squared units of the map.
      points: N, how many the batches are drawn from.

    Returns:
      The function: (parameters, batch) -> (loss, metrics: the terms, 0 where left out: "kl",
      without its constant, the sum of p log p, "triplet" and "reconstruction").

    Reference:
      van der Maaten 2009, AISTATS; its batches are maps of their own, here they are samples of one.
    """

    def evaluate(params: Any, batch: Batch) -> tuple[jax.Array, dict[str, jax.Array]]:
        terms: dict[str, jax.Array] = {}
        seen = jnp.concatenate([batch.points, batch.neighbors] if weights.kl else [batch.points])
        places: Any = model.apply(params, seen, method="encode")
        center, neighbor = places[: len(batch.points)], places[len(batch.points) :]
        if weights.kl:
            terms["kl"] = sampled_tsne_kl(center, neighbor, points=points)
        if weights.triplet:
            distances = pairwise_squared_euclidean(center, center)
            chosen = hardest_triplets(distances, batch.labels, where=batch.labels >= 0)
            terms["triplet"] = mean_of_terms(mined_triplets_loss(center, chosen, margin=margin))
        if weights.reconstruction:
            given_back: Any = model.apply(params, center, method="decode")
            errors = reconstruction_loss(batch.points, given_back)
            terms["reconstruction"] = errors.mean() / batch.points.shape[1]
        total = weighted_mean(list(terms.values()), [getattr(weights, name) for name in terms])
        return total, dict.fromkeys(Weights._fields, jnp.zeros(())) | terms

    return evaluate
