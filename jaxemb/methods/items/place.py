"""New items, which nobody has had: placed from what is known of them, without training."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.factorize.ridge import ridge
from jaxemb.losses.distances import unit
from jaxemb.methods.items.fit import Fitted
from jaxemb.methods.items.two_towers import as_features


def place(fitted: Fitted, features: Any, new: Any, *, penalty: float = 0.1) -> np.ndarray:
    """Places new items by ridge regression from features of items to their vectors.

    Args:
      fitted: vectors of I items.
      features: [I, F] real numbers of the items, e.g. which genres they have; a column of ones is
        added. Items with zero vectors are not learned from.
      new: [M, F] likewise of the new items.
      penalty: share of the features' mean variance, at least 0.

    Returns:
      [M, dim] float32 of length 1, to be compared with `encode`d users and with the items' vectors.

    Raises:
      InputError: if the features are no such matrices.
    """
    if not penalty >= 0:
        raise InputError(f"penalty must be at least 0, found {penalty}")
    known = checks.as_points(features, at_least=1, name="features").astype(np.float32)
    asked = checks.as_points(new, at_least=1, name="features of new items").astype(np.float32)
    if len(known) != len(fitted.vectors) or known.shape[1] != asked.shape[1]:
        raise InputError(
            f"features must have a row for each of {len(fitted.vectors):,} items and as many "
            f"columns as those of new items, found {list(known.shape)} and {list(asked.shape)}"
        )
    vectors = np.asarray(unit(jnp.asarray(fitted.vectors.vectors)))
    trained = vectors.any(axis=1)
    if not trained.any():
        raise InputError("no item has a vector to learn from")
    found = ridge(jnp.asarray(_with_ones(known[trained])), vectors[trained], penalty=penalty)
    return np.asarray(unit(jnp.asarray(_with_ones(asked)) @ found))


def place_by_features(fitted: Fitted, new: Sequence[Sequence[str]]) -> np.ndarray:
    """Places new items by the vectors that two_towers learned for features.

    Args:
      fitted: of two_towers.
      new: of M items the names of their features, at least one of each known; others are left out.

    Returns:
      [M, dim] float32 of length 1, to be compared with `encode`d users and with the items' vectors.

    Raises:
      InputError: if the method has no vectors of features, or an item no feature that has one.
    """
    known = fitted.features
    if known is None:
        raise InputError(
            f"{fitted.options.method} has no vectors of features, two_towers has; `place` takes any"
        )
    lists = as_features(new)
    rows = [[known.index[name] for name in some if name in known.index] for some in lists]
    if lacking := [number for number, own in enumerate(rows) if not own]:
        raise InputError(
            f"{len(lacking):,} of {len(rows):,} new items have no known feature, the first is "
            f"number {lacking[0]}, {lists[lacking[0]]!r:.80}; known are "
            f"{', '.join(known.words[:20])}"
        )
    sums = [known.vectors[own].sum(axis=0) for own in rows]
    return np.asarray(unit(jnp.asarray(np.reshape(sums, (-1, fitted.options.dim)), jnp.float32)))


def _with_ones(features: np.ndarray) -> np.ndarray:
    return np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)
