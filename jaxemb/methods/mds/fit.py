"""Multidimensional scaling, whatever its method."""

from typing import Any

import jax
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.methods.mds import all_pairs, sampled
from jaxemb.methods.mds.descent import Fitted
from jaxemb.methods.mds.options import Options
from jaxemb.projections import mds
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import Training


def fit(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    positions: np.ndarray | None = None,
    run: Run | None = None,
) -> Fitted:
    """Makes a map that keeps distances.

    Up to about 10,000 points, for all pairs are looked at; the method "sampled" takes any number.

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
      InputError: if an argument is outside its documented range, all points are equal, the stress
        explodes, no checkpoint can be used, or memory does not suffice.
    """
    options = checks.as_options(options, Options)
    if options.method == "classical":
        distances = all_pairs.distances_of(points, options.metric)
        return Fitted(mds.classical(distances, dim=options.dim)[0], np.empty(0), options)
    return loop.fit(start(key, points, options, positions=positions), run)


def start(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    positions: np.ndarray | None = None,
) -> Training:
    """Prepares a map by descent; its arguments are those of `fit`.

    A loop of one's own takes all iterations: convergence is judged by the engine.

    Raises:
      InputError: as `fit`, and for the method "classical", which has no steps.
    """
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    if options.method == "classical":
        raise InputError('method "classical" has no steps to start; fit solves it at once')
    how = sampled if options.method == "sampled" else all_pairs
    return how.start(key, points, options, positions)
