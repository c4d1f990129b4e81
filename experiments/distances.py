"""Maps that keep distances, and why distances misbehave on images (README row distances)."""

import dataclasses
import signal
import sys
import time
from pathlib import Path
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.evaluation.projection import pair_distances
from jaxemb.factorize import pca
from jaxemb.losses.stress import kruskal_stress, raw_stress, sammon_stress
from jaxemb.methods.mds import fit as training
from jaxemb.methods.mds import sampled as sampled_mds
from jaxemb.progress import progress_bar
from jaxemb.projections import mds
from jaxemb.projections.distance_matrix import distance_matrix

from .harness import command
from .harness.maps import before_projection as projection

# From more points on, pairs are sampled.
ALL_PAIRS = 10_000
# Points whose pairs are looked at one by one, and those of which the stress is measured.
LOOKED_AT = 5000
# Points of the curve of the stress, about.
DRAWN = 60
# Of digits, the classes whose pairs are shown; of others, those that are found.
DIGITS = tuple("0123456789")
SHOWN = (("1", "1"), ("9", "3"), ("4", "9"))


@dataclasses.dataclass(frozen=True)
class Config(projection.Config):
    """Maps points so that distances are kept; the defaults need no data.

    Writes embedding.npy, map.png, map.html, shepard.png, stress.png, summary.json and, of labeled
    points, pairs.png (images only) and histogram.png to --out.
    """

    method: Literal["smacof", "classical", "gradient", "sammon"] = "smacof"
    """smacof, gradient: least squared error of all distances; sammon: relative to them; classical:
    by eigenvectors. Of more than 10,000 points only gradient, which then samples pairs."""
    iterations: int | None = None
    """At most; None takes 300, and 5,000 where pairs are sampled."""
    tolerance: float = 1e-5
    """Relative change of the stress in an iteration from which on the map has converged."""
    initialization: Literal["classical", "random"] = "classical"
    """Where points begin; where pairs are sampled, classical means the first components."""
    learning_rate: float = 1.0
    """Of gradient, in units of SMACOF's step."""
    subset: int = 1024
    """Points an iteration where pairs are sampled."""
    out: Path = Path("runs/distances")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        if self.iterations is not None:
            command.check_field(self, "iterations", at_least=1)
        command.check_field(self, "tolerance", at_least=0, at_most=0.1)
        command.check_field(self, "learning_rate", above=0, at_most=100)
        command.check_field(self, "subset", at_least=2)


class Pair(NamedTuple):
    """Two points, their classes and their distance."""

    rows: tuple[int, int]
    classes: tuple[str, str]
    distance: float


def run(config: Config) -> None:
    """Looks at distances, maps, judges and draws."""
    points = projection.prepare(config, check=lambda points: check_size(config, points))
    if points is None:
        return
    figures: dict[str, object] = {}
    if points.labels is not None:
        figures |= look(config, points)
    began = time.perf_counter()
    fitted = fit(config, points.values)
    seconds = time.perf_counter() - began
    if fitted.stopped_because in signal.Signals.__members__:
        projection.stop_if_asked(fitted.stopped_because)
    figures |= {
        "seconds": seconds,
        "iterations": len(fitted.stress),
        **measure(config, points.values, fitted.positions),
        "stopped_because": fitted.stopped_because,
    }
    print(
        f"{config.method}: {len(fitted.stress):,} iterations ({fitted.stopped_because}), stress "
        f"{figures['stress']:.5g}, Kruskal's {figures['kruskal_stress']:.3f}"
    )
    draw_fit(config, points.values, fitted)
    projection.write(config, points, fitted.positions, figures, title=f"distances, {config.method}")


def check_size(config: Config, points: Points) -> None:
    """Refuses more points than the method can take.

    Raises:
      InputError: naming the way out.
    """
    size, width = points.values.shape
    if size > ALL_PAIRS and config.method != "gradient":
        raise InputError(
            f"{config.data}: {size:,} points, but {config.method} looks at all pairs and takes "
            f"{ALL_PAIRS:,} at most; use some with --n, or sample pairs with --method gradient"
        )
    if size > ALL_PAIRS and config.initialization == "classical" and config.dim > width:
        raise InputError(f"--dim must be at most {width}, the width of the points")


