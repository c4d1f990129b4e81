"""What experiments.benchmarks.tsne measures in processes of their own.

`python -m experiments.benchmarks.tsne_child TASK JSON` prints its figures as a line of JSON.
Libraries are imported where they are needed, so that a process holds only those that it measures.
"""

import itertools
import json
import sys
import time
from pathlib import Path

import numpy as np

from ..harness.peak_memory import peak_mb

Figures = dict[str, float]


def write_mnist(*, data_dir: str, pixels: str, points: str, labels: str) -> Figures:
    """Writes MNIST's pixels in [0, 1], their 50 first principal components, and the digits."""
    from sklearn.decomposition import PCA

    from jaxemb.io.points import load

    mnist = load("mnist", data_dir=Path(data_dir))
    np.save(pixels, mnist.values)
    np.save(points, PCA(50, svd_solver="covariance_eigh").fit_transform(mnist.values))
    np.save(labels, np.asarray(mnist.labels))
    return {"points": len(mnist.values)}


def write_clusters(*, n: int, seed: int, points: str, labels: str) -> Figures:
    """Writes made-up points in a hundred clusters of 50 dimensions, from wide to narrow."""
    rng = np.random.default_rng(seed)
    centers = 2 * rng.normal(size=(100, 50))
    own = rng.integers(100, size=n)
    spread = np.linspace(1.5, 0.3, 50) * rng.standard_normal((n, 50), np.float32)
    np.save(points, (centers[own] + spread).astype(np.float32))
    np.save(labels, own)
    return {"points": n}


def open_tsne(
    *, points: str, n: int, perplexity: float, iterations: int, threads: int, seed: int, out: str
) -> Figures:
    """Times openTSNE's defaults, part by part."""
    import openTSNE

    x = np.load(points)[:n]
    began = time.perf_counter()
    affinities = openTSNE.affinity.PerplexityBasedNN(
        x, perplexity=perplexity, n_jobs=threads, random_state=seed
    )
    joined = time.perf_counter()
    start = openTSNE.initialization.pca(x, random_state=seed)
    embedding = openTSNE.TSNEEmbedding(start, affinities, n_jobs=threads, random_state=seed)
    early = iterations // 3
    embedding = embedding.optimize(early, exaggeration=12, momentum=0.5)
    embedding = embedding.optimize(iterations - early, momentum=0.8)
    ended = time.perf_counter()
    np.save(out, np.asarray(embedding, np.float32))
    return {
        "seconds": ended - began,
        "neighbors_and_affinities_seconds": joined - began,
        "optimization_seconds": ended - joined,
        "peak_mb": peak_mb(),
    }


def sklearn_tsne(
    *, points: str, n: int, perplexity: float, iterations: int, threads: int, seed: int, out: str
) -> Figures:
    """Times scikit-learn's defaults."""
    from sklearn.manifold import TSNE

    x = np.load(points)[:n].astype(np.float32)
    began = time.perf_counter()
    model = TSNE(perplexity=perplexity, max_iter=iterations, random_state=seed, n_jobs=threads)
    embedding = model.fit_transform(x)
    ended = time.perf_counter()
    np.save(out, embedding)
    return {"seconds": ended - began, "peak_mb": peak_mb()}


