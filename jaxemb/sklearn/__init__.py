"""The maps behind scikit-learn's conventions, for those who have a pipeline.

Example:
    import numpy as np
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from jaxemb.sklearn import PCA, TSNE

    points = np.random.default_rng(0).normal(size=(200, 8))
    pipeline = make_pipeline(StandardScaler(), PCA(5), TSNE(perplexity=10, max_iter=300))
    embedding = pipeline.fit_transform(points)  # [200, 2]
    placed = pipeline.transform(points[:5] + 0.1)  # [5, 2], in the same map

Parameters have scikit-learn's names, and the method's defaults. All other numbers are fields of the
method's `Options`, given as `options`; a field that a parameter sets is refused there. Seeds are 0,
so that a map is the same each time. Results are float32.
"""

from jaxemb.sklearn.distances import MDS, Sammon
from jaxemb.sklearn.pca import PCA
from jaxemb.sklearn.tsne import TSNE

__all__ = ["MDS", "PCA", "TSNE", "Sammon"]