def fit(config: Config, values: np.ndarray) -> training.Fitted:
    """Makes the map, with a progress bar."""
    key, start_key = jax.random.split(jax.random.key(config.seed))
    sampled = len(values) > ALL_PAIRS
    iterations = config.iterations or (5000 if sampled else 300)
    if config.method == "classical":
        positions, _ = mds.classical(distance_matrix(values), dim=config.dim)
        return training.Fitted(positions, np.empty(0), "exact solution")
    with progress_bar(total=iterations, unit=" iterations") as bar:

        def report(done: int, stress: float) -> None:
            bar.set_postfix_str(f"stress {stress:.5g}", refresh=False)
            bar.update(done - bar.n)

        if not sampled:
            return training.fit(
                key,
                distance_matrix(values),
                method=config.method,
                dim=config.dim,
                iterations=iterations,
                tolerance=config.tolerance,
                initialization=config.initialization,
                learning_rate=config.learning_rate,
                report=report,
            )
        table = jnp.asarray(values)
        if config.initialization == "classical":
            start = pca.transform(pca.fit(table, components=config.dim), table)
        else:
            shape = (len(values), config.dim)
            # Such points have the distances of the others in the mean square.
            spread = float(jnp.sqrt(jnp.var(table, axis=0).sum() / config.dim))
            start = spread * jax.random.normal(start_key, shape)
        return sampled_mds.fit(
            key,
            values,
            dim=config.dim,
            iterations=iterations,
            subset=config.subset,
            start=np.asarray(start),
            report=report,
        )


def measure(config: Config, values: np.ndarray, positions: np.ndarray) -> dict[str, float]:
    """Takes the stress of the finished map, of many points by a sample of them."""
    rows = choose(config, len(values), ALL_PAIRS)
    distances, kept = jnp.asarray(distance_matrix(values[rows])), jnp.asarray(positions[rows])
    share = len(rows) * (len(rows) - 1) / (len(values) * (len(values) - 1))
    sammon = config.method == "sammon"
    stress = float(jax.jit(sammon_stress if sammon else raw_stress)(kept, distances))
    return {
        "stress": stress if sammon else stress / share,
        "kruskal_stress": float(jax.jit(kruskal_stress)(kept, distances)),
    }


def choose(config: Config, size: int, most: int) -> np.ndarray:
    """Returns all rows, or a random sample in their order."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(config.seed).permutation(size)[:most])


def look(config: Config, points: Points) -> dict[str, float]:
    """Compares distances within and between classes, and finds pairs that say it all."""
    assert points.labels is not None
    rows = choose(config, len(points.values), LOOKED_AT)
    labels, distances = points.labels[rows], distance_matrix(points.values[rows])
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

    name = Path(config.data).stem
    kinds = {"of one class": within, "of two classes": between}
    write_histogram(config.out / "histogram.png", kinds, title=f"{name}: distances of two points")
    if points.images is not None and pairs:
        couples = [
            Couple(
                f"{' and '.join(pair.classes)}: {pair.distance:.2f} apart",
                points.images[rows[list(pair.rows)]],
            )
            for pair in pairs
        ]
        write_couples(config.out / "pairs.png", couples, title=f"{name}: distances of pixels")
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


def draw_fit(config: Config, values: np.ndarray, fitted: training.Fitted) -> None:
    """Draws distances in the map over those wanted, and the stress over iterations."""
    from jaxemb.plots.distances import write_shepard
    from jaxemb.plots.lines import Line, write_lines

    title = f"{Path(config.data).stem}, {config.method}"
    wanted, found = pair_distances(values, fitted.positions, seed=config.seed)
    write_shepard(config.out / "shepard.png", wanted, found, title=f"{title}: Shepard diagram")
    if len(fitted.stress):
        # Means of some iterations, where all are too many to be told apart.
        pieces = DRAWN if len(fitted.stress) > 2 * DRAWN else len(fitted.stress)
        steps, stress = (
            np.array([piece.mean() for piece in np.array_split(part, pieces)])
            for part in (np.arange(1, len(fitted.stress) + 1), fitted.stress)
        )
        write_lines(
            config.out / "stress.png",
            [Line("stress", steps, stress)],
            x="iteration",
            y="stress before it",
            title=title,
        )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
