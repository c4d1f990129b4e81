"""Maps by t-SNE of digits, images, words or any numbers (README row tsne)."""

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.factorize import pca
from jaxemb.methods.tsne import fit as tsne
from jaxemb.methods.tsne.affinities import check_perplexity
from jaxemb.methods.tsne.transform import transform
from jaxemb.progress import progress_bar
from jaxemb.projections.initialization import Initialization
from jaxemb.projections.neighbors import Engine, Metric
from jaxemb.projections.repulsion import ACCURATE, FAST
from jaxemb.training import before_loop as loop

from .harness import command, run_folder
from .harness.maps import before_projection as projection

# Steps between two pictures of a film.
FILM_EVERY = 10


@dataclasses.dataclass(frozen=True)
class Config(projection.Config):
    """Maps points by t-SNE; the defaults need no data.

    Writes embedding.npy, map.png, map.html, trace.png, metrics.jsonl, summary.json and checkpoints/
    to --out. The same command again goes on where it was stopped.
    """

    perplexity: tuple[float, ...] = (30.0,)
    """How many neighbors a point sees; of several, the mean of their affinities."""
    iterations: int = 750
    """Steps of the descent."""
    learning_rate: float | None = None
    """None takes the number of points over the exaggeration."""
    exaggeration: float = 12.0
    """Factor on the attraction in the early steps."""
    early_iterations: int = 250
    """How many those are."""
    initialization: Initialization = "pca"
    """Where points begin: by PCA, by the graph's eigenvectors, or at random."""
    components: int = 50
    """Principal components that neighbors are searched among; 0 takes the points as they are."""
    metric: Metric = "squared_euclidean"
    """Of the neighbors' distances."""
    neighbors: Engine = "auto"
    """Search for neighbors: exact, or approximate, which auto takes for large data on a CPU."""
    repulsion: Literal["fast", "accurate", "exact"] = "fast"
    """Relative error of the repulsion: below 3e-2, below 1e-3, or none, comparing all pairs."""
    jitter: float = 0.0
    """Noise that parts points in the same place, as a share of the points' standard deviation."""
    min_gradient_norm: float = 0.0
    """A run ends when its gradient is shorter; 0 takes all steps."""
    checkpoint_every: int = 0
    """Steps between checkpoints; 0: at the end only."""
    held_out: int = 0
    """Points left out, and placed into the finished map one by one afterwards."""
    film: Literal["", "gif", "mp4"] = ""
    """How the map came about; mp4 needs the program ffmpeg."""
    out: Path = Path("runs/tsne")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "dim", at_least=1, at_most=3)
        command.check_field(self, "iterations", at_least=1)
        for name in ("components", "checkpoint_every", "held_out", "early_iterations"):
            command.check_field(self, name, at_least=0)
        command.check_field(self, "exaggeration", at_least=1)
        for name in ("jitter", "min_gradient_norm"):
            command.check_field(self, name, at_least=0)
        if self.learning_rate is not None:
            command.check_field(self, "learning_rate", above=0)
        if not self.perplexity:
            raise InputError("--perplexity needs at least one number")


