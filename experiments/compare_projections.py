"""One picture and one table over all ways to make a map.

    python -m experiments.compare_projections --data mnist --n 5000

Two cores of an AMD EPYC (Zen 4), 4.3 minutes: 10-NN accuracy by t-SNE 0.918, by an autoencoder
0.806, by PCA 0.427.
"""

import dataclasses
import sys
import time
from pathlib import Path
from typing import Literal

import jax
import numpy as np

from jaxemb import checks
from jaxemb.atomic import replacing
from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.evaluation.projection import pair_distances
from jaxemb.methods import autoencoder, mds, pca, sammon, tsne
from jaxemb.plots import scatter
from jaxemb.training.run import Run

from .harness import command, run_folder
from .harness.maps import projection
from .harness.tables import markdown

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "10-NN accuracy by t-SNE {tsne_knn_accuracy:.3f}, by an autoencoder "
    "{autoencoder_knn_accuracy:.3f}, by PCA {pca_knn_accuracy:.3f}"
)

Method = Literal["pca", "classical", "smacof", "sammon", "autoencoder", "tsne"]
TITLES = {
    "pca": "PCA",
    "classical": "classical MDS",
    "smacof": "SMACOF",
    "sammon": "Sammon",
    "autoencoder": "autoencoder",
    "tsne": "t-SNE",
}
# Points, at most, of methods that look at all pairs.
MOST = 10_000
COLUMNS = {
    "seconds": "seconds",
    "knn_accuracy": "kNN accuracy",
    "trustworthiness": "trustworthiness",
    "continuity": "continuity",
    "preservation": "neighbors kept",
    "shepard": "Shepard",
    "stress": "stress",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Maps the same points by every method; the defaults need no data.

    Writes compare.png, table.md, an embedding_METHOD.npy for each and summary.json to --out.
    """

    points: projection.PointFlags = projection.PointFlags()
    dim: int = 2
    """Dimensions of the maps."""
    methods: tuple[Method, ...] = ("pca", "classical", "smacof", "sammon", "autoencoder", "tsne")
    """Methods, in this order."""
    perplexity: float | None = None
    """How many neighbors a point sees: of t-SNE. None: 30, or as many as there can be."""
    iterations: int = 750
    """Steps of t-SNE."""
    stress_iterations: int = 300
    """Steps of SMACOF and Sammon, at most."""
    hidden: tuple[int, ...] = (256, 64)
    """Layers of the autoencoder before its code."""
    autoencoder_iterations: int = 4000
    """Steps of the autoencoder."""
    common: command.Common = command.Common(out=Path("runs/compare_projections"))

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=1, at_most=3)
        for name in ("iterations", "stress_iterations", "autoencoder_iterations"):
            checks.check_field(self, name, at_least=1)
        if self.perplexity is not None:
            checks.check_field(self, "perplexity", at_least=1)
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise InputError("methods must name one method or more, each once")
        if min(self.hidden, default=1) < 1:
            raise InputError(f"hidden must be widths of at least 1, found {min(self.hidden)}")


SMOKE = Config(
    points=projection.PointFlags(n=120),
    perplexity=12.0,
    iterations=300,
    stress_iterations=40,
    autoencoder_iterations=60,
    hidden=(16,),
)


def run(config: Config) -> None:
    """Makes, judges and draws all maps."""
    points = projection.prepare(
        config, dim=config.dim, check=lambda points: check_size(config, points)
    )
    if points is None:
        return
    out, seed = config.common.out, config.common.seed
    maps, rows = {}, {}
    for number, method in enumerate(config.methods):
        key = jax.random.fold_in(jax.random.key(seed), number)
        began = time.perf_counter()
        maps[method] = make_map(key, method, config, points.values)
        seconds = time.perf_counter() - began
        with (
            replacing(config.common.out / f"embedding_{method}.npy") as part,
            part.open("wb") as file,
        ):
            np.save(file, maps[method])
        scores = projection.score(points.values, maps[method], points.labels)
        stress = best_stress(points.values, maps[method])
        rows[method] = {"seconds": seconds, **scores, "stress": stress}
        print(f"  {TITLES[method]}: {seconds:.1f} s")
    table = tabulate(rows)
    print(f"\n{table}")
    with replacing(out / "table.md") as part:
        part.write_text(table)
    draw(config, points, maps, rows)
    total = sum(row["seconds"] for row in rows.values())
    summary: dict[str, float] = {"points": len(points.values), "seconds": total}
    for method, row in rows.items():
        summary |= {f"{method}_{name}": value for name, value in row.items()}
    run_folder.finish(out, summary)


def check_size(config: Config, points: Points) -> None:
    """Refuses points that are too many or too few for a method.

    Raises:
      InputError: naming the method and the way out.
    """
    size = len(points.values)
    all_pairs = {"classical", "smacof", "sammon"}.intersection(config.methods)
    if all_pairs and size > MOST:
        raise InputError(
            f"{config.points.data}: {size:,} points, but {', '.join(sorted(all_pairs))} look at "
            f"all pairs and take {MOST:,} at most; use some of the points with --n, or leave these "
            "--methods out"
        )
    if "tsne" in config.methods and (config.perplexity or 1) >= size / 3:
        raise InputError(
            f"perplexity {config.perplexity:g} must be less than a third of the {size:,} points"
        )


def make_map(key: jax.Array, method: Method, config: Config, values: np.ndarray) -> np.ndarray:
    """Maps points.

    Args:
      key: of random starts and parameters.
      method: which.
      config: the experiment's.
      values: [N, D] the points.

    Returns:
      [N, dim] float32.
    """
    dim, run = config.dim, Run(progress=True)
    if method == "pca":
        return pca.fit(values, pca.Options(components=dim)).embedding
    if method == "autoencoder":
        network = autoencoder.fit(
            key,
            values,
            autoencoder.Options(
                dim=dim, hidden=config.hidden, iterations=config.autoencoder_iterations
            ),
            run=run,
        )
        run_folder.stop_if_asked(network.history, checkpoints=False)
        return autoencoder.encode(network.model, values)
    if method == "tsne":
        options = tsne.Options(config.perplexity, dim, config.iterations)
        found = tsne.fit(key, values, options, run=run)
        run_folder.stop_if_asked(found.history, checkpoints=False)
        return found.embedding
    steps = config.stress_iterations
    if method == "sammon":
        fitted = sammon.fit(key, values, sammon.Options(dim=dim, iterations=steps), run=run)
    else:
        asked = mds.Options(method=method, dim=dim, iterations=steps)
        fitted = mds.fit(key, values, asked, run=run)
    run_folder.stop_if_asked(fitted.history, checkpoints=False)
    return fitted.embedding


def best_stress(points: np.ndarray, embedding: np.ndarray) -> float:
    """Measures how far a map's distances are off, at the scale that suits it best.

    Args:
      points: [N, D] finite.
      embedding: [N, d] the map.

    Returns:
      Kruskal's stress-1 of 100,000 random pairs, in [0, 1]: the root of the squared differences
      over the squared distances. A map by t-SNE has no scale, so that each is given its best.
    """
    wanted, shown = pair_distances(points, embedding)
    cosine = (wanted @ shown) / np.sqrt((wanted @ wanted) * (shown @ shown))
    # What remains of one vector beside another.
    return float(np.sqrt(max(0.0, 1 - cosine**2)))


def tabulate(rows: dict[Method, dict[str, float]]) -> str:
    """Returns the scores as a table in Markdown."""
    names = [name for name in COLUMNS if all(name in row for row in rows.values())]
    lines = []
    for method, row in rows.items():
        cells = [f"{row[name]:.1f}" if name == "seconds" else f"{row[name]:.3f}" for name in names]
        lines.append([TITLES[method], *cells])
    header = ["method", *(COLUMNS[name] for name in names)]
    return "".join(f"{line}\n" for line in markdown(header, lines, figures=True))


def draw(
    config: Config,
    points: Points,
    maps: dict[Method, np.ndarray],
    rows: dict[Method, dict[str, float]],
) -> None:
    """Draws all maps side by side, each with its scores."""
    panels = []
    for method, embedding in maps.items():
        row = rows[method]
        told = [f"trustworthiness {row['trustworthiness']:.3f}", f"{row['seconds']:.1f} s"]
        if "knn_accuracy" in row:
            told.insert(0, f"kNN {row['knn_accuracy']:.3f}")
        panels.append(scatter.Panel(TITLES[method], embedding, points.labels, ", ".join(told)))
    scatter.write_grid(
        config.common.out / "compare.png",
        panels,
        columns=3,
        classes=points.classes,
        title=f"{config.points.name}: {len(points.values):,} points",
        side=4.2,
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
