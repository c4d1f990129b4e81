"""Two towers: a user's items before an event, and the event's item, brought to nearby points.

An item is the mean of vectors of its own and of its features, a user the mean of items. Now and
then an item's own vector is left out, so that its features alone place it.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.events import Events
from jaxemb.errors import InputError
from jaxemb.losses.info_nce import info_nce_loss
from jaxemb.losses.terms import Terms
from jaxemb.methods import two_views
from jaxemb.methods.items.options import Options
from jaxemb.methods.matching.losses import Loss
from jaxemb.models.encoders import HistoryEncoder
from jaxemb.training.state import Training

# Items that must have a feature: of one alone it tells no more than the item's own vector.
_LEAST_ITEMS = 2


class Towers(NamedTuple):
    """What the training gives.

    Attributes:
      own: [I, D] float32 vectors of the items themselves; 0 where they have too few events.
      features: [F, D] float32.
      names: of the features.
      bags: [I, T] int32 each item's features, -1 beyond their end.
    """

    own: np.ndarray
    features: np.ndarray
    names: list[str]
    bags: np.ndarray

    @property
    def vectors(self) -> np.ndarray:
        """[I, D] of the items, of no particular length: sums of their parts."""
        # Beyond a bag's end, -1 takes the row of zeros.
        padded = np.concatenate([self.features, np.zeros_like(self.features[:1])])
        return self.own + padded[self.bags].sum(axis=1)


class _Before:
    """What stood before each event, the nearest first: rows are made when they are asked for."""

    ndim = 2

    def __init__(self, values: np.ndarray, places: np.ndarray, starts: np.ndarray, most: int):
        self._values, self._places, self._starts = values, places, starts
        self._back = np.arange(1, most + 1)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Returns [..., H] of some events; 0 before a user's first one."""
        before = self._places[rows][..., None] - self._back
        there = before >= self._starts[rows][..., None]
        return np.where(there, self._values[np.maximum(before, 0)], 0)


