"""Recommendations by methods and baselines, scored by what users took next."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import numpy as np
from scipy.sparse import csr_array

from jaxemb.data.events import Events
from jaxemb.evaluation.recommendation import Held, Score, bootstrap, gains, hits, rank_held
from jaxemb.factorize.svd import svd
from jaxemb.memory import require_memory

# users [b] -> their scores of all items [b, I]
Scores = Callable[[np.ndarray], np.ndarray]
# what is known -> (decay -> scores): what does not depend on the decay is done once
ScoreOf = Callable[[Held], Callable[[float], Scores]]

# What baselines are called in summary.json.
SHORT = {"popularity": "popularity", "item-kNN": "knn", "SVD": "svd"}


class Scored(NamedTuple):
    """How well one training recommends.

    Attributes:
      decay: the value chosen.
      validation_hits: HR@10 of the events before the last ones.
      validation_gains: their NDCG@10, by which the decay was chosen.
      hits: [B] of the users tested, 0 or 1.
      gains: [B] of the users tested.
    """

    decay: float
    validation_hits: float
    validation_gains: float
    hits: np.ndarray
    gains: np.ndarray


def choose(score_of: ScoreOf, decays: Sequence[float], validation: Held, test: Held) -> Scored:
    """Takes the decay of the best NDCG@10 of the validation, and tests it alone."""
    found = []
    faded = score_of(validation)
    for decay in decays:
        ranks = rank_held(faded(decay), validation)
        found.append((float(gains(ranks).mean()), float(hits(ranks).mean()), decay))
    best = max(found)
    ranks = rank_held(score_of(test)(best[2]), test)
    return Scored(best[2], best[1], best[0], hits(ranks), gains(ranks))


def baselines(dim: int, seed: int) -> dict[str, ScoreOf]:
    """Returns what methods are compared with: popularity, item-kNN and SVD, with decay."""

    def popularity(held: Held) -> Callable[[float], Scores]:
        counts = np.bincount(held.known.items, minlength=len(held.known.item_names))
        return lambda decay: lambda users: np.broadcast_to(counts, (len(users), len(counts)))

    def item_knn(held: Held) -> Callable[[float], Scores]:
        cosines = item_cosines(held.known)

        def faded_to(decay: float) -> Scores:
            faded = faded_by(held.known, decay)
            return lambda users: (faded[users] @ cosines).toarray()

        return faded_to

    def truncated_svd(held: Held) -> Callable[[float], Scores]:
        had = had_by(held.known)
        rank = min(dim, *had.shape)
        directions = np.asarray(svd(jax.random.key(seed), had, rank=rank).right)

        def faded_to(decay: float) -> Scores:
            faded = faded_by(held.known, decay)
            return lambda users: (faded[users] @ directions) @ directions.T

        return faded_to

    return {"popularity": popularity, "item-kNN": item_knn, "SVD": truncated_svd}


def item_cosines(events: Events) -> csr_array:
    """Returns the cosines of items by the users who had them, [I, I]; 0 on the diagonal.

    Raises:
      InputError: if memory is short.
    """
    had = had_by(events)
    pairs = min(had.shape[1] ** 2, int(np.square(np.diff(had.indptr).astype(float)).sum()))
    # Values and columns, while they are copied.
    require_memory(24 * pairs, f"cosines of {pairs:,} pairs of items", "the method needs none")
    lengths = np.sqrt(np.maximum(had.sum(axis=0), 1))
    unit = (had / lengths[None]).tocsr()
    found = (unit.T @ unit).tocoo()
    found.data[found.row == found.col] = 0
    return found.tocsr()


def had_by(events: Events) -> csr_array:
    """Returns which user had which item, [U, I] float32 of ones."""
    had = faded_by(events, 1.0)
    had.data[:] = 1
    return had


def faded_by(events: Events, decay: float) -> csr_array:
    """Returns what each item weighs for each user, [U, I] float32: the newest 1, others less."""
    age = events.starts[1:][events.users] - 1 - np.arange(len(events.users))
    weights = np.float32(decay) ** age.astype(np.float32)
    shape = (len(events.user_names), len(events.item_names))
    return csr_array((weights, (events.users, events.items)), shape=shape)


def row(name: str, several: Sequence[Scored]) -> tuple[str, ...]:
    """Returns the cells of a line of the table: means over seeds, intervals over users."""
    decays = sorted({f"{one.decay:g}" for one in several})
    hit, gain = tested(several)
    return (
        name,
        "–" if name == "popularity" else ", ".join(decays),
        f"{np.mean([one.validation_hits for one in several]):.3f}",
        f"{np.mean([one.validation_gains for one in several]):.3f}",
        f"{hit.value:.3f}",
        f"{hit.low:.3f} to {hit.high:.3f}",
        f"{gain.value:.3f}",
        f"{gain.low:.3f} to {gain.high:.3f}",
    )


def tested(several: Sequence[Scored]) -> tuple[Score, Score]:
    """Returns HR@10 and NDCG@10 of the test: each user's mean over seeds, resampled over users."""
    return (
        bootstrap(np.mean([one.hits for one in several], axis=0)),
        bootstrap(np.mean([one.gains for one in several], axis=0)),
    )


def figures(name: str, several: Sequence[Scored]) -> dict[str, float]:
    """Returns the entries of summary.json."""
    hit, gain = tested(several)
    found = {
        "decay": several[0].decay,
        "validation_hits": float(np.mean([one.validation_hits for one in several])),
        "validation_gains": float(np.mean([one.validation_gains for one in several])),
        "hits": hit.value,
        "hits_low": hit.low,
        "hits_high": hit.high,
        "gains": gain.value,
        "gains_low": gain.low,
        "gains_high": gain.high,
    }
    if len(several) > 1:
        found["hits_of_seeds"] = float(np.std([one.hits.mean() for one in several], ddof=1))
        found["gains_of_seeds"] = float(np.std([one.gains.mean() for one in several], ddof=1))
    return {f"{name}_{key}": value for key, value in found.items()}
