"""Pairs of neighbors: uniformly drawn points, each with a neighbor drawn from p_j|i."""

from collections.abc import Callable

import chex
import jax
import numpy as np

from jaxemb.sampling.minibatches import minibatches


def neighbor_pairs(
    key: jax.Array, neighbors: np.ndarray, p: np.ndarray, *, size: int
) -> Callable[[int, int], tuple[np.ndarray, np.ndarray]]:
    """Returns the function from steps to pairs; it doesn't depend on earlier calls.

    Args:
      key: random key.
      neighbors: [N, k] ids of each point's neighbors.
      p: [N, k] p_j|i, each row's sum 1 up to rounding.
      size: pairs a step, B, in 1..N.

    Returns:
      The function: (start, stop) -> [stop - start, B] points, different ones within a step, and
      [stop - start, B] the neighbor of each, both int32.

    Raises:
      AssertionError: if a shape disagrees with the above.
    """
    points, k = neighbors.shape
    chex.assert_shape(p, (points, k))
    rows_key, place_key = jax.random.split(key)
    rows_of = minibatches(rows_key, rows=points, size=size)
    seed = [int(word) for word in np.asarray(jax.random.key_data(place_key)).ravel()]
    cumulative = np.cumsum(p, axis=1, dtype=np.float32)

    def batches(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        rows = rows_of(start, stop)
        drawn = np.stack(
            [np.random.default_rng([*seed, step]).random(size) for step in range(start, stop)]
        )
        sums = cumulative[rows]  # [steps, B, k]
        # Up to the last sum, which is 1 up to rounding.
        level = drawn.astype(np.float32) * sums[..., -1]
        # Rounded up, a level can equal the last sum.
        place = np.minimum((sums <= level[..., None]).sum(axis=-1), k - 1)
        return rows, neighbors[rows, place].astype(np.int32)

    return batches
