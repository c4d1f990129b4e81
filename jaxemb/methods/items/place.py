"""New items, which nobody has had: placed from what is known of them, without training."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.factorize.ridge import ridge
from jaxemb.losses.distances import unit
from jaxemb.methods.items.fit import Fitted


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


def _with_ones(features: np.ndarray) -> np.ndarray:
    return np.concatenate([features, np.ones((len(features), 1), np.float32)], axis=1)
