"""What maps that look at all pairs begin with: distances, and where points start."""

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxemb.checks import as_points
from jaxemb.errors import InputError
from jaxemb.memory import require_memory
from jaxemb.methods.mds.descent import Moved, Stopping, Units, prepare
from jaxemb.methods.mds.options import Options
from jaxemb.projections import mds
from jaxemb.projections.distance_matrix import check_distances, distance_matrix, power_of_two
from jaxemb.projections.initialization import generator
from jaxemb.training.state import Training

Metric = Literal["euclidean", "precomputed"]

ITERATIONS = 300  # where the options name none


class Begin(NamedTuple):
    """What a descent begins with.

    Attributes:
      wanted: [N, N] float32 distances, times `scale`.
      positions: [N, d] to start from, times `scale`.
      scale: a power of two.
    """

    wanted: np.ndarray
    positions: np.ndarray
    scale: float


def start(key: jax.Array, points: Any, options: Options, positions: np.ndarray | None) -> Training:
    """Prepares SMACOF or gradient descent, as `methods.mds.start` says."""
    start_key, base_key = jax.random.split(key)
    wanted, begin, scale = begin_with(
        start_key,
        distances_of(points, options.metric),
        dim=options.dim,
        initialization=options.initialization,
        noise=options.noise,
        positions=positions,
    )
    count = len(wanted)
    optimizer = optax.sgd(options.learning_rate / (2 * count), momentum=options.momentum)
    rate = jnp.float32(options.learning_rate)

    def majorize(positions: jax.Array, target: Any, step: jax.Array, batch: Any) -> Moved:
        after, stress = mds.guttman_transform(positions, target)
        return Moved(after, target, stress, rate)

    def descend(positions: jax.Array, carried: Any, step: jax.Array, batch: Any) -> Moved:
        target, velocity = carried
        after, stress = mds.guttman_transform(positions, target)
        gradient = 2 * count * (positions - after)
        changes, velocity = optimizer.update(gradient, velocity, positions)
        after = optax.apply_updates(positions, changes)
        return Moved(after, (target, velocity), stress, rate)

    chance = float(np.square(wanted, dtype=np.float64).sum() / 2)
    target = jnp.asarray(wanted)
    smacof = options.method == "smacof"
    velocity = optimizer.init(jnp.zeros(begin.shape, jnp.float32))
    return prepare(
        base_key,
        begin,
        target if smacof else (target, velocity),
        majorize if smacof else descend,
        no_batches,
        units=Units(scale, scale**-2, chance),
        stopping=Stopping(
            options.iterations or ITERATIONS,
            options.tolerance,
            options.window,
            options.rounding * chance,
        ),
        options=options,
    )


def no_batches(start: int, stop: int) -> np.ndarray:
    """Returns the data of steps that take none: a number each."""
    return np.zeros(stop - start, np.float32)


def distances_of(points: Any, metric: Metric) -> np.ndarray:
    """Returns the distances [N, N] that a map is to keep.

    Raises:
      InputError: if they are no distances, or memory does not suffice.
    """
    if metric == "precomputed":
        distances = as_points(points, name="distances")
    else:
        distances = distance_matrix(as_points(points))
    check_distances(distances)
    return distances


def begin_with(
    key: jax.Array,
    distances: np.ndarray,
    *,
    dim: int,
    initialization: Literal["classical", "random"],
    noise: float,
    positions: np.ndarray | None,
) -> Begin:
    """Scales distances, and places the points of the map.

    Args:
      key: random key.
      distances: [N, N] checked.
      dim: of the map, d.
      initialization: how to place the points.
      noise: that parts equal positions of the classical start, relative to their size.
      positions: [N, d] to start from instead, in the units of the distances; None for none.

    Returns:
      What a descent begins with.

    Raises:
      InputError: if `dim` or the positions don't fit the distances, or memory does not suffice.
    """
    count = len(distances)
    mds.check_dim(dim, count)
    require_memory(
        5 * 4 * count**2,
        f"a map of {count:,} points that looks at all pairs",
        "take fewer points, or a method that samples pairs",
    )
    scale = power_of_two(float(distances.max()))
    wanted = (distances * scale).astype(np.float32)
    if positions is not None:
        return Begin(wanted, checked_start(positions, count, dim) * scale, scale)
    drawn = generator(key).normal(size=(count, dim)).astype(np.float32)
    if initialization == "random":
        # Such points have the wanted distances in the mean square.
        return Begin(wanted, np.sqrt(np.mean(np.square(wanted)) / (2 * dim)) * drawn, scale)
    placed = mds.classical(wanted, dim=dim)[0]
    return Begin(wanted, placed + noise * placed.std() * drawn, scale)


def checked_start(positions: np.ndarray, count: int, dim: int) -> np.ndarray:
    """Returns positions to start from.

    Raises:
      InputError: if they are no [N, d] finite floats.
    """
    positions = as_points(positions, name="the start")
    if positions.shape != (count, dim):
        raise InputError(
            f"the start must be {count} x {dim}, a row for each point, found "
            f"{positions.shape[0]} x {positions.shape[1]}"
        )
    return positions