def start(
    key: jax.Array, events: Events, features: Sequence[Sequence[str]], options: Options
) -> Training:
    """Prepares the training; it finishes as `Towers`.

    Raises:
      InputError: if features are none, or not lists of names, one for each item; or if no user has
        two events.
    """
    places = np.flatnonzero(events.users[1:] == events.users[:-1]) + 1
    if len(places) < 2:
        raise InputError(f"{len(places)} events have another of their user before, two are needed")
    items = len(events.item_names)
    names, bags = numbered(features, items, most=options.most_features)
    counts = np.bincount(events.items, minlength=items)
    own = np.where(counts >= options.least, np.arange(items), -1)
    parts = jnp.asarray(np.column_stack([own, np.where(bags < 0, -1, bags + items)]), jnp.int32)
    targets = events.items[places]
    begins = events.starts[events.users[places]]
    # A user's vector as `recommend.encode` computes it: an event weighs less, the older it is.
    fading = jnp.asarray(options.decay ** np.arange(options.latest), jnp.float32)

    def augment(key: jax.Array, before: Any, item: jax.Array) -> tuple[Any, Any]:
        had, weights = before
        keys = jax.random.split(key)
        there = jnp.ones((*item.shape, 1), jnp.float32)
        return (
            (without_some(keys[0], parts[had], options.dropped), weights * fading[None]),
            (without_some(keys[1], parts[item[:, None]], options.dropped), there),
        )

    size = min(options.batch, len(places))
    tower = HistoryEncoder(options.dim, items + len(names))
    init_key, key = jax.random.split(key)
    table = jax.random.normal(init_key, (tower.vocabulary, options.dim), jnp.float32)
    table /= options.dim**0.5
    training = two_views.start(
        key,
        tower,
        loss_of(targets, options.temperature),
        (
            tuple(
                _Before(values, places, begins, options.latest)
                for values in (events.items, events.weights)
            ),
            targets,
        ),
        two_views.Options(
            iterations=options.passes * (len(places) // size),
            batch=size,
            learning_rate=options.rate,
            parts=1,
        ),
        labels=targets,
        params={"first": {"params": {"MeanEncoder_0": {"Embed_0": {"embedding": table}}}}},
        augment=augment,
    )

    def finish(state: Any) -> Towers:
        variables = training.finish(state).model.first.variables
        found = np.asarray(variables["params"]["MeanEncoder_0"]["Embed_0"]["embedding"])
        known = (own >= 0)[:, None]
        return Towers(np.where(known, found[:items], 0), found[items:], names, bags)

    return training._replace(finish=finish, about=(options, names, bags))


def numbered(
    features: Sequence[Sequence[str]], items: int, *, most: int
) -> tuple[list[str], np.ndarray]:
    """Numbers the features of items; those of a single item are left out.

    Args:
      features: of each item their names, e.g. ("Comedy", "1990s").
      items: I.
      most: features of an item that are kept, the most frequent ones.

    Returns:
      The F names, the most frequent first, and [I, T] int32 each item's numbers, -1 beyond their
      end.

    Raises:
      InputError: if they are no such lists, or no feature is left.
    """
    lists = as_features(features)
    if len(lists) != items:
        raise InputError(
            f"features must be lists of names, one for each of {items:,} items, found "
            f"{len(lists):,}"
        )
    often = Counter(name for some in lists for name in some)
    ranked = sorted(often, key=lambda name: (-often[name], name))
    names = [name for name in ranked if often[name] >= _LEAST_ITEMS]
    if not names:
        raise InputError(
            f"two_towers needs features that {_LEAST_ITEMS} items or more have, e.g. genres, found "
            "none; the other methods need no features"
        )
    index = {name: number for number, name in enumerate(names)}
    bags = [sorted(index[name] for name in some if name in index)[:most] for some in lists]
    width = max(map(len, bags))
    return names, np.array([bag + [-1] * (width - len(bag)) for bag in bags], np.int32)


def as_features(features: Sequence[Sequence[str]]) -> list[list[str]]:
    """Returns lists of features, each name once.

    Raises:
      InputError: if they are not lists of strings.
    """
    found = []
    for number, some in enumerate(features):
        if isinstance(some, str) or not all(isinstance(name, str) for name in some):
            raise InputError(
                f'features must be lists of names, as [["Comedy"], []], found {some!r:.80} at item '
                f"{number}"
            )
        found.append(list(dict.fromkeys(some)))
    return found


def without_some(key: jax.Array, parts: jax.Array, dropped: float) -> jax.Array:
    """Leaves out the own vectors of some items, of those that have features.

    Args:
      key: random key.
      parts: [..., T] int32, an item's own number, then its features', -1 beyond their end.
      dropped: the share that is left out.

    Returns:
      [..., T] with -1 instead of the own numbers left out.
    """
    out = jax.random.bernoulli(key, dropped, parts.shape[:-1]) & (parts[..., 1] >= 0)
    return parts.at[..., 0].set(jnp.where(out, -1, parts[..., 0]))


def loss_of(targets: np.ndarray, temperature: float) -> Loss:
    """Returns the loss of telling an event's item from those of the batch.

    Args:
      targets: [P] int, the items of all events that are learned from.
      temperature: what cosines are divided by.
    """
    counts = np.unique(targets, return_counts=True)[1]
    log_q = jnp.asarray(np.log(counts / len(targets)), jnp.float32)

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: jax.Array) -> Terms:
        own = labels[::2]
        return info_nce_loss(
            vectors[::2], vectors[1::2], temperature=temperature, labels=own, log_q=log_q[own]
        )

    # A score is a cosine divided, beside a correction of the most that an item can have.
    most = float(1 / temperature - log_q.min())
    return Loss(terms, chance=lambda batch, classes: float(np.log(batch / 2)) + most)
