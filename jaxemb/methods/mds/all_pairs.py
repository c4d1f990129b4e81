"""What maps that look at all pairs begin with: distances, and where points start."""

from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

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


class Place(NamedTuple):
    """A map on the way.

    Attributes:
      positions: [N, d].
      gradient: [N, d] of its stress.
      stress: [].
    """

    positions: jax.Array
    gradient: jax.Array
    stress: jax.Array


class Motion(NamedTuple):
    """How a map moves: like a ball that rolls from where it was let go.

    Attributes:
      velocity: [N, d] sum of the gradients since then, earlier ones times powers of the momentum.
      rate: [] of a step, in units of SMACOF's.
      ceiling: [] the stress where it was let go. If steps are short enough, it climbs no higher.
    """

    velocity: jax.Array
    rate: jax.Array
    ceiling: jax.Array


class Rolling(NamedTuple):
    """What gradient descent carries.

    Attributes:
      target: [N, N] distances.
      motion: of the map.
      last: the map before the last step.
    """

    target: jax.Array
    motion: Motion
    last: Place


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

    def majorize(positions: jax.Array, target: Any, step: jax.Array, batch: Any) -> Moved:
        after, stress = mds.guttman_transform(positions, target)
        return Moved(after, target, stress, jnp.float32(1))

    def descend(positions: jax.Array, carried: Any, step: jax.Array, batch: Any) -> Moved:
        return roll(positions, carried, momentum=options.momentum)

    chance = float(np.square(wanted, dtype=np.float64).sum() / 2)
    target = jnp.asarray(wanted)
    smacof = options.method == "smacof"
    carried: Any = target
    if not smacof:
        # Arrays of their own: the state is donated.
        still, there, slope = jnp.zeros((3, *begin.shape), jnp.float32)
        motion = Motion(still, jnp.float32(options.learning_rate), jnp.full((), jnp.inf))
        carried = Rolling(target, motion, Place(there, slope, jnp.full((), jnp.inf)))
    return prepare(
        base_key,
        begin,
        carried,
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


def roll(positions: jax.Array, carried: Rolling, *, momentum: float) -> Moved:
    """Takes a step of gradient descent with momentum.

    Where the stress has climbed above that where the ball was let go, the last step was too long:
    it is taken again from rest, its rate halved until that doesn't happen. Steps of up to 2 from
    rest never raise the stress, so that this ends.

    Reference:
      De Leeuw & Heiser 1980, "Multidimensional scaling with restrictions on the configuration".
    """
    count, last = len(positions), carried.last

    def place(positions: jax.Array) -> Place:
        after, stress = mds.guttman_transform(positions, carried.target)
        return Place(positions, 2 * count * (positions - after), stress)

    def too_high(tried: tuple[Motion, Place]) -> jax.Array:
        motion, now = tried
        # NaN fails this comparison.
        return ~(now.stress <= motion.ceiling)

    def shorten(tried: tuple[Motion, Place]) -> tuple[Motion, Place]:
        rate = tried[0].rate / 2
        now = place(last.positions - rate / (2 * count) * last.gradient)
        return Motion(last.gradient, rate, last.stress), now

    motion, now = jax.lax.while_loop(too_high, shorten, (carried.motion, place(positions)))
    velocity = now.gradient + momentum * motion.velocity
    ceiling = jnp.where(jnp.isinf(motion.ceiling), now.stress, motion.ceiling)
    after = now.positions - motion.rate / (2 * count) * velocity
    rolling = Rolling(carried.target, Motion(velocity, motion.rate, ceiling), now)
    return Moved(after, rolling, now.stress, motion.rate)


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
