"""Distances from some vectors to all others, a few rows at a time."""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError

# [Q, D] and [G, D] -> [Q, G], as in `jaxemb.losses.distances`.
Distance = Callable[[jax.Array, jax.Array], jax.Array]

# Distances in a block: 64 MiB in float32.
_AT_A_TIME = 2**24


def check_vectors(vectors: np.ndarray, what: str, *, width: int | None = None) -> None:
    """Refuses anything but a table of finite vectors.

    Args:
      vectors: [N, D] float, N and D at least 1.
      what: name for the message.
      width: the D required; None allows any.

    Raises:
      InputError: naming the shape, or the first number that is not finite.
    """
    if vectors.ndim != 2 or not vectors.size or vectors.dtype.kind != "f":
        raise InputError(
            f"{what} must be floats [rows, width], at least one, found {vectors.dtype} "
            f"{list(vectors.shape)}"
        )
    if width not in (None, vectors.shape[1]):
        raise InputError(
            f"{what} must be {width} wide, found {vectors.shape[1]}. Are they from another encoder?"
        )
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if bad.size:
        raise InputError(
            f"{what}: {bad.size} of {len(vectors)} rows are not finite, the first is row {bad[0]}. "
            "Did the training diverge?"
        )


def distance_rows(
    queries: np.ndarray, others: np.ndarray, distance: Distance
) -> Iterator[tuple[int, np.ndarray]]:
    """Measures all distances in bounded memory.

    Args:
      queries: [Q, D] finite.
      others: [G, D] finite.
      distance: a function that is reused, since it is compiled once.

    Yields:
      The number of a query, and the [b, G] distances of b queries from there on.

    Raises:
      InputError: if the vectors are not finite or of different widths.
    """
    check_vectors(others, "vectors compared with")
    check_vectors(queries, "queries", width=others.shape[1])
    # Differences of all pairs, [b, G, D], are summed up as they come.
    tile = max(1, min(len(queries), _AT_A_TIME // len(others)))
    compiled, table = jax.jit(distance), jnp.asarray(others)
    for start in range(0, len(queries), tile):
        block = queries[start : start + tile]
        # Padded, since another shape would be compiled anew.
        padded = np.pad(block, ((0, tile - len(block)), (0, 0)), mode="edge")
        yield start, np.asarray(compiled(jnp.asarray(padded), table))[: len(block)]
