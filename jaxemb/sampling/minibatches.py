"""Minibatches: every row once an epoch, in an order that the key and the epoch fix."""

from collections.abc import Callable

import jax
import numpy as np


def minibatches(key: jax.Array, *, rows: int, size: int) -> Callable[[int, int], np.ndarray]:
    """Returns the function that tells the rows of steps, whichever were asked for before.

    An epoch is a random order of all rows cut into batches of distinct rows. What doesn't fill a
    batch is left out, other rows each time; over the draw, all rows are equally likely.

    Args:
      key: orders are drawn from here.
      rows: of the data, N.
      size: of a batch, B, in 1..N.

    Returns:
      The function: (start, stop) -> [stop - start, B] int32 rows of steps start to stop - 1.
    """
    assert 1 <= size <= rows, f"batches of {size} of {rows} rows"
    epoch_steps = rows // size
    # Drawn by NumPy: a key can be made its seed, and then no order waits for a device.
    seed = [int(word) for word in np.asarray(jax.random.key_data(key)).ravel()]
    held: tuple[int, np.ndarray] = (-1, np.empty(0, np.int32))

    def order(epoch: int) -> np.ndarray:
        nonlocal held
        if held[0] != epoch:
            drawn = np.random.default_rng([*seed, epoch]).permutation(rows)
            held = (epoch, drawn[: epoch_steps * size].astype(np.int32).reshape(-1, size))
        return held[1]

    def batches(start: int, stop: int) -> np.ndarray:
        steps = range(start, stop)
        return np.stack([order(step // epoch_steps)[step % epoch_steps] for step in steps])

    return batches
