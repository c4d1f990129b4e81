"""Maps that keep distances, and why distances misbehave on images.

    python -m experiments.distances

Two busy cores of an AMD EPYC, 0.2 minutes: stress-1 0.347, 10-NN accuracy 0.757.
"""

import dataclasses
import sys
import time
from pathlib import Path
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.evaluation.projection import pair_distances
from jaxemb.losses.stress import kruskal_stress, raw_stress, sammon_stress
from jaxemb.methods import mds, sammon
from jaxemb.projections.distance_matrix import distance_matrix

from .harness import command, run_folder
from .harness.maps import projection

# The line of the table in README.md, of entries of summary.json.
FIGURE = "stress-1 {kruskal_stress:.3f}, 10-NN accuracy {knn_accuracy:.3f}"

# Points whose pairs are looked at one by one.
LOOKED_AT = 5000
# Points of the curve of the stress, about.
DRAWN = 60
# The classes of digits whose pairs are shown; in other data they are found.
DIGITS = tuple("0123456789")
SHOWN = (("1", "1"), ("9", "3"), ("4", "9"))


@dataclasses.dataclass(frozen=True)
class Config:
    """Maps points so that distances are kept; the defaults need no data.

    Writes embedding.npy, map.png, map.html, shepard.png, stress.png, metrics.jsonl, checkpoints/,
    summary.json and, of labeled points, pairs.png (images only) and histogram.png to --out. The
    same command again goes on where it was stopped.
    """

    method: Literal["smacof", "classical", "gradient", "sammon"] = "smacof"
    """smacof, gradient: least squared error of all distances; sammon: relative to them; classical:
    by eigenvectors. Above --all-pairs points only gradient, which then samples pairs."""
    dim: int = 2
    """Dimensions of the map."""
    iterations: int | None = None
    """At most. None: 300, and 5,000 where pairs are sampled."""
    tolerance: float = mds.Options.tolerance
    """Relative change of the stress in an iteration below which the map has converged."""
    window: int = mds.Options.window
    """Iterations over which this change is averaged."""
    rounding: float = mds.Options.rounding
    """Stress, as a share of that of one place, that is nothing but rounding."""
    metric: Literal["euclidean", "precomputed"] = "euclidean"
    """euclidean: the data are points; precomputed: their distances."""
    initialization: Literal["classical", "random"] = "classical"
    """Where points begin; where pairs are sampled, classical means the first components."""
    noise: float = mds.Options.noise
    """Parts equal positions of the classical start, in standard deviations of the positions."""
    learning_rate: float = mds.Options.learning_rate
    """Of gradient, in units of SMACOF's step."""
    momentum: float = mds.Options.momentum
    """Of gradient."""
    magic_factor: float = sammon.Options.magic_factor
    """Share of Newton's step that is tried first: sammon."""
    halvings: int = sammon.Options.halvings
    """Times that a step is halved, at most, until the stress falls: sammon."""
    subset: int = mds.Options.subset
    """Points an iteration where pairs are sampled."""
    all_pairs: int = 10_000
    """Above this many points, pairs are sampled, also to measure the stress."""
    points: projection.PointFlags = projection.PointFlags()
    common: command.Common = command.Common(out=Path("runs/distances"))

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "all_pairs", at_least=4)
        # Each of them has its ranges.
        mds_options(self, sampled=True)
        sammon_options(self)


class Pair(NamedTuple):
    """Two points, their classes and their distance."""

    rows: tuple[int, int]
    classes: tuple[str, str]
    distance: float


def mds_options(config: Config, *, sampled: bool) -> mds.Options:
    """Returns the options of multidimensional scaling."""
    method: Literal["smacof", "gradient", "classical", "sampled"] = "smacof"
    if sampled:
        method = "sampled"
    elif config.method != "sammon":
        method = config.method
    return mds.Options(
        method=method,
        # Samples of pairs are of points; more precomputed distances are refused before.
        metric="euclidean" if sampled else config.metric,
        dim=config.dim,
        iterations=config.iterations,
        tolerance=config.tolerance,
        window=config.window,
        rounding=config.rounding,
        initialization=config.initialization,
        noise=config.noise,
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        subset=config.subset,
    )