def run(config: Config) -> None:
    """Maps, judges and draws."""
    if config.film:
        from jaxemb.plots.film import check_film

        check_film(config.out / f"film.{config.film}")
    points = projection.prepare(config, check=lambda points: check(config, points))
    if points is None:
        return
    order = np.random.default_rng(config.seed).permutation(len(points.values))
    held_out, kept = (np.sort(part) for part in np.split(order, [config.held_out]))
    values = reduce(config, points.values)
    steps, maps = [], []

    def keep(step: int, positions: np.ndarray) -> None:
        steps.append(step)
        maps.append(positions)

    fitted = fit(config, values[kept], keep if config.film else None)
    projection.stop_if_asked(fitted.stopped_because)
    shown = fitted.affinities
    print(
        f"KL {fitted.kl:.4f} after {fitted.iterations:,} steps ({fitted.stopped_because}), mean "
        f"perplexity {shown.perplexity.mean():.2f}, {shown.recall:.1%} of the neighbours found"
    )
    print("seconds:", ", ".join(f"{name} {took:.1f}" for name, took in fitted.seconds.items()))
    figures = {
        "seconds": sum(fitted.seconds.values()),
        **{f"{name}_seconds": took for name, took in fitted.seconds.items()},
        "iterations": fitted.iterations,
        "kl": fitted.kl,
        "recall": shown.recall,
        "stopped_because": fitted.stopped_because,
    }
    embedding = np.empty((len(values), config.dim), np.float32)
    embedding[kept] = fitted.embedding
    if len(held_out):
        embedding[held_out] = transform(
            fitted.embedding, values[kept], values[held_out], metric=config.metric
        )
        figures |= projection.score_held_out(points, embedding, kept, held_out)
    draw_trace(config.out / "trace.png", fitted)
    if config.film:
        from jaxemb.plots.film import write_film

        labels = None if points.labels is None else points.labels[kept]
        write_film(config.out / f"film.{config.film}", steps, maps, labels=labels)
    title = f"t-SNE, perplexity {', '.join(f'{value:g}' for value in config.perplexity)}"
    projection.write(config, points, embedding, figures, title=title)


def check(config: Config, points: Points) -> None:
    """Refuses points that cannot be mapped as asked."""
    left = len(points.values) - config.held_out
    if left < 4:
        raise InputError(
            f"--held-out {config.held_out} leaves fewer than 4 of {len(points.values):,} points"
        )
    check_perplexity(config.perplexity, left)


def reduce(config: Config, values: np.ndarray) -> np.ndarray:
    """Returns the first principal components, if the points have more."""
    if not 0 < config.components < min(values.shape):
        return values
    table = jnp.asarray(values)
    return np.asarray(pca.transform(pca.fit(table, components=config.components), table))


def fit(
    config: Config, values: np.ndarray, keep: Callable[[int, np.ndarray], None] | None
) -> tsne.Fitted:
    """Makes the map, with a progress bar and a line of metrics every 50 steps."""
    path = config.out / "metrics.jsonl"
    checkpoints = config.out / "checkpoints"
    with progress_bar(total=config.iterations, unit=" steps") as bar:

        def report(done: int, metrics: loop.Metrics, seconds: float) -> None:
            if not bar.n:
                run_folder.cut_metrics(path, done - len(metrics["loss"]))
            bar.set_postfix_str(f"KL {metrics['loss'][-1]:.3f}", refresh=False)
            bar.update(done - bar.n)
            line = {
                "step": done,
                "loss": float(metrics["loss"][-1]),
                "learning_rate": float(metrics["learning_rate"][-1]),
                "gradient_norm": float(metrics["gradient_norm"][-1]),
                "seconds": seconds,
            }
            with path.open("a") as file:
                file.write(json.dumps(line) + "\n")

        return tsne.fit(
            jax.random.key(config.seed),
            values,
            perplexity=config.perplexity,
            dim=config.dim,
            iterations=config.iterations,
            learning_rate=config.learning_rate,
            exaggeration=config.exaggeration,
            early_iterations=config.early_iterations,
            initialization=config.initialization,
            metric=config.metric,
            engine=config.neighbors,
            jitter=config.jitter,
            mesh={"fast": FAST, "accurate": ACCURATE, "exact": None}[config.repulsion],
            min_gradient_norm=config.min_gradient_norm,
            checkpoints=checkpoints,
            checkpoint_every=config.checkpoint_every,
            report=report,
            callback=keep,
            callback_every=FILM_EVERY,
        )


def draw_trace(path: Path, fitted: tsne.Fitted) -> None:
    """Draws how the KL fell."""
    from jaxemb.plots.lines import Line, write_lines

    steps, kl = fitted.kl_trace.T
    write_lines(path, [Line("KL", steps, kl)], x="step", y="KL(P || Q), nats")


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
