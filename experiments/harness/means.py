"""A figure of several runs, and how sure it is."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from scipy.stats import t as student


class Mean(NamedTuple):
    """Of several runs; nan where there is none."""

    value: float
    interval: float  # half the width of the 95% interval


def mean_of(values: Iterable[float]) -> Mean:
    """Averages a figure of several runs.

    Args:
      values: [N]; nan where a run doesn't have it, which then doesn't count.

    Returns:
      The mean, nan of no run; half the width of its 95% interval by Student's t with N - 1 degrees
      of freedom, nan of fewer than two.
    """
    known = [value for value in values if not math.isnan(value)]
    if len(known) < 2:
        return Mean(known[0] if known else math.nan, math.nan)
    error = float(np.std(known, ddof=1)) / math.sqrt(len(known))
    return Mean(float(np.mean(known)), float(student.ppf(0.975, len(known) - 1)) * error)
