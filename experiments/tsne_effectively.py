"""The six lessons of "How to Use t-SNE Effectively", with numbers.

    python -m experiments.tsne_effectively

Two cores of an AMD EPYC (Zen 4), 4.1 minutes: two clusters 10.0 to 1 wide look 1.0 to 1 wide.
"""

import dataclasses
import itertools
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.evaluation.projection import procrustes_disparity
from jaxemb.methods import tsne
from jaxemb.methods.tsne.affinities import affinities_of
from jaxemb.plots import scatter
from jaxemb.training import loop

from .harness import command, run_folder
from .harness.maps.tsne_lessons import LESSONS, Lesson, knot


@dataclasses.dataclass(frozen=True)
class Config:
    """Maps made-up points of known shape, to see what t-SNE keeps of it.

    After Wattenberg, Viegas and Johnson 2016, https://distill.pub/2016/misread-tsne. Writes
    lessons.png (a row for each lesson, a column for each perplexity), runs.png (a knot, mapped from
    several seeds) and summary.json to --out: what is claimed, measured in the points and in each
    map, and how far maps from several random starts agree.
    """

    n: int = 400
    """Points of each lesson."""
    perplexities: tuple[float, ...] = (2, 5, 30, 50, 100)
    """A column for each."""
    seeds: int = 5
    """Random starts of each map; the first is drawn."""
    iterations: int = 1000
    """Steps of each map."""
    common: command.Common = command.Common(out=Path("runs/tsne_effectively"))

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "n", at_least=40, at_most=10_000)
        checks.check_field(self, "seeds", at_least=2, at_most=100)
        checks.check_field(self, "iterations", at_least=1)
        if not self.perplexities:
            raise InputError("perplexities needs at least one number")
        for perplexity in self.perplexities:
            if not 1 <= perplexity < self.n / 3:
                raise InputError(
                    f"perplexities must be at least 1 and less than a third of the {self.n} "
                    f"points, found {perplexity:g}"
                )


SMOKE = Config(n=90, perplexities=(20.0,), seeds=2, iterations=300)


def run(config: Config) -> None:
    """Makes, measures and draws all maps."""
    began = time.perf_counter()
    command.use_cache()
    if not run_folder.open_run(config.common.out, config, {}):
        return
    figures: dict[str, float] = {}
    panels = []
    for number, (name, lesson) in enumerate(LESSONS.items()):
        points, labels = lesson.make(np.random.default_rng([config.common.seed, number]), config.n)
        truth = lesson.measure(points, labels)
        maps = make_maps(config, points, number)
        found = {p: lesson.measure(starts[0], labels) for p, starts in maps.items()}
        stability = {p: agreement(starts) for p, starts in maps.items()}
        figures[name] = truth
        for p, value in found.items():
            figures[f"{name}_{p:g}"] = value
            figures[f"{name}_{p:g}_stability"] = stability[p]
        panels.append(scatter.Panel(lesson.title, points[:, :2], labels, f"truth {truth:.2f}"))
        for p, starts in maps.items():
            panels.append(scatter.Panel(f"perplexity {p:g}", starts[0], labels, f"{found[p]:.2f}"))
        print_scores(lesson, truth, found, stability)

    figures |= map_knot(config)
    scatter.write_grid(
        config.common.out / "lessons.png",
        panels,
        columns=1 + len(config.perplexities),
        title="What t-SNE keeps of points whose shape is known (left)",
    )
    figures["points"] = config.n
    figures["seconds"] = time.perf_counter() - began
    run_folder.finish(config.common.out, figures)


def make_maps(config: Config, points: np.ndarray, number: int) -> dict[float, np.ndarray]:
    """Maps points at each perplexity, from several random starts.

    Args:
      config: the experiment's.
      points: [N, D].
      number: of the lesson, so that each has starts of its own.

    Returns:
      For each perplexity [R, N, 2].
    """
    keys = jax.random.split(
        jax.random.fold_in(jax.random.key(config.common.seed), number), config.seeds
    )
    points = points.astype(np.float32)
    options = tsne.Options(iterations=config.iterations, repulsion="exact")
    maps = {}
    for perplexity in config.perplexities:
        found = affinities_of(points, perplexity=perplexity)
        starts = []
        for key in keys:
            start_key, base_key = jax.random.split(key)
            start = jax.random.normal(start_key, (len(points), 2)) * 1e-4
            fitted = loop.fit(tsne.start_from(base_key, found, start, options))
            run_folder.stop_if_asked(fitted.history, checkpoints=False)
            starts.append(fitted.embedding)
        maps[perplexity] = np.stack(starts)
    return maps


def agreement(maps: np.ndarray) -> float:
    """Tells how far maps of the same points agree.

    Args:
      maps: [R, N, 2] from different starts.

    Returns:
      1 less the mean Procrustes disparity over all pairs of maps: 1 if all have the same shape.
    """
    pairs = itertools.combinations(maps, 2)
    return 1 - float(np.mean([procrustes_disparity(a, b) for a, b in pairs]))


def map_knot(config: Config) -> dict[str, float]:
    """Maps a knot from several starts, in small multiples, and says how far they agree."""
    points, labels = knot(np.random.default_rng(config.common.seed), config.n)
    maps = make_maps(config, points, len(LESSONS))
    stability = {p: agreement(starts) for p, starts in maps.items()}
    panels = [
        scatter.Panel(f"perplexity {p:g}, start {i}", embedding, labels)
        for p, starts in maps.items()
        for i, embedding in enumerate(starts, 1)
    ]
    scatter.write_grid(
        config.common.out / "runs.png",
        panels,
        columns=config.seeds,
        title="A closed loop, a trefoil knot, from several starts; colors run along it",
    )
    print("\nA trefoil knot: whether several starts agree depends on perplexity.")
    print("  perplexity  " + "".join(f"{p:>8g}" for p in stability))
    print("  stability   " + "".join(f"{value:8.2f}" for value in stability.values()))
    return {f"knot_{p:g}_stability": value for p, value in stability.items()}


def print_scores(
    lesson: Lesson, truth: float, found: Mapping[float, float], stability: Mapping[float, float]
) -> None:
    """Prints a lesson with its numbers."""
    print(f"\n{lesson.title}. {lesson.claim}.")
    print(f"  {lesson.unit}: {truth:.2f} in truth")
    print("  perplexity  " + "".join(f"{p:>8g}" for p in found))
    print("  in the map  " + "".join(f"{value:8.2f}" for value in found.values()))
    print("  stability   " + "".join(f"{value:8.2f}" for value in stability.values()))


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
