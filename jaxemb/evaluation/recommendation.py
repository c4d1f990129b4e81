"""How high the items that users took next were ranked."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxemb.data.events import Events
from jaxemb.errors import InputError

# Scores at a time: 64 MiB.
_AT_A_TIME = 1 << 24


class Held(NamedTuple):
    """Events that are known, and what some users took next.

    Attributes:
      known: events of the same users and items, without those held out.
      users: [B] int, the users who are asked about.
      targets: [B] int, the item of each that is to be found.
      repeated: users left out, since their target is among what they had before.
      short: users left out, since they have too few events.
    """

    known: Events
    users: np.ndarray
    targets: np.ndarray
    repeated: int
    short: int


class Score(NamedTuple):
    """A mean over users.

    Attributes:
      value: the mean.
      low: lower end of its 95% interval, by drawing users with replacement.
      high: upper end.
    """

    value: float
    low: float
    high: float


def hold_out(events: Events, *, last: int = 1, least: int = 3) -> Held:
    """Holds out the newest events of each user; the oldest of these is to be found.

    Args:
      events: with times; ties stand in the order given.
      last: how many are held out: 1 for a test, 2 for the validation before it, which then knows
        nothing of the test.
      least: events that a user must have to be asked about, more than `last`. Users with fewer
        keep theirs all.

    Returns:
      What is known, and what is to be found.

    Raises:
      InputError: if there are no times, so that none is the newest, or no user can be asked about.
    """
    assert 1 <= last < least, f"{last} of {least} events held out"
    if events.times is None:
        raise InputError("events without times have no last one that could be held out")
    ends = events.starts[1:]
    sizes = np.diff(events.starts)
    asked = np.flatnonzero(sizes >= least)
    from_end = ends[events.users] - np.arange(len(events.users))
    known = events.at((from_end > last) | (sizes < least)[events.users])
    targets = events.items[ends[asked] - last]
    width = len(events.item_names)
    had = np.unique(known.users.astype(np.int64) * width + known.items)
    new = ~np.isin(asked.astype(np.int64) * width + targets, had)
    if not new.any():
        raise InputError(
            f"no user can be asked about: of {len(sizes):,}, {len(sizes) - len(asked):,} have "
            f"fewer than {least} events and the others had the item of the event held out before"
        )
    short = len(sizes) - len(asked)
    return Held(known, asked[new], targets[new], int((~new).sum()), short)


def rank_held(score: Callable[[np.ndarray], np.ndarray], held: Held) -> np.ndarray:
    """Ranks the items to be found among all that their users have not had, a block at a time.

    Args:
      score: users [b] -> their scores of all items [b, I].
      held: what is known, and what is to be found.

    Returns:
      [B] int, as of `ranks`.
    """
    width = len(held.known.item_names)
    starts = held.known.starts
    size = max(1, _AT_A_TIME // width)
    found = [np.empty(0, np.int64)]
    for at in range(0, len(held.users), size):
        users = held.users[at : at + size]
        seen = np.zeros((len(users), width), bool)
        for row, user in enumerate(users):
            seen[row, held.known.items[starts[user] : starts[user + 1]]] = True
        found.append(ranks(score(users), held.targets[at : at + size], seen))
    return np.concatenate(found)


def ranks(scores: np.ndarray, targets: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Counts the items that are ranked above each user's next one.

    Args:
      scores: [B, I] of all items for each user, the best largest.
      targets: [B] int, the item that the user took next, not among those seen.
      seen: [B, I] bool, items that are not recommended.

    Returns:
      [B] int, 0 for the first. Of items with equal scores, the one with the smaller number is
      first; a NaN is ranked last.
    """
    own = np.take_along_axis(scores, targets[:, None], axis=1)
    place = np.arange(scores.shape[1])
    with np.errstate(invalid="ignore"):
        above = (scores > own) | ((scores == own) & (place[None] < targets[:, None]))
    above |= np.isnan(own) & ~np.isnan(scores)
    return (above & ~seen).sum(axis=1)


def hits(ranks: np.ndarray, *, k: int = 10) -> np.ndarray:
    """Tells which users' next items are among the first k: [B] 0 or 1. Their mean is HR@k."""
    return (ranks < k).astype(float)


def gains(ranks: np.ndarray, *, k: int = 10) -> np.ndarray:
    """Computes each user's NDCG@k, [B]: with one right item, 1 / log2(2 + rank) if rank < k."""
    return np.where(ranks < k, 1 / np.log2(2.0 + ranks), 0)


def bootstrap(values: np.ndarray, *, seed: int = 0, draws: int = 2000) -> Score:
    """Computes a mean over users, and its 95% interval by resampling them.

    Args:
      values: [B] of each user, B at least 1.
      seed: of the draws.
      draws: samples of B users, with replacement.

    Returns:
      The mean, and the percentiles 2.5 and 97.5 of the samples' means.
    """
    rng = np.random.default_rng(seed)
    size = len(values)
    means = [values[rng.integers(size, size=size)].mean() for _ in range(draws)]
    low, high = np.percentile(means, (2.5, 97.5))
    return Score(float(values.mean()), float(low), float(high))
