"""Observed events, each with an item that its user has not: what ranking learns from."""

from typing import NamedTuple

import jax
import numpy as np

from jaxemb.data.events import Events

# Draws for an event until its item is one that the user has not.
_TRIES = 20


class Triples(NamedTuple):
    """Events and what did not happen instead.

    Attributes:
      users: [B] int32.
      items: [B] int32 that they have.
      others: [B] int32 that they have not.
      where: [B] bool; False where none was found, as the user has nearly all.
    """

    users: np.ndarray
    items: np.ndarray
    others: np.ndarray
    where: np.ndarray


class TripleStream:
    """Every event once an epoch, in an order given by the key and the epoch.

    Attributes:
      epoch_steps: steps of an epoch.
    """

    def __init__(self, key: jax.Array, events: Events, *, size: int):
        """Prepares the draws.

        Args:
          key: random key.
          events: E of them.
          size: events of a step, B, in 1..E. An incomplete last step is dropped; which events it
            has is random.
        """
        self._events, self._size = events, size
        self.epoch_steps = len(events.users) // size
        # Drawn by NumPy, seeded by the key: no draw waits for a device.
        self._seed = [int(word) for word in np.asarray(jax.random.key_data(key)).ravel()]
        self._had = np.unique(self._pairs(events.users, events.items))
        self._newest: tuple[int, Triples | None] = (-1, None)

    def batches(self, start: int, stop: int) -> Triples:
        """Returns the triples of steps start to stop - 1, [stop - start, B] each."""
        found = [self._epoch(step // self.epoch_steps) for step in range(start, stop)]
        places = [step % self.epoch_steps for step in range(start, stop)]
        return Triples(
            *(
                np.stack([leaves[at] for leaves, at in zip(side, places, strict=True)])
                for side in zip(*found, strict=True)
            )
        )

    def _pairs(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        return users.astype(np.int64) * len(self._events.item_names) + items

    def _epoch(self, epoch: int) -> Triples:
        """Returns the triples of an epoch, [steps, B] each."""
        known, found = self._newest
        if known != epoch or found is None:
            rng = np.random.default_rng([*self._seed, epoch])
            rows = rng.permutation(len(self._events.users))[: self.epoch_steps * self._size]
            users, items = self._events.users[rows], self._events.items[rows]
            others = np.zeros_like(items)
            open_ = np.arange(len(rows))
            for _ in range(_TRIES):
                others[open_] = rng.integers(len(self._events.item_names), size=len(open_))
                pairs = self._pairs(users[open_], others[open_])
                at = np.minimum(np.searchsorted(self._had, pairs), len(self._had) - 1)
                open_ = open_[self._had[at] == pairs]
            where = np.ones(len(rows), bool)
            where[open_] = False
            shape = (self.epoch_steps, self._size)
            found = Triples(*(one.reshape(shape) for one in (users, items, others, where)))
            self._newest = (epoch, found)
        return found
