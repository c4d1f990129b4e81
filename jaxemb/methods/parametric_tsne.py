"""Parametric t-SNE: an encoder trained on t-SNE's objective, alone or with others.

A step sees a batch of points and a neighbor of each. What the encoder has learnt places points
that it never saw. Kullback-Leibler divergence, triplets of labeled points and reconstruction are
terms of one loss; a weight of 0 leaves a term out of the program.
"""

from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb.errors import InputError
from jaxemb.losses.distances import pairwise_squared_euclidean
from jaxemb.losses.reconstruction import reconstruction_loss
from jaxemb.losses.sampled_tsne_kl import sampled_tsne_kl
from jaxemb.losses.terms import mean_of_terms
from jaxemb.losses.triplet import mined_triplets_loss
from jaxemb.methods.autoencoder import Fitted, moments, standard
from jaxemb.methods.tsne.affinities import check_perplexity
from jaxemb.projections.affinities import by_perplexity
from jaxemb.projections.neighbors import check_points, nearest_neighbors
from jaxemb.sampling.neighbor_pairs import neighbor_pairs
from jaxemb.sampling.triplets import hardest_triplets
from jaxemb.training import before_network as network


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
    key: jax.Array,
    model: nn.Module,
    points: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    perplexity: float = 30.0,
    weights: Weights,
    margin: float = 1.0,
    iterations: int = 5000,
    batch: int = 1024,
    learning_rate: float = 1e-3,
    checkpoints: Path | None = None,
    checkpoint_every: int = 0,
    report: network.Report | None = None,
) -> Fitted:
    """Trains an encoder to map points, with Adam.

    Args:
      key: the parameters and the pairs are drawn from here.
      model: a Flax module with the methods `encode`, [B, D] to the map [B, d], and `decode`, back.
      points: [N, D] finite float, N at least 4.
      labels: [N] int; -1 for a point whose class is not told. None tells none.
      perplexity: how many neighbors a point sees, from 1 to less than N / 3.
      weights: of the terms of the loss.
      margin: of the triplets, in squared units of the map.
      iterations: steps; goes on from the last checkpoint if there is one.
      batch: points a step; at most N, which is taken if it is less.
      learning_rate: at the start; it falls to 0 along a cosine.
      checkpoints: folder of the checkpoints; None keeps none.
      checkpoint_every: steps between them; 0 saves at the end only.
      report: called with (steps done, metrics of the latest, seconds so far).

    Returns:
      The network, for `training.autoencoder.encode`; the same bits for the same arguments on the
      same machine, interrupted or not. Its loss is the weighted sum.

    Raises:
      InputError: if an argument is none of the above, all points are equal, no weight is more than
        0, triplets are asked for without labels, the loss explodes, or no checkpoint can be used.
    """
    check_points(points)
    count = len(points)
    if batch < 2:
        raise InputError(f"batch must be at least 2, found {batch}")
    if not all(0 <= weight < float("inf") for weight in weights) or not any(weights):
        raise InputError(f"weights must be at least 0 and one of them more, found {weights}")
    if weights.triplet and (labels is None or not (labels >= 0).any()):
        raise InputError("triplets need labels; set their weight to 0, or tell some")
    check_perplexity(perplexity, count)
    mean, scale = moments(points)
    if scale == 0:
        raise InputError(
            f"all {count:,} points are at the same place; were the right columns read?"
        )
    values = standard(points, mean, scale)
    near = nearest_neighbors(values, k=int(3 * perplexity))
    p = np.asarray(by_perplexity(jnp.asarray(near.distances), perplexity=perplexity).p)
    init_key, pair_key, base_key = jax.random.split(key, 3)
    pairs = neighbor_pairs(pair_key, near.ids, p, size=min(batch, count))
    told = np.full(count, -1, np.int32) if labels is None else labels.astype(np.int32)

    def batches(start: int, stop: int) -> Batch:
        rows, neighbors = pairs(start, stop)
        return Batch(values[rows], values[neighbors], told[rows])

    trained = network.fit(
        base_key,
        jax.jit(model.init)(init_key, jnp.zeros((1, points.shape[1]))),
        objective(model, weights=weights, margin=margin, points=count),
        batches,
        iterations=iterations,
        learning_rate=learning_rate,
        # That of a map in one point and of points given back as their mean.
        first_loss=weights.kl * 2 * np.log(count)
        + weights.triplet * margin
        + weights.reconstruction,
        checkpoints=checkpoints,
        checkpoint_every=checkpoint_every,
        report=report,
    )
    return Fitted(
        trained.params, mean, scale, trained.loss, trained.stopped_because, trained.rejected
    )


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
        terms = dict.fromkeys(Weights._fields, jnp.zeros(()))
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
        total = sum((getattr(weights, name) * term for name, term in terms.items()), jnp.zeros(()))
        return total, terms

    return evaluate
