"""What vectors of items are for: vectors of users, and items for them, with reasons."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.sparse import csr_array

from jaxemb.data.events import Events
from jaxemb.errors import InputError
from jaxemb.io.word_vectors import WordVectors
from jaxemb.losses.distances import unit
from jaxemb.methods.items.fit import Fitted


class Recommendation(NamedTuple):
    """An item for a user.

    Attributes:
      item: its name.
      score: its cosine to the user's vector.
      because: items of the user with the largest cosine to it, nearest first.
    """

    item: str
    score: float
    because: list[tuple[str, float]]


def encode(fitted: Fitted, histories: Sequence[Sequence[str]]) -> np.ndarray:
    """Computes vectors of users, also of new ones, from the items that they had.

    Args:
      fitted: vectors of items.
      histories: of each user the items in order, the newest last. As the option `decay` says, it
        weighs most.

    Returns:
      [B, dim] float32 of length 1, or 0 where no item has been trained.

    Raises:
      UnknownWordError: if an item has no vector.
      InputError: if a history is empty, or no list.
    """
    if isinstance(histories, str) or any(isinstance(one, str) for one in histories):
        raise InputError('histories must be lists of items, one for each user, as [["a", "b"]]')
    rows = [_rows(fitted.vectors, one) for one in histories]
    sizes = np.array([len(one) for one in rows], np.int64)
    if not len(rows) or not sizes.all():
        raise InputError("there must be one history or more, each with one item or more")
    users = np.repeat(np.arange(len(rows)), sizes)
    weights = np.ones(len(users), np.float32)
    return _encode(fitted, users, np.concatenate(rows), weights, count=len(rows))


def encode_events(fitted: Fitted, events: Events) -> np.ndarray:
    """Computes the vectors of all users of events, as `encode`, with the events' weights.

    Args:
      fitted: vectors of items.
      events: of these items; other events of the same items may be newer than those trained on.

    Returns:
      [U, dim] float32; 0 for users without an event.

    Raises:
      InputError: if the events are of other items.
    """
    if events.item_names != fitted.vectors.words:
        raise InputError("events must be of the items that the vectors were made for")
    count = len(events.user_names)
    return _encode(fitted, events.users, events.items, events.weights, count=count)


def scores(fitted: Fitted, users: np.ndarray) -> np.ndarray:
    """Computes the cosines of users to all items.

    Args:
      fitted: vectors of I items.
      users: [B, dim] from `encode`.

    Returns:
      [B, I] float32.
    """
    return users @ _unit(fitted).T


def recommend(
    fitted: Fitted, history: Sequence[str], k: int = 10, *, reasons: int = 3
) -> list[Recommendation]:
    """Finds items for a user, of those that the user has not had.

    Args:
      fitted: vectors of items.
      history: the user's items in order, the newest last; `events.history(user)` has them.
      k: items wanted; fewer are returned if there are no more.
      reasons: items of the history that are told beside each.

    Returns:
      The items, best first.

    Raises:
      UnknownWordError: if an item has no vector.
      InputError: if the history is empty, or a number is less than 1.
    """
    if k < 1 or reasons < 1:
        raise InputError(f"k and reasons must be at least 1, found {k} and {reasons}")
    found = scores(fitted, encode(fitted, [history]))[0]
    own = np.unique(_rows(fitted.vectors, history))
    found[own] = -np.inf
    best = np.argsort(-found, kind="stable")[: min(k, len(found) - len(own))]
    table, names = _unit(fitted), fitted.vectors.words
    cosines = table[best] @ table[own].T
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :reasons]
    return [
        Recommendation(
            names[item],
            float(found[item]),
            [(names[own[at]], float(cosine[at])) for at in places],
        )
        for item, cosine, places in zip(best, cosines, nearest, strict=True)
    ]


def _rows(vectors: WordVectors, history: Sequence[str]) -> np.ndarray:
    names = [str(item) for item in history]
    for name in names:
        if name not in vectors:
            vectors[name]  # raises, with names that are spelled like it
    return np.array([vectors.row(name) for name in names], np.int32)


def _unit(fitted: Fitted) -> np.ndarray:
    return np.asarray(unit(jnp.asarray(fitted.vectors.vectors)))


def _encode(
    fitted: Fitted, users: np.ndarray, items: np.ndarray, weights: np.ndarray, *, count: int
) -> np.ndarray:
    """Computes vectors of users from their events, which stand user by user, the newest last."""
    ends = np.searchsorted(users, np.arange(count), side="right")
    age = ends[users] - 1 - np.arange(len(users))
    faded = weights * np.float32(fitted.options.decay) ** age.astype(np.float32)
    table = _unit(fitted)
    matrix = csr_array((faded, (users, items)), shape=(count, len(table)))
    return np.asarray(unit(jnp.asarray(matrix @ table)))
