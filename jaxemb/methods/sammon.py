"""Sammon's mapping: a map that keeps distances relative to their size.

Example:
    import numpy as np
    from jaxemb import sammon

    points = np.random.default_rng(0).normal(size=(100, 8))
    fitted = sammon.fit(0, points, sammon.Options(dim=2))
    fitted.embedding  # [100, 2], in the units of the points
    fitted.stress[-1]  # Sammon's stress, 0 for a perfect map

Equal points have no such map, for the stress divides by every distance.
"""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.methods.mds.all_pairs import begin_with, distances_of, no_batches
from jaxemb.methods.mds.descent import Fitted, Moved, Stopping, Units, prepare
from jaxemb.projections import sammon
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import Training

__all__ = ["Fitted", "Options", "fit", "start"]


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines a map, the distances given."""

    metric: Literal["euclidean", "precomputed"] = "euclidean"
    """euclidean: the data are points [N, D]; precomputed: their distances [N, N]."""
    dim: int = 2
    """Dimensions of the map, less than the points."""
    iterations: int = 300
    """At most."""
    tolerance: float = 1e-5
    """Relative change of the stress in an iteration below which the map has converged; 0 takes all
    iterations."""
    window: int = 10
    """Iterations over which this change is averaged; convergence is judged once in each window."""
    rounding: float = 1e-11
    """Stress that is nothing but rounding."""
    initialization: Literal["classical", "random"] = "classical"
    """Where points begin."""
    noise: float = 1e-4
    """Parts equal positions of the classical start, in standard deviations of the positions."""
    magic_factor: float = 0.35
    """Share of Newton's step that is tried first; Sammon has 0.3 to 0.4."""
    halvings: int = 24
    """Times that a step is halved, at most, until the stress falls; beyond 24 a step's end is its
    start in float32."""

    def __post_init__(self) -> None:
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=1)
        checks.check_field(self, "iterations", at_least=1)
        checks.check_field(self, "tolerance", at_least=0, at_most=0.1)
        checks.check_field(self, "window", at_least=2)
        checks.check_field(self, "rounding", at_least=0, at_most=0.1)
        checks.check_field(self, "noise", at_least=0, at_most=1)
        checks.check_field(self, "magic_factor", above=0, at_most=100)
        checks.check_field(self, "halvings", at_least=0, at_most=100)


def fit(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    positions: np.ndarray | None = None,
    run: Run | None = None,
) -> Fitted:
    """Makes the map of least Sammon stress, up to about 10,000 points.

    Args:
      key: random key, or a seed.
      points: [N, D] real numbers, N at least 4; with the metric "precomputed" their distances
        [N, N], symmetric with a zero diagonal.
      options: of the method.
      positions: [N, d] to start from, in the units of the distances; None starts as the options
        say.
      run: checkpoints, log and progress.

    Returns:
      The map; the same bits for the same arguments on the same machine, interrupted or not.

    Raises:
      InputError: if an argument is outside its documented range, two points are equal, the stress
        explodes, no checkpoint can be used, or memory does not suffice.

    Reference:
      Sammon 1969, "A nonlinear mapping for data structure analysis".
    """
    return loop.fit(start(key, points, options, positions=positions), run)


def start(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    positions: np.ndarray | None = None,
) -> Training:
    """Prepares a map; its arguments are those of `fit`.

    A loop of one's own takes all iterations: convergence is judged by the engine.

    Raises:
      InputError: as `fit`.
    """
    options = checks.as_options(options, Options)
    distances = distances_of(points, options.metric)
    _refuse_equal_points(distances)
    start_key, base_key = jax.random.split(checks.as_key(key))
    wanted, begin, scale = begin_with(
        start_key,
        distances,
        dim=options.dim,
        initialization=options.initialization,
        noise=options.noise,
        positions=positions,
    )

    def step(positions: jax.Array, target: Any, number: jax.Array, batch: Any) -> Moved:
        after, stress = sammon.newton_step(
            positions, target, magic_factor=options.magic_factor, halvings=options.halvings
        )
        return Moved(after, target, stress, jnp.float32(1))

    return prepare(
        base_key,
        begin,
        jnp.asarray(wanted),
        step,
        no_batches,
        # All points at one place have a stress of 1.
        units=Units(scale, 1.0, 1.0),
        stopping=Stopping(options.iterations, options.tolerance, options.window, options.rounding),
        options=options,
    )


def _refuse_equal_points(distances: np.ndarray) -> None:
    """Sammon's stress divides by every distance."""
    rows, columns = np.nonzero(distances == 0)
    above = rows < columns
    if above.any():
        raise InputError(
            f"{above.sum():,} pairs of points have distance 0, which Sammon's stress divides by, "
            f"the first in rows {rows[above][0]} and {columns[above][0]}; keep one point of each "
            "such place, or add a little noise"
        )
