"""Principal components: a map, what they explain, and what they do against overfitting.

    python -m experiments.pca --examples 20 50 100 200 500

Two busy cores of an AMD EPYC, 0.7 minutes: accuracy from 20 noisy digits: all numbers 0.457, 10
components 0.563.
"""

import dataclasses
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxemb import checks
from jaxemb.data.points import Points
from jaxemb.errors import InputError
from jaxemb.methods import pca

from .harness import command
from .harness.maps import projection
from .harness.tables import write_csv

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "accuracy from 20 noisy digits: all numbers {accuracy_noise_1_all_of_20:.3f}, 10 "
    "components {accuracy_noise_1_10_of_20:.3f}"
)

# Points that the classifiers are judged by, at most.
TEST = 10_000


@dataclasses.dataclass(frozen=True)
class Config:
    """Maps points by their first principal components; the defaults need no data.

    Writes embedding.npy, map.png, map.html, variance.png and summary.json to --out; of labeled
    points, with --examples, also overfitting.png and overfitting.csv: the accuracy of a classifier
    that learns from few examples, given all numbers of a point or its first components.
    """

    dim: int = 2
    """Dimensions of the map, the first components."""
    examples: tuple[int, ...] = ()
    """Labeled examples that a classifier learns from, e.g. 20 100 500; none leaves it out."""
    features: tuple[int, ...] = (10, 20, 40)
    """Components that it is given."""
    repeats: int = 10
    """Random choices of the examples."""
    regularization: float = 1.0
    """Of the classifier, logistic regression: C of scikit-learn, larger for less of it."""
    noise: tuple[float, ...] = (0.0, 1.0)
    """Standard deviations of noise on the points that it sees, in that of the data; each is a
    comparison of its own."""
    options: pca.Options = pca.Options(components=50)
    points: projection.PointFlags = projection.PointFlags()
    common: command.Common = command.Common(out=Path("runs/pca"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("dim", "repeats"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "regularization", above=0, at_most=1e12)
        for name, values in (("examples", self.examples), ("features", self.features)):
            if any(value < 1 for value in values):
                raise InputError(f"{name} must all be at least 1, found {min(values)}")
        # NaN fails this comparison.
        if bad := [value for value in self.noise if not 0 <= value <= 1e6]:
            raise InputError(f"noise must be from 0 to 1,000,000, found {bad[0]}")


SMOKE = Config(examples=(20, 100), features=(10,), repeats=3)


class Accuracy(NamedTuple):
    """How well one classifier did.

    Attributes:
      noise: standard deviation of the noise on the points, in that of the data.
      examples: that it learned from.
      features: "all", "10" components, or "10 whitened".
      repeat: which choice of examples.
      train: share right of these examples, in [0, 1].
      test: share right of points that neither it nor the PCA has seen.
    """

    noise: float
    examples: int
    features: str
    repeat: int
    train: float
    test: float


def run(config: Config) -> None:
    """Fits, draws and compares."""
    points = projection.prepare(
        config, dim=config.dim, check=lambda points: check_dim(config, points)
    )
    if points is None:
        return
    out, name = config.common.out, config.points.name
    wanted = max(config.dim, config.options.components)
    began = time.perf_counter()
    fitted = fit(config, points.values, min(*points.values.shape, wanted))
    seconds = time.perf_counter() - began
    explained = np.cumsum(fitted.pca.explained_variance_ratio)
    shown = sorted({config.dim, min(10, len(explained)), len(explained)})
    for count in shown:
        print(f"{count:>4} components explain {explained[count - 1]:.1%} of the variance")
    exact = config.options.solver == "exact"
    figures: dict[str, object] = {
        "seconds": seconds,
        "stopped_because": "exact solution" if exact else "done",
    }
    figures |= {f"explained_variance_{count}": float(explained[count - 1]) for count in shown}
    draw_variance(out, explained, name)
    if points.labels is not None and len(np.unique(points.labels)) > 1 and config.examples:
        accuracies = [row for noise in config.noise for row in compare(config, points, noise)]
        if accuracies:
            figures |= print_accuracies(accuracies)
            write_accuracies(out, accuracies)
            draw_accuracies(out, accuracies, name)
    embedding = fitted.embedding[:, : config.dim]
    shares = fitted.pca.explained_variance_ratio[: config.dim]
    names = [f"component {i}, {share:.1%} of the variance" for i, share in enumerate(shares, 1)]
    projection.write(out, points, embedding, figures, title=f"{name}: PCA", axes_names=names)


def check_dim(config: Config, points: Points) -> None:
    """Refuses a map of more dimensions than the points have, and points that have no directions.

    Raises:
      InputError: naming the most.
    """
    if not np.ptp(points.values, axis=0).any():
        raise InputError(
            f"{config.points.data}: all {len(points.values):,} points are equal; were the right "
            "columns read?"
        )
    width = min(points.values.shape)
    if config.dim > width:
        raise InputError(
            f"dim must be at most {width}, the rank that {config.points.data} has, found "
            f"{config.dim}"
        )


def fit(config: Config, points: np.ndarray, components: int) -> pca.Fitted:
    """Finds the first components."""
    options = dataclasses.replace(config.options, components=components)
    return pca.fit(points, options, key=config.common.seed)


def compare(config: Config, points: Points, noise: float) -> list[Accuracy]:
    """Lets classifiers learn from few examples, with and without PCA.

    The components are those of one half of the points, without labels; the examples are some of
    these, and the other half tests.
    """
    from sklearn.linear_model import LogisticRegression

    assert points.labels is not None
    rng = np.random.default_rng(config.common.seed)
    values, labels = points.values, points.labels
    drawn = rng.normal(size=values.shape) * noise * values.std(dtype=np.float64)
    if values.dtype == np.float64:  # far from 0, for float32
        values = values - values.mean(axis=0)
    values = (values + drawn).astype(np.float32)
    order = rng.permutation(len(values))
    pool, test = order[: len(order) // 2], order[len(order) // 2 :][:TEST]
    inputs = {"all": values}
    usable = [count for count in config.features if count <= min(len(pool), values.shape[1])]
    if usable:
        fitted = fit(config, values[pool], max(usable))
        for whiten, name in ((False, "{}"), (True, "{} whitened")):
            options = dataclasses.replace(fitted.options, whiten=whiten)
            scores = pca.transform(fitted._replace(options=options), values)
            inputs |= {name.format(count): scores[:, :count] for count in usable}
    found = []
    for count in config.examples:
        if not 2 * len(points.classes) <= count <= len(pool):
            print(
                f"{count} examples are left out: {len(points.classes)} classes need two each, and "
                f"there are {len(pool):,}"
            )
            continue
        for repeat in range(config.repeats):
            chosen = pool[balanced(labels[pool], count, rng)]
            if len(np.unique(labels[chosen])) < 2:
                continue
            for name, given in inputs.items():
                judge = LogisticRegression(C=config.regularization, max_iter=10_000)
                judge.fit(given[chosen], labels[chosen])
                train, right = (
                    float(judge.score(given[ids], labels[ids])) for ids in (chosen, test)
                )
                found.append(Accuracy(noise, count, name, repeat, train, right))
    return found


def balanced(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Chooses rows at random, of each class as many as can be."""
    order = rng.permutation(len(labels))
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        own = np.flatnonzero(labels[order] == label)
        rank[own] = np.arange(len(own))
    return order[np.argsort(rank, kind="stable")[:count]]


def kinds(accuracies: list[Accuracy], what: str) -> dict[str, np.ndarray]:
    """Returns [repeats, examples] of "train" or "test" for each kind of features."""
    cells: dict[str, dict[int, list[float]]] = {}
    for row in accuracies:
        cells.setdefault(row.features, {}).setdefault(row.examples, []).append(getattr(row, what))
    return {name: np.array(list(by_count.values())).T for name, by_count in cells.items()}


def print_accuracies(accuracies: list[Accuracy]) -> dict[str, float]:
    """Prints tables of accuracies and returns their means."""
    figures = {}
    for noise in dict.fromkeys(row.noise for row in accuracies):
        rows = [row for row in accuracies if row.noise == noise]
        counts = list(dict.fromkeys(row.examples for row in rows))
        print(f"\nnoise {noise:g}: accuracy on unseen points +- standard error (on the examples)")
        print("examples".rjust(14) + "".join(f"{count:,}".rjust(23) for count in counts))
        train = kinds(rows, "train")
        for name, test in kinds(rows, "test").items():
            error = test.std(axis=0, ddof=1) / np.sqrt(len(test)) if len(test) > 1 else 0 * test[0]
            columns = zip(test.mean(axis=0), error, train[name].mean(axis=0), strict=True)
            cells = [f"{mean:.3f} +- {spread:.3f} ({seen:.2f})" for mean, spread, seen in columns]
            print(name.rjust(14) + "".join(cell.rjust(23) for cell in cells))
            for count, mean in zip(counts, test.mean(axis=0), strict=True):
                key = f"accuracy_noise_{noise:g}_{name.replace(' ', '_')}_of_{count}"
                figures[key] = float(mean)
    print()
    return figures


def write_accuracies(out: Path, accuracies: list[Accuracy]) -> None:
    """Writes each classifier's figures."""
    write_csv(out / "overfitting.csv", Accuracy._fields, accuracies)


def draw_accuracies(out: Path, accuracies: list[Accuracy], name: str) -> None:
    """Draws accuracy over examples, a panel for each amount of noise."""
    from jaxemb.plots.lines import Line, draw_lines
    from jaxemb.plots.style import add_title, new_figure, save

    levels = list(dict.fromkeys(row.noise for row in accuracies))
    figure = new_figure(6 * len(levels), 4.8)
    shared = None
    for place, noise in enumerate(levels, 1):
        rows = [row for row in accuracies if row.noise == noise]
        counts = np.array(list(dict.fromkeys(row.examples for row in rows)))
        # Whitened ones are in the table: so many bands could not be told apart.
        lines = [
            Line("all numbers" if features == "all" else f"{features} components", counts, test)
            for features, test in kinds(rows, "test").items()
            if "whitened" not in features
        ]
        shared = axes = figure.add_subplot(1, len(levels), place, sharey=shared)
        add_title(axes, f"{name}, noise {noise:g}")
        label = "accuracy on unseen points: mean, range" if place == 1 else ""
        draw_lines(axes, lines, x="labeled examples", y=label, log_x=True)
        axes.set_xticks(counts, [f"{count:,}" for count in counts])
        axes.minorticks_off()
    save(figure, out / "overfitting.png")


def draw_variance(out: Path, explained: np.ndarray, name: str) -> None:
    """Draws the share of the variance that the first components explain."""
    from jaxemb.plots.lines import Line, write_lines

    write_lines(
        out / "variance.png",
        [Line("explained", np.arange(1, len(explained) + 1), explained)],
        x="components",
        y="explained share of the variance",
        title=f"{name}: principal components",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
