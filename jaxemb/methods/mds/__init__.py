"""Multidimensional scaling: maps that keep all distances.

Example:
    import numpy as np
    from jaxemb import mds

    points = np.random.default_rng(0).normal(size=(100, 8))
    fitted = mds.fit(0, points, mds.Options(dim=2))
    fitted.embedding  # [100, 2], in the units of the points
    fitted.stress[-1]  # sum of the squared errors of the distances

Distances that are already known are given as a matrix, with `Options(metric="precomputed")`.
"""

from jaxemb.methods.mds.descent import Fitted
from jaxemb.methods.mds.fit import fit, start
from jaxemb.methods.mds.options import Options

__all__ = ["Fitted", "Options", "fit", "start"]
