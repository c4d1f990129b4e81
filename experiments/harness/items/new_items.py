"""Items that nobody has had yet: does what is known of them find those who will have them?"""

import dataclasses
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.data.events import Events
from jaxemb.data.item_titles import Titles
from jaxemb.methods import items
from jaxemb.training.run import Run

from .. import run_folder

# Items of fewer events tell little of a method.
_LEAST = 5
# Tried with half of the items held out.
_PENALTIES = (0.01, 0.1, 1.0, 10.0)


class Placed(NamedTuple):
    """How well items that were held out are placed: areas under curves, each user's mean.

    Attributes:
      items: held out for the test.
      penalty: of the ridge regression, chosen with others; None of two_towers, which has none.
      decay: likewise.
      area: chance that a user's vector is nearer to an item that the user had than to one that not.
      of_kinds: the same by the cosine of kinds and years, without vectors.
      of_counts: the same by how often an item was had, which nobody knows of a new one.
    """

    items: int
    penalty: float | None
    decay: float
    area: float
    of_kinds: float
    of_counts: float


def features_of(titles: Titles) -> np.ndarray:
    """Returns whether each item has each feature: [I, F] of 0 or 1."""
    names = titles.features()
    columns = sorted({name for some in names for name in some})
    return np.array([[name in some for name in columns] for some in names], np.float32)


def score(
    seed: int,
    events: Events,
    titles: Titles,
    options: items.Options,
    run: Run,
    *,
    decays: Sequence[float],
) -> Placed | None:
    """Holds out a fifth of the items, trains on the others, and places those held out.

    Half of them choose the penalty and the decay, the others are scored. Tags are left out: who
    tags an item has had it.

    Returns:
      The scores; None where there are too few items.
    """
    counts = np.bincount(events.items, minlength=len(events.item_names))
    frequent = np.flatnonzero(counts >= _LEAST)
    drawn = np.random.default_rng(seed).permutation(frequent)[: len(frequent) // 5]
    if len(drawn) < 10:
        return None
    known = events.at(~np.isin(events.items, drawn))
    titles = titles._replace(tags=None)
    towers = options.method == "two_towers"
    names = titles.features() if towers else None
    fitted = items.fit(seed, known, options, features=names, run=run)
    run_folder.stop_if_asked(fitted.history)
    users = {
        decay: items.encode_events(
            fitted._replace(options=dataclasses.replace(options, decay=decay)), known
        )
        for decay in decays
    }
    features = features_of(titles)
    halves = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 :]

    def area(new: np.ndarray, penalty: float | None, decay: float) -> float:
        if penalty is None:  # without an event an item is where its features place it
            return mean_area(items.scores(fitted, users[decay])[:, new], events, new)
        placed = items.place(fitted, features, features[new], penalty=penalty)
        return mean_area(users[decay] @ placed.T, events, new)

    tried = itertools.product((None,) if towers else _PENALTIES, decays)
    penalty, decay = max(tried, key=lambda pair: area(halves[0], *pair))
    new = halves[1]
    count = len(events.user_names)
    profiles = np.zeros((count, features.shape[1]), np.float32)
    np.add.at(profiles, known.users, features[known.items])
    lengths = np.maximum(np.linalg.norm(features[new], axis=1), 1)  # 0 where nothing is known
    return Placed(
        len(new),
        penalty,
        decay,
        area(new, penalty, decay),
        mean_area(profiles @ (features[new] / lengths[:, None]).T, events, new),
        mean_area(np.broadcast_to(counts[new], (count, len(new))), events, new),
    )


def mean_area(scores: np.ndarray, events: Events, new: np.ndarray) -> float:
    """Returns the mean over users of the area under the curve; half a point for a tie.

    Args:
      scores: [U, M] of the new items.
      events: all.
      new: [M] positions of the new items.
    """
    had = np.zeros((len(scores), len(events.item_names)), bool)
    had[events.users, events.items] = True
    areas = []
    for row, own in zip(scores, had[:, new], strict=True):
        if own.any() and not own.all():
            ahead = row[own][:, None] - row[~own][None]
            areas.append(np.mean((ahead > 0) + 0.5 * (ahead == 0)))
    return float(np.mean(areas))
