"""Collapse: an encoder that maps everything to one point, as triplet training tends to."""

import chex
import jax
import jax.numpy as jnp

from jaxemb.errors import InputError

# Random vectors of norm 1 have a spread near 1; those of a fresh network, a few hundredths.
COLLAPSED = 1e-3


def spread(vectors: jax.Array) -> jax.Array:
    """Measures how far vectors lie apart, compared with how long they are.

    Args:
      vectors: [N, D] float, N at least 2.

    Returns:
      [] root mean square distance from the mean, divided by the root mean square norm: 0 if all
      vectors are equal (also if all are zero), 1 if the mean is 0.

    Raises:
      AssertionError: while tracing, if `vectors` is no matrix.
    """
    chex.assert_rank(vectors, 2)
    # Divided by the largest entry, squares neither overflow nor vanish.
    largest = jnp.max(jnp.abs(vectors))
    scaled = vectors / jnp.where(largest > 0, largest, 1)
    centered = scaled - jnp.mean(scaled, axis=0, keepdims=True)
    squares = jnp.sum(jnp.square(scaled))
    return jnp.sqrt(jnp.sum(jnp.square(centered)) / jnp.where(squares > 0, squares, 1))


def check_spread(found: float, *, step: int | None = None) -> None:
    """Refuses an embedding that has collapsed to a point.

    Args:
      found: the `spread` of vectors of different examples.
      step: training step, for the message.

    Raises:
      InputError: if they have collapsed; it says what to try.
    """
    # NaN passes this comparison: that is another fault, reported elsewhere.
    if found < COLLAPSED:
        at = "" if step is None else f" at step {step}"
        raise InputError(
            f"the embedding has collapsed to a point{at}: examples differ by {found:.1g} of their "
            "length. Try a smaller learning rate, random or semi-hard triplets before the hardest "
            "ones, the soft margin, vectors of norm 1, or more identities in a batch"
        )
