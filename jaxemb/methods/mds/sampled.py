"""Maps that keep distances of any number of points, by samples of their pairs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxemb.errors import InputError
from jaxemb.methods.mds import fit as mds_training
from jaxemb.projections import mds
from jaxemb.projections.distance_matrix import power_of_two
from jaxemb.projections.neighbors import check_points
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training.state import TrainState


def fit(
    key: jax.Array,
    points: np.ndarray,
    *,
    dim: int = 2,
    iterations: int = 3000,
    subset: int = 1024,
    start: np.ndarray,
    report: mds_training.Report | None = None,
) -> mds_training.Fitted:
    """Makes the map of least raw stress of any number of points, from samples of their pairs.

    An iteration moves a random subset of the points along the gradient of all pairs within it, at
    first as far as SMACOF would move them, then less, falling linearly to 0.

    Args:
      key: subsets are drawn from here.
      points: [N, D] finite float, N at least 4.
      dim: of the map, d, less than N.
      iterations: all are taken; each point has a part in iterations * subset / N of them.
      subset: points an iteration, M; at most N, which is taken if it is less.
      start: [N, d] positions, such as the first principal components.
      report: called with (iterations done, the estimated stress before the last of them).

    Returns:
      The map; the same bits for the same arguments on the same machine.

    Raises:
      InputError: if an argument is none of the above, all points are equal, or the stress explodes.
    """
    points = np.asarray(points)
    check_points(points)
    count = len(points)
    mds_training.check_numbers(count, dim, iterations, 0.0)
    if subset < 2:
        raise InputError(f"subset must be at least 2, points that have a distance, found {subset}")
    size = min(subset, count)
    lowest, highest = (points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64))
    center, extent = (lowest + highest) / 2, highest - lowest
    if not extent.any():
        raise InputError(
            f"all {count:,} points are at the same place, so there are no distances to keep; were "
            "the right columns read?"
        )
    # Squares of large distances are no float32 numbers; a power of two costs no digit.
    scale = power_of_two(float(extent.max()))
    positions = mds_training.checked_start(start, count, dim) * scale
    subset_key, base_key = jax.random.split(key)
    choose = minibatches(subset_key, rows=count, size=size)

    def batches(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        ids = choose(start, stop)
        return ids, ((points[ids] - center) * scale).astype(np.float32)

    # Of the expectation's gradient: the step that makes of it SMACOF's within the subset.
    most = (size - 1) / (2 * count * (count - 1))
    schedule = optax.linear_schedule(most, 0.0, iterations)

    def update(state: TrainState, batch: Any) -> tuple[TrainState, dict[str, jax.Array]]:
        ids, rows = batch
        gradient, stress = mds.subset_gradient(state.params[ids], rows, count=count)
        rate = schedule(state.step)
        params = state.params.at[ids].add(-rate * gradient, unique_indices=True)
        metrics = {"loss": stress, "learning_rate": rate}
        return TrainState(state.step + 1, state.key, params, ()), metrics

    begin = jnp.asarray(positions - positions.mean(axis=0, keepdims=True), jnp.float32)
    return mds_training.drive(
        TrainState(jnp.zeros((), jnp.int32), base_key, begin, ()),
        update,
        batches,
        iterations=iterations,
        tolerance=0.0,
        # No less than the stress of all points at one place: a variance is at most a quarter of
        # the square of the extent.
        first_loss=float(np.square(extent * scale).sum()) / 4 * count**2,
        scale=scale,
        stress_scale=scale**-2,
        report=report,
    )
