"""Training of vectors of items by any of the methods."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxemb import checks
from jaxemb.data.events import Events
from jaxemb.errors import InputError
from jaxemb.io.word_vectors import WordVectors
from jaxemb.methods.items import bpr, ials, item2vec, two_towers
from jaxemb.methods.items.options import Method, Options
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training

_STARTS: dict[Method, Callable[[jax.Array, Events, Options], Training]] = {
    "ials": ials.start,
    "bpr": bpr.start,
    "item2vec": item2vec.start,
}


class Fitted(NamedTuple):
    """Vectors of items, and of the users who met them.

    Attributes:
      vectors: of the I items, of most events first, [I, dim].
      params: tables as they were trained: of ials {"users": [U, dim], "items": [I, dim]}, of bpr
        with a bias beside, of item2vec {"input": [I, dim], "output": ...}, of two_towers {"items":
        [I, dim]}, each item's own part.
      options: what was asked.
      history: how it went.
      features: vectors of features, of two_towers; None of others.
    """

    vectors: WordVectors
    params: dict[str, np.ndarray]
    options: Options
    history: History = History()
    features: WordVectors | None = None


def start(
    key: jax.Array | int,
    data: Events,
    options: Options | None = None,
    *,
    features: Sequence[Sequence[str]] | None = None,
) -> Training:
    """Prepares a training; arguments and errors as in `fit`."""
    options = checks.as_options(options, Options)
    if not isinstance(data, Events):
        raise InputError(
            f"data must be jaxemb.data.Events, found {type(data).__name__}; from_events makes them "
            "of users, items and times, read_events of a file"
        )
    counts = np.bincount(data.items, minlength=len(data.item_names))
    known = counts >= options.least
    if known.sum() < 2:
        raise InputError(
            f"of {len(counts):,} items {known.sum()} have the {options.least} events that "
            f"min_count asks for, two are needed; the most that one has are {counts.max():,}"
        )
    if options.method == "two_towers":
        return _start_towers(checks.as_key(key), data, options, features or ())
    if features is not None:
        raise InputError(f"features mean nothing to {options.method}, only to two_towers")
    events = data if known.all() else data.at(known[data.items])
    training = _STARTS[options.method](checks.as_key(key), events, options)

    def finish(state: Any) -> Fitted:
        params = _params(training.finish(state), data, options)
        items = params["input" if options.method == "item2vec" else "items"]
        vectors = np.where(known[:, None], items[:, : options.dim], 0)
        return Fitted(WordVectors(data.item_names, vectors), params, options)

    return training._replace(finish=finish)


def _start_towers(
    key: jax.Array, data: Events, options: Options, features: Sequence[Sequence[str]]
) -> Training:
    training = two_towers.start(key, data, features, options)

    def finish(state: Any) -> Fitted:
        towers = training.finish(state)
        vectors = WordVectors(data.item_names, towers.vectors)
        named = WordVectors(towers.names, towers.features)
        return Fitted(vectors, {"items": towers.own}, options, features=named)

    return training._replace(finish=finish)


def _params(last: Any, data: Events, options: Options) -> dict[str, np.ndarray]:
    """Returns the tables, the items of each in the order of the events' names."""
    if options.method == "item2vec":
        rows = [last.vectors.row(name) for name in data.item_names]
        # Items without an event here, as where the newest are held out, know nothing.
        return {name: _take(table, rows) for name, table in last.params.items()}
    table, users = np.asarray(last.params["vectors"]), len(data.user_names)
    return {"users": table[:users], "items": table[users:]}


def _take(table: np.ndarray, rows: list[int | None]) -> np.ndarray:
    found = np.zeros((len(rows), *table.shape[1:]), table.dtype)
    known = np.array([row is not None for row in rows])
    found[known] = table[[row for row in rows if row is not None]]
    return found


def fit(
    key: jax.Array | int,
    data: Events,
    options: Options | None = None,
    *,
    features: Sequence[Sequence[str]] | None = None,
    run: Run | None = None,
) -> Fitted:
    """Trains vectors of items.

    Args:
      key: random key or seed; the same one gives the same bits.
      data: events, from `jaxemb.data.from_events` or `read_events`.
      options: None takes the defaults.
      features: of two_towers: names of what is known of each item, in the order of
        `data.item_names`, as [("Comedy", "1990s"), ...]. Items without an event are placed by them.
        What a single item has is left out.
      run: checkpoints, log and progress; None has none.

    Returns:
      The vectors, the tables and how it went.

    Raises:
      InputError: if the data are no events or too few, features are missing or not asked for, and
        as `jaxemb.training.loop.fit` does.
      OSError: if a checkpoint cannot be written.

    Reference:
      Hu, Koren & Volinsky 2008 (ials); Rendle et al. 2009 (bpr); Barkan & Koenigstein 2016,
      arXiv:1603.04259 (item2vec); Yi et al. 2019, "Sampling-bias-corrected neural modeling for
      large corpus item recommendations" (two_towers).
    """
    return loop.fit(start(key, data, options, features=features), run)
