"""t-SNE: a map in which points that belong together lie together.

Example:
    import numpy as np
    from jaxemb import tsne

    points = np.random.default_rng(0).normal(size=(200, 8))
    fitted = tsne.fit(0, points, tsne.Options(perplexity=10, iterations=300))
    fitted.embedding  # [200, 2]
    placed = tsne.transform(fitted, points[:5] + 0.1)  # [5, 2], in the same map

`start` prepares a run for a loop of one's own; `sweep` makes many maps at once.

References: van der Maaten & Hinton 2008, JMLR 9; van der Maaten 2014, JMLR 15, with the repulsion
summed on grids, after Linderman et al. 2019, Nature Methods 16.
"""

from jaxemb.methods.tsne.fit import Fitted, embedding_of, fit, start, start_from
from jaxemb.methods.tsne.options import Grids, Options, TransformOptions
from jaxemb.methods.tsne.sweep import Sweep, sweep
from jaxemb.methods.tsne.transform import transform

__all__ = [
    "Fitted",
    "Grids",
    "Options",
    "Sweep",
    "TransformOptions",
    "embedding_of",
    "fit",
    "start",
    "start_from",
    "sweep",
    "transform",
]
