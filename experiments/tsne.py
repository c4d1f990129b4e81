"""Maps by t-SNE of digits, images, words or any numbers.

    python -m experiments.tsne --data mnist

Two busy cores of an AMD EPYC, 1.2 minutes: KL 2.776, 10-NN accuracy 0.976, trustworthiness 0.996.
"""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np

from jaxemb import checks
from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.methods import pca, tsne
from jaxemb.methods.tsne.affinities import check_perplexity
from jaxemb.progress import phase
from jaxemb.training import loop
from jaxemb.training.state import Metrics, TrainState

from .harness import command, run_folder
from .harness.maps import projection

# The line of the table in README.md, of entries of summary.json.
FIGURE = "KL {kl:.3f}, 10-NN accuracy {knn_accuracy:.3f}, trustworthiness {trustworthiness:.3f}"

# Steps between two pictures of a film.
FILM_EVERY = 10


@dataclasses.dataclass(frozen=True)
class Config:
    """Maps points by t-SNE; the defaults need no data.

    Writes embedding.npy, map.png, map.html, trace.png, metrics.jsonl, summary.json and checkpoints/
    to --out. The same command again goes on where it was stopped.
    """

    points: projection.PointFlags = projection.PointFlags()
    options: tsne.Options = tsne.Options()
    components: int = 50
    """Principal components that Euclidean neighbors are searched among; 0: the points as they are.
    """
    held_out: int = 0
    """Points left out, and placed into the finished map one by one afterwards."""
    film: Literal["", "gif", "mp4"] = ""
    """How the map came about; mp4 needs the program ffmpeg."""
    common: command.Common = command.Common(out=Path("runs/tsne"))

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("components", "held_out"):
            checks.check_field(self, name, at_least=0)


SMOKE = Config(
    points=projection.PointFlags(n=300),
    options=tsne.Options(perplexity=10.0, iterations=100, early_iterations=40),
    held_out=60,
    film="gif",
)


def run(config: Config) -> None:
    """Maps, judges and draws."""
    out, seed = config.common.out, config.common.seed
    if config.film:
        from jaxemb.plots.film import check_film

        check_film(out / f"film.{config.film}")
    points = projection.prepare(
        config,
        dim=config.options.dim,
        metric=config.options.metric,
        check=lambda points: check(config, points),
    )
    if points is None:
        return
    order = np.random.default_rng(seed).permutation(len(points.values))
    held_out, kept = (np.sort(part) for part in np.split(order, [config.held_out]))
    values = reduce(config, points.values)
    # Distances are to the points of the map alone.
    seen_by = kept if config.options.metric == "precomputed" else slice(None)
    steps, maps = [], []

    def keep(step: int, positions: np.ndarray) -> None:
        steps.append(step)
        maps.append(positions)

    fitted = fit(config, values[kept][:, seen_by], keep if config.film else None)
    run_folder.stop_if_asked(fitted.history)
    because = fitted.history.stopped_because
    print(
        f"KL {fitted.kl:.4f} after {fitted.iterations:,} steps ({because}), mean perplexity "
        f"{fitted.perplexity.mean():.2f}, {fitted.recall:.1%} of the neighbors found"
    )
    print("seconds:", ", ".join(f"{name} {took:.1f}" for name, took in fitted.seconds.items()))
    figures = {
        "seconds": sum(fitted.seconds.values()),
        **{f"{name}_seconds": took for name, took in fitted.seconds.items()},
        "iterations": fitted.iterations,
        "kl": fitted.kl,
        "recall": fitted.recall,
        "stopped_because": because,
    }
    embedding = np.empty((len(values), config.options.dim), np.float32)
    embedding[kept] = fitted.embedding
    if len(held_out):
        embedding[held_out] = tsne.transform(fitted, values[held_out][:, seen_by])
        figures |= projection.score_held_out(out, points, embedding, kept, held_out)
    draw_trace(out / "trace.png", fitted)
    if config.film:
        from jaxemb.plots.film import write_film

        labels = None if points.labels is None else points.labels[kept]
        write_film(out / f"film.{config.film}", steps, maps, labels=labels)
    seen = check_perplexity(config.options.perplexity, len(kept))
    told = ", ".join(f"{value:.3g}" for value in seen)
    title = f"{config.points.name}: t-SNE, perplexity {told}"
    metric = config.options.metric
    projection.write(out, points, embedding, figures, title=title, metric=metric, held_out=held_out)


def check(config: Config, points: Points) -> None:
    """Refuses points that cannot be mapped as asked."""
    left = len(points.values) - config.held_out
    if left < 4:
        raise InputError(
            f"held_out {config.held_out} leaves fewer than 4 of {len(points.values):,} points"
        )
    check_perplexity(config.options.perplexity, left)


def reduce(config: Config, values: np.ndarray) -> np.ndarray:
    """Returns the first principal components, if the points have more; they keep no angles."""
    euclidean = config.options.metric == "euclidean"
    if not (euclidean and 0 < config.components < min(values.shape)):
        return values
    with phase(f"finding {config.components} principal components"):
        return pca.fit(values, pca.Options(components=config.components)).embedding


def fit(
    config: Config, values: np.ndarray, keep: Callable[[int, np.ndarray], None] | None
) -> tsne.Fitted:
    """Makes the map, and shows it now and then, which changes nothing."""
    training = tsne.start(config.common.seed, values, config.options)
    if keep is not None:

        def show(state: TrainState, metrics: Metrics) -> TrainState:
            keep(int(state.step), tsne.embedding_of(state))
            return state

        training = training._replace(call_steps=FILM_EVERY, judge=show)
    return loop.fit(training, run_folder.engine_run(config.common))


def draw_trace(path: Path, fitted: tsne.Fitted) -> None:
    """Draws how the KL fell."""
    from jaxemb.plots.lines import Line, write_lines

    steps, kl = fitted.kl_trace.T
    write_lines(path, [Line("KL", steps, kl)], x="step", y="KL(P || Q), nats")


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
