"""Minibatches: every row once an epoch, in an order given by the key and the epoch."""

from collections.abc import Callable

import jax
import numpy as np


def minibatches(key: jax.Array, *, rows: int, size: int) -> Callable[[int, int], np.ndarray]:
    """Returns the function from steps to rows; it doesn't depend on earlier calls.

    An epoch is a random order of all rows, cut into batches. An incomplete last batch is dropped;
    which rows it has is random.

    Args:
      key: random key.
      rows: of the data, N.
      size: of a batch, B, in 1..N.

    Returns:
      The function: (start, stop) -> [stop - start, B] int32 rows of steps start to stop - 1.
    """
    assert 1 <= size <= rows, f"batches of {size} of {rows} rows"
    epoch_steps = rows // size
    # Drawn by NumPy, seeded by the key: no order waits for a device.
    seed = [int(word) for word in np.asarray(jax.random.key_data(key)).ravel()]
    newest: tuple[int, np.ndarray] = (-1, np.empty(0, np.int32))

    def order(epoch: int) -> np.ndarray:
        nonlocal newest
        if newest[0] != epoch:
            drawn = np.random.default_rng([*seed, epoch]).permutation(rows)
            newest = (epoch, drawn[: epoch_steps * size].astype(np.int32).reshape(-1, size))
        return newest[1]

    def batches(start: int, stop: int) -> np.ndarray:
        steps = range(start, stop)
        return np.stack([order(step // epoch_steps)[step % epoch_steps] for step in steps])

    return batches
