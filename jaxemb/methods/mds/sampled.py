"""Maps that keep distances of any number of points, by samples of their pairs."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxemb.checks import as_points
from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.methods.mds.all_pairs import checked_start
from jaxemb.methods.mds.descent import Moved, Stopping, Units, prepare
from jaxemb.methods.mds.options import Options
from jaxemb.projections import mds
from jaxemb.projections.distance_matrix import power_of_two
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training.state import Training

ITERATIONS = 5000  # where the options name none


def start(key: jax.Array, points: Any, options: Options, positions: np.ndarray | None) -> Training:
    """Prepares the map of least raw stress, from samples of pairs, as `methods.mds.start` says.

    An iteration moves a random subset of the points along the gradient of all pairs within it, at
    first as far as SMACOF would move them, then less, falling linearly to 0. Each point has a part
    in iterations * subset / N of them.
    """
    points = as_points(points)
    count = len(points)
    mds.check_dim(options.dim, count)
    lowest, highest = (points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64))
    center, extent = (lowest + highest) / 2, highest - lowest
    if not extent.any():
        raise InputError(
            f"all {count:,} points are at the same place, so there are no distances to keep; were "
            "the right columns read?"
        )
    scale = power_of_two(float(extent.max()))
    key, start_key = jax.random.split(key)
    if positions is not None:
        begin = checked_start(positions, count, options.dim) * scale
    elif options.initialization == "classical":
        begin = principal(points, options.dim) * scale
    else:
        begin = scattered(start_key, points * scale, options.dim)
    subset_key, base_key = jax.random.split(key)
    size = min(options.subset, count)
    iterations = options.iterations or ITERATIONS
    choose = minibatches(subset_key, rows=count, size=size)

    def batches(start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        ids = choose(start, stop)
        return ids, ((points[ids] - center) * scale).astype(np.float32)

    # Rate at which one step equals SMACOF's on the subset.
    most = (size - 1) / (2 * count * (count - 1))
    schedule = optax.linear_schedule(most, 0.0, iterations)

    def descend(positions: jax.Array, carried: Any, step: jax.Array, batch: Any) -> Moved:
        ids, rows = batch
        gradient, stress = mds.subset_gradient(positions[ids], rows, count=count)
        rate = schedule(step)
        after = positions.at[ids].add(-rate * gradient, unique_indices=True)
        return Moved(after, carried, stress, rate)

    # No less than the stress of all points at one place: a variance is at most a quarter of the
    # square of the extent.
    chance = float(np.square(extent * scale).sum()) / 4 * count**2
    return prepare(
        base_key,
        begin,
        (),
        descend,
        batches,
        units=Units(scale, scale**-2, chance),
        # The rate falls to 0 at the end, so that all iterations are taken.
        stopping=Stopping(iterations, 0.0, options.window, 0.0),
        options=options,
    )


def principal(points: np.ndarray, dim: int) -> np.ndarray:
    """Returns the first principal components [N, d] of points [N, D]."""
    if dim > points.shape[1]:
        raise InputError(
            f"dim must be at most {points.shape[1]}, the width of the points, for the start by "
            f'their principal components, found {dim}; take initialization "random"'
        )
    table = jnp.asarray(points)
    return np.asarray(pca.transform(pca.fit(table, components=dim), table))


def scattered(key: jax.Array, points: np.ndarray, dim: int) -> np.ndarray:
    """Returns random positions [N, d] with the distances of points [N, D] in the mean square."""
    table = jnp.asarray(points)
    spread = float(jnp.sqrt(jnp.var(table, axis=0).sum() / dim))
    return np.asarray(spread * jax.random.normal(key, (len(points), dim)))