def sammon_options(config: Config) -> sammon.Options:
    """Returns the options of Sammon's mapping."""
    return sammon.Options(
        metric=config.metric,
        dim=config.dim,
        iterations=config.iterations or sammon.Options.iterations,
        tolerance=config.tolerance,
        window=config.window,
        rounding=config.rounding,
        initialization=config.initialization,
        noise=config.noise,
        magic_factor=config.magic_factor,
        halvings=config.halvings,
    )


SMOKE = Config(iterations=60, points=projection.PointFlags(n=150))


def run(config: Config) -> None:
    """Looks at distances, maps, judges and draws."""
    points = projection.prepare(
        config,
        dim=config.dim,
        metric=config.metric,
        check=lambda points: check_size(config, points),
    )
    if points is None:
        return
    figures: dict[str, object] = {}
    if points.labels is not None:
        figures |= look(config, points)
    began = time.perf_counter()
    fitted = fit(config, points.values)
    seconds = time.perf_counter() - began
    run_folder.stop_if_asked(fitted.history)
    because = "exact solution" if config.method == "classical" else fitted.history.stopped_because
    figures |= {
        "seconds": seconds,
        "iterations": len(fitted.stress),
        **measure(config, points.values, fitted.embedding),
        "stopped_because": because,
    }
    print(
        f"{config.method}: {len(fitted.stress):,} iterations ({because}), stress "
        f"{figures['stress']:.5g}, Kruskal's {figures['kruskal_stress']:.3f}"
    )
    draw_fit(config, points.values, fitted)
    title = f"{config.points.name}: distances, {config.method}"
    projection.write(
        config.common.out, points, fitted.embedding, figures, title=title, metric=config.metric
    )


def check_size(config: Config, points: Points) -> None:
    """Refuses more points than the method can take.

    Raises:
      InputError: naming the way out.
    """
    size, width = points.values.shape
    if size > config.all_pairs and (config.method != "gradient" or config.metric == "precomputed"):
        raise InputError(
            f"{config.points.data}: {size:,} points, but {config.method} looks at all pairs and "
            f"takes {config.all_pairs:,} at most; use some with --n"
            + (", or sample pairs with --method gradient" * (config.metric == "euclidean"))
        )
    if size > config.all_pairs and config.initialization == "classical" and config.dim > width:
        raise InputError(f"dim must be at most {width}, the width of the points")


def fit(config: Config, values: np.ndarray) -> mds.Fitted:
    """Makes the map."""
    key = jax.random.key(config.common.seed)
    run = run_folder.engine_run(config.common)
    if len(values) > config.all_pairs:
        return mds.fit(key, values, mds_options(config, sampled=True), run=run)
    # The key that methods without samples have always got, so that a seed's map stays the same.
    key, _ = jax.random.split(key)
    if config.method == "sammon":
        return sammon.fit(key, values, sammon_options(config), run=run)
    return mds.fit(key, values, mds_options(config, sampled=False), run=run)


def measure(config: Config, values: np.ndarray, positions: np.ndarray) -> dict[str, float]:
    """Computes the stress of the finished map, of many points by a sample of them."""
    rows = choose(config, len(values), config.all_pairs)
    distances = jnp.asarray(distances_between(config, values, rows))
    kept = jnp.asarray(positions[rows])
    share = len(rows) * (len(rows) - 1) / (len(values) * (len(values) - 1))
    relative = config.method == "sammon"
    stress = float(jax.jit(sammon_stress if relative else raw_stress)(kept, distances))
    return {
        "stress": stress if relative else stress / share,
        "kruskal_stress": float(jax.jit(kruskal_stress)(kept, distances)),
    }


