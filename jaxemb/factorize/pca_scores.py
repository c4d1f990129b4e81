"""Scores of a few principal components in NumPy, where compiling `pca` would take longer."""

import numpy as np


def pca_scores(points: np.ndarray, *, components: int) -> np.ndarray:
    """Projects points onto their first principal components.

    The same as `pca.transform(pca.fit(points), points)` but for signs, scale and rounding, without
    the second that compiling it takes.

    Args:
      points: [N, D] finite float.
      components: C in 1..min(N, D).

    Returns:
      [N, C] float32 or float64, in the units of the points over their largest magnitude. A
      column's entry of largest magnitude is positive.
    """
    # Numbers whose squares are no float32 are of no interest here.
    largest = np.abs(points).max()
    table = (points / (largest if largest > 0 else 1)).astype(np.float32)
    table -= table.mean(axis=0, dtype=float, keepdims=True).astype(np.float32)
    count, width = table.shape
    if width <= count:
        _, vectors = np.linalg.eigh((table.T @ table).astype(float))
        scores = table @ vectors[:, ::-1][:, :components].astype(np.float32)
    else:
        values, vectors = np.linalg.eigh((table @ table.T).astype(float))
        roots = np.sqrt(np.maximum(values[::-1][:components], 0))
        scores = vectors[:, ::-1][:, :components] * roots[None]
    signs = np.sign(scores[np.abs(scores).argmax(axis=0), range(components)])
    return scores * signs[None]