def jaxemb_tsne(
    *, points: str, n: int, perplexity: float, iterations: int, threads: int, seed: int, out: str
) -> Figures:
    """Times jaxemb's defaults, compilation included: nothing is found compiled."""
    import jax

    from jaxemb.methods import tsne

    x = np.load(points)[:n].astype(np.float32)
    began = time.perf_counter()
    fitted = tsne.fit(
        jax.random.key(seed),
        x,
        tsne.Options(perplexity, iterations=iterations, early_iterations=iterations // 3),
    )
    ended = time.perf_counter()
    np.save(out, fitted.embedding)
    took = fitted.seconds
    return {
        "seconds": ended - began,
        "neighbors_and_affinities_seconds": took["neighbors"] + took["affinities"],
        "optimization_seconds": took["initialization"] + took["optimization"],
        "recall": fitted.recall,
        "peak_mb": peak_mb(),
    }


def evaluate(
    *, points: str, labels: str, n: int, perplexity: float, maps: list[str]
) -> list[Figures]:
    """Gives maps their KL on the same affinities, of exact neighbors, and their accuracy.

    The normalizer sums over all pairs.
    """
    import jax.numpy as jnp

    from jaxemb.evaluation.projection import knn_accuracy
    from jaxemb.methods.tsne.affinities import affinities_of
    from jaxemb.methods.tsne.step import divergence
    from jaxemb.projections.repulsion import exact_repulsion

    x = np.load(points)[:n].astype(np.float32)
    graph = affinities_of(x, perplexity=perplexity, engine="exact").graph
    digits = np.load(labels)[:n]
    found = []
    for path in maps:
        embedding = np.load(path).astype(np.float32)
        positions = jnp.asarray(embedding)[graph.order]
        radii = np.linalg.norm(embedding - embedding.mean(axis=0), axis=1)
        normalizer = exact_repulsion(positions).normalizer
        found.append(
            {
                "kl": float(divergence(positions, graph, normalizer)),
                "knn_accuracy": float(knn_accuracy(embedding, digits, k=10)),
                "outermost": float(radii.max() / np.percentile(radii, 99)),
            }
        )
    return found


def repulsion(*, embedding: str) -> Figures:
    """Compares the force on the grids with that summed over all pairs, and times each."""
    import jax
    import jax.numpy as jnp

    from jaxemb.projections import repulsion as ways

    positions = jnp.asarray(np.load(embedding), jnp.float32)
    span = float(np.ptp(np.asarray(positions), axis=0).max())
    figures = {"span": span}

    def timed(name: str, function) -> jax.Array:
        force = jax.block_until_ready(function(positions)).force
        began = time.perf_counter()
        jax.block_until_ready(function(positions))
        figures[f"{name}_ms"] = 1000 * (time.perf_counter() - began)
        return force

    exact = timed("exact", jax.jit(ways.exact_repulsion))
    for name, mesh in (("fast", ways.FAST), ("accurate", ways.ACCURATE)):
        nodes = ways.nodes_for(span, mesh)
        factor = ways.influence(nodes=nodes, dim=positions.shape[1], mesh=mesh)

        def on_grid(x, factor=factor, nodes=nodes, mesh=mesh):
            return ways.grid_repulsion(x, factor, nodes=nodes, mesh=mesh)

        force = timed(name, jax.jit(on_grid))
        figures[f"{name}_error"] = float(jnp.linalg.norm(force - exact) / jnp.linalg.norm(exact))
    return figures


def scale(*, n: int, perplexity: float, iterations: int, seed: int) -> Figures:
    """Times a short run on made-up points of 50 dimensions, in a hundred clusters."""
    import jax

    from jaxemb.methods import tsne
    from jaxemb.training.run import Run

    rng = np.random.default_rng(seed)
    centers = rng.normal(size=(100, 50)).astype(np.float32)
    x = rng.standard_normal((n, 50), np.float32)
    x += 2 * centers[rng.integers(100, size=n)]
    marks: dict[int, float] = {}
    fitted = tsne.fit(
        jax.random.key(seed),
        x,
        tsne.Options(perplexity, iterations=iterations, early_iterations=iterations // 2),
        run=Run(report=lambda done, metrics, seconds: marks.__setitem__(done, seconds)),
    )
    # Of the later half, the shortest call: others may have compiled a larger grid's program.
    steps = [0, *sorted(marks)]
    late = [pair for pair in itertools.pairwise(steps) if pair[0] >= iterations // 2]
    shortest = min((marks[stop] - marks.get(start, 0)) / (stop - start) for start, stop in late)
    return {
        **{f"{name}_seconds": took for name, took in fitted.seconds.items()},
        "seconds": sum(fitted.seconds.values()),
        "step_ms": 1000 * shortest,
        "recall": fitted.recall,
        "peak_mb": peak_mb(),
    }


def pca(*, pixels: str, solver: str, components: int, repeats: int) -> Figures:
    """Times a fit of 784 columns: sklearn or jaxemb, exact or randomized; compiled before."""
    x = np.load(pixels)
    system, kind = solver.split()
    if system == "sklearn":
        from sklearn.decomposition import PCA

        solvers = {"exact": "covariance_eigh", "randomised": "randomized"}
        model = PCA(components, svd_solver=solvers[kind], random_state=0)

        def fit() -> np.ndarray:
            return model.fit(x).explained_variance_
    else:
        import jax
        import jax.numpy as jnp

        from jaxemb.factorize import pca as ours

        table = jnp.asarray(x)

        def fit() -> np.ndarray:
            if kind == "exact":
                found = ours.fit(table, components=components)
            else:
                found = ours.fit_randomized(jax.random.key(0), table, components=components)
            return np.asarray(found.explained_variance)

    fit()
    seconds = []
    for _ in range(repeats):
        # LAPACK's threads go on looking for work for a while, and would slow down the next fit.
        time.sleep(0.3)
        began = time.perf_counter()
        variance = fit()
        seconds.append(time.perf_counter() - began)
    return {"seconds": float(np.median(seconds)), "variance": float(variance.sum())}


TASKS = {
    task.__name__: task
    for task in (
        write_mnist,
        write_clusters,
        open_tsne,
        sklearn_tsne,
        jaxemb_tsne,
        evaluate,
        repulsion,
        scale,
        pca,
    )
}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))))
