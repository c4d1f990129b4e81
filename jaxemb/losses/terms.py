"""What the losses of a batch return: each example's loss, and of how many terms it is the sum."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxemb.errors import InputError


class Terms(NamedTuple):
    """What each example adds to an objective.

    Attributes:
      loss: [B] sum of the example's terms, not averaged; 0, with zero gradient, if it has none.
      counts: [B] int32, how many terms: 0 for an example without a partner, or left out.
    """

    loss: jax.Array
    counts: jax.Array


def mean_of_terms(terms: Terms) -> jax.Array:
    """Averages over all terms, not over examples.

    Args:
      terms: from a loss.

    Returns:
      [] mean; 0, with zero gradient, if there are none: look at the counts before believing it.
    """
    return jnp.sum(terms.loss) / jnp.maximum(jnp.sum(terms.counts), 1)


def class_masks(labels: jax.Array, where: jax.Array | None = None) -> tuple[jax.Array, jax.Array]:
    """Marks pairs of examples of the same class, and pairs of different classes.

    Args:
      labels: [B] int, individuals or classes.
      where: [B] bool; False leaves an example out, as row and as column. None keeps all.

    Returns:
      [B, B] bool, True where another example has the row's label, and [B, B] where it has not.
    """
    rows = len(labels)
    same = labels[:, None] == labels[None, :]
    here = jnp.ones(rows, bool) if where is None else where
    both = here[:, None] & here[None, :]
    return same & both & ~jnp.eye(rows, dtype=bool), ~same & both


def clip_finite(values: jax.Array) -> jax.Array:
    """Clips to a quarter of the largest float, with zero gradient beyond it.

    The difference of two infinities would be NaN. What is NaN already stays so.

    Args:
      values: of any shape, float.
    """
    largest = jnp.finfo(values.dtype).max / 4
    return jnp.clip(values, -largest, largest)


def check_margin(margin: float) -> None:
    """Refuses a margin that no distance can keep.

    Args:
      margin: a number; one that is traced can't be looked at, and passes.

    Raises:
      InputError: if it is negative, infinite or not a number.
    """
    # NaN fails this comparison.
    if not isinstance(margin, jax.core.Tracer) and not 0 <= margin < float("inf"):
        raise InputError(f"the margin must be a finite number of at least 0, found {margin}")