def distances_between(config: Config, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Returns the distances of all pairs of these points."""
    if config.metric == "precomputed":
        return values[np.ix_(rows, rows)].astype(np.float32)
    return distance_matrix(values[rows])


def choose(config: Config, size: int, most: int) -> np.ndarray:
    """Returns all rows, or a random sample in their order."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(config.common.seed).permutation(size)[:most])


def look(config: Config, points: Points) -> dict[str, float]:
    """Compares distances within and between classes, and finds pairs that say it all."""
    assert points.labels is not None
    rows = choose(config, len(points.values), LOOKED_AT)
    labels, distances = points.labels[rows], distances_between(config, points.values, rows)
    above = np.triu(np.ones(distances.shape, bool), 1)
    same = labels[:, None] == labels[None, :]
    within, between = distances[above & same], distances[above & ~same]
    if not (len(within) and len(between)):
        return {}
    typical = float(np.median(within))
    figures = {
        "within_distance": float(within.mean()),
        "between_distance": float(between.mean()),
        "distance_variation": float(distances[above].std() / distances[above].mean()),
        "between_nearer_than_half_of_within": float((between < typical).mean()),
    }
    overlap = figures["between_nearer_than_half_of_within"]
    print(
        f"distances within classes {within.mean():.3f} on average, between them "
        f"{between.mean():.3f}; of all, the standard deviation is "
        f"{figures['distance_variation']:.0%} of the mean; {overlap:.0%} of the pairs of two "
        "classes are nearer than half of those of one"
    )
    pairs = find_pairs(points.classes, labels, distances)
    for number, pair in enumerate(pairs):
        first, second = pair.classes
        told = f"two of class {first}" if first == second else f"classes {first} and {second}"
        where = ", ".join(f"{rows[row]:,}" for row in pair.rows)
        print(f"  {told} (points {where}): {pair.distance:.3f} apart")
        figures[f"pair_{number}_{first}_{second}"] = pair.distance
    from jaxemb.plots.distances import Couple, write_couples, write_histogram

    name, out = config.points.name, config.common.out
    kinds = {"of one class": within, "of two classes": between}
    write_histogram(out / "histogram.png", kinds, title=f"{name}: distances of two points")
    if points.images is not None and pairs:
        couples = [
            Couple(
                f"{' and '.join(pair.classes)}: {pair.distance:.2f} apart",
                points.images[rows[list(pair.rows)]],
            )
            for pair in pairs
        ]
        write_couples(out / "pairs.png", couples, title=f"{name}: distances of pixels")
    return figures


def find_pairs(classes: tuple[str, ...], labels: np.ndarray, distances: np.ndarray) -> list[Pair]:
    """Finds the two farthest of one class, and the two nearest of each of some pairs of classes.

    Args:
      classes: their names.
      labels: [M] positions in these.
      distances: [M, M] of the points.

    Returns:
      The pair within a class first. Of digits the classes are given; otherwise it is the widest
      class, and the two nearest points of different classes.
    """

    def best(first: str, second: str) -> Pair | None:
        mine, others = (np.flatnonzero(labels == classes.index(name)) for name in (first, second))
        block = distances[np.ix_(mine, others)]
        if block.size < 2:
            return None
        place = block.argmax() if first == second else block.argmin()
        i, j = np.unravel_index(place, block.shape)
        return Pair((int(mine[i]), int(others[j])), (first, second), float(block[i, j]))

    wanted = list(SHOWN)
    if classes != DIGITS:
        same = labels[:, None] == labels[None, :]
        far = np.unravel_index(np.where(same, distances, -1).argmax(), same.shape)
        near = np.unravel_index(np.where(same, np.inf, distances).argmin(), same.shape)
        wanted = [(classes[labels[i]], classes[labels[j]]) for i, j in (far, near)]
    return [pair for pair in (best(*names) for names in wanted) if pair is not None]


def draw_fit(config: Config, values: np.ndarray, fitted: mds.Fitted) -> None:
    """Draws distances in the map over those wanted, and the stress over iterations."""
    from jaxemb.plots.distances import write_shepard
    from jaxemb.plots.lines import Line, write_lines

    out, title = config.common.out, f"{config.points.name}, {config.method}"
    wanted, found = pair_distances(
        values, fitted.embedding, metric=config.metric, seed=config.common.seed
    )
    write_shepard(out / "shepard.png", wanted, found, title=f"{title}: Shepard diagram")
    if len(fitted.stress):
        # Means of some iterations, where all are too many to be told apart.
        pieces = DRAWN if len(fitted.stress) > 2 * DRAWN else len(fitted.stress)
        steps, stress = (
            np.array([piece.mean() for piece in np.array_split(part, pieces)])
            for part in (np.arange(1, len(fitted.stress) + 1), fitted.stress)
        )
        write_lines(
            out / "stress.png",
            [Line("stress", steps, stress)],
            x="iteration",
            y="stress before it",
            title=title,
        )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
