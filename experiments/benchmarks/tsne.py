"""jaxemb's t-SNE and PCA beside openTSNE's and scikit-learn's.

Every measurement is a process of its own and runs alone; the systems take turns, so that a machine
that slows down slows all. Two cores need half an hour for all parts.
"""

import dataclasses
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from jaxemb import checks
from jaxemb.data.files import default_data_dir
from jaxemb.errors import InputError

from ..harness import command
from ..harness.tables import markdown
from . import parts, processes
from .parts import Outcome
from .processes import Figures, take_turns

Part = Literal["mnist", "small", "clusters", "repulsion", "scaling", "pca"]
TITLE = "t-SNE: jaxemb, openTSNE and scikit-learn"
PACKAGES = ("jaxemb", "jax", "jaxlib", "numpy", "faiss-cpu", "openTSNE", "scikit-learn")


@dataclasses.dataclass(frozen=True)
class Config:
    """Measures jaxemb against its peers; the defaults reproduce the README's figures.

    Writes table.md, summary.json and parts/ to --out. Parts that are run again replace their own
    figures there, others stay.
    """

    parts: tuple[Part, ...] = get_args(Part)
    """What to measure."""
    n: int = 70_000
    """Points of MNIST, 50 principal components each, in the part mnist."""
    small: int = 2000
    """Points in the part small."""
    clustered: tuple[int, ...] = (100_000, 300_000)
    """Points in a hundred tight clusters, in the part clusters."""
    perplexity: float = 30.0
    """Of all maps."""
    iterations: int = 750
    """Steps of the maps compared with peers, a third of them early ones."""
    sizes: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    """Points in the part scaling."""
    short_iterations: int = 500
    """Steps in the part scaling."""
    threads: int = 2
    """Cores that all processes are kept to."""
    repeats: int = 1
    """Times that each map is made; medians count."""
    short_repeats: int = 5
    """The same for a PCA, and for maps of few points."""
    seed: int = 0
    """Of all runs."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where mnist.npz lies (or JAXEMB_DATA)."""
    out: Path = Path("runs/benchmarks/tsne")
    """Folder of the figures; its subfolder work/ can be deleted afterwards."""

    def __post_init__(self):
        """Refuses values that can't be measured.

        Raises:
          InputError: naming the field.
        """
        for name in ("threads", "repeats", "short_repeats"):
            checks.check_field(self, name, at_least=1)
        for name in ("n", "small"):
            checks.check_field(self, name, at_least=100, at_most=70_000)
        # scikit-learn takes no fewer.
        checks.check_field(self, "iterations", at_least=250)
        # Two calls of the training loop; a step is timed in the later half, in the shortest call.
        checks.check_field(self, "short_iterations", at_least=100)


def run(config: Config) -> None:
    """Measures the parts asked for and writes them beside those that are there."""
    if importlib.util.find_spec("openTSNE") is None:
        raise InputError("openTSNE is not installed: pip install 'jaxemb[bench]'")
    processes.keep_to_cores(config.threads)
    work = config.out.resolve() / "work"
    work.mkdir(parents=True, exist_ok=True)
    if set(config.parts) - {"clusters", "scaling"}:
        child(
            config,
            "write_mnist",
            data_dir=config.data_dir,
            **{name: work / f"{name}.npy" for name in ("pixels", "points", "labels")},
        )
    measures: dict[str, Callable[[], Outcome]] = {
        part: partial(PARTS[part], config) for part in config.parts
    }
    machine = processes.describe_machine(PACKAGES)
    parts.run(measures, TITLE, config=config, out=config.out, machine=machine)


def child(config: Config, task: str, **arguments: Any) -> Any:
    """Runs a task of tsne_child and returns what it finds."""
    work = config.out.resolve() / "work"
    # An empty cache: compilation counts. Libraries with threads of their own take as many.
    environment = {"XDG_CACHE_HOME": str(work / "cache")} | dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), str(config.threads)
    )
    return processes.child(
        "experiments.benchmarks.tsne_child",
        task,
        arguments,
        log=work / "log.txt",
        environment=environment,
    )


def mnist(config: Config) -> Outcome:
    """Maps all of MNIST by openTSNE and by jaxemb."""
    systems = ("open_tsne", "jaxemb_tsne")
    return compare(config, "mnist", "points", systems, config.n, config.repeats)


def small(config: Config) -> Outcome:
    """Maps a few points, where compilation and start-up count."""
    systems = ("sklearn_tsne", "open_tsne", "jaxemb_tsne")
    return compare(config, "small", "points", systems, config.small, config.short_repeats)


def clusters(config: Config) -> Outcome:
    """Maps points in tight clusters, out of which a long step would throw some."""
    work = config.out.resolve() / "work"
    figures: dict[str, float | None] = {}
    lines: list[str] = []
    for n in config.clustered:
        name = f"clusters_{n}"
        paths = {"points": work / f"{name}.npy", "labels": work / f"{name}_labels.npy"}
        child(config, "write_clusters", n=n, seed=config.seed, **paths)
        systems = ("open_tsne", "jaxemb_tsne")
        found = compare(config, name, name, systems, n, config.repeats)
        figures |= found.figures
        lines += [*found.lines, ""]
    return Outcome(figures, lines)


def compare(
    config: Config, part: str, data: str, systems: tuple[str, ...], n: int, repeats: int
) -> Outcome:
    """Makes the same map by several systems and judges all alike."""
    work = config.out.resolve() / "work"
    maps = {system: work / f"{part}_{system}.npy" for system in systems}
    labels = work / ("labels.npy" if data == "points" else f"{data}_labels.npy")
    shared = {"points": work / f"{data}.npy", "n": n, "perplexity": config.perplexity}
    runs: dict[str, Callable[[], Figures]] = {
        system: partial(
            child,
            config,
            system,
            **shared,
            iterations=config.iterations,
            threads=config.threads,
            seed=config.seed,
            out=path,
        )
        for system, path in maps.items()
    }
    measured = take_turns(repeats, runs)
    judged = child(config, "evaluate", **shared, labels=labels, maps=list(maps.values()))
    figures: dict[str, float | None] = {}
    rows = []
    for (system, found), scores in zip(measured.items(), judged, strict=True):
        figures |= {f"{part}_{system}_{name}": value for name, value in (found | scores).items()}
        near = found.get("neighbors_and_affinities_seconds")
        descent = found.get("optimization_seconds")
        rows.append(
            (
                system.removesuffix("_tsne")
                .replace("open", "openTSNE")
                .replace("sklearn", "scikit-learn"),
                "" if near is None else f"{near:.1f}",
                "" if descent is None else f"{descent:.1f}",
                f"{found['seconds']:.1f}",
                f"{scores['kl']:.3f}",
                f"{scores['knn_accuracy']:.3f}",
                f"{scores['outermost']:.2f}",
                f"{found['peak_mb']:,.0f}",
            )
        )
    header = (
        "system",
        "neighbors and affinities, s",
        "descent, s",
        "all, s",
        "KL",
        "10-NN accuracy",
        "outermost point",
        "peak MB",
    )
    lines = markdown(header, rows)
    ours = measured["jaxemb_tsne"]["seconds"]
    for system in systems[:-1]:
        ratio = measured[system]["seconds"] / ours
        figures[f"{part}_speedup_over_{system.removesuffix('_tsne')}"] = ratio
        lines += ["", f"{n:,} points: jaxemb takes 1/{ratio:.2f} of the time of {system}."]
    lines += [
        "",
        f"{config.iterations} steps, perplexity {config.perplexity:g}, {config.threads} threads, "
        "compilation included. KL on the same affinities, of exact neighbors, over all pairs. The "
        "outermost point's radius in units of the 99th percentile.",
    ]
    return Outcome(figures, lines)


def repulsion(config: Config) -> Outcome:
    """Measures the error of the grids on the map of the part mnist."""
    embedding = config.out.resolve() / "work" / "mnist_jaxemb_tsne.npy"
    if not embedding.exists():
        raise InputError("the part repulsion needs the map of the part mnist: run that before")
    found = child(config, "repulsion", embedding=embedding)
    rows = [
        (name, f"{found.get(f'{name}_error', 0):.1e}", f"{found[f'{name}_ms']:,.0f}")
        for name in ("fast", "accurate", "exact")
    ]
    figures = {f"repulsion_{name}": value for name, value in found.items()}
    lines = markdown(("repulsion", "relative error of the force", "ms"), rows)
    return Outcome(figures, [*lines, "", f"On a map {found['span']:.0f} units wide."])


def scaling(config: Config) -> Outcome:
    """Times short runs on made-up data of several sizes."""
    runs: dict[str, Callable[[], Figures]] = {
        f"{n:,}": partial(
            child,
            config,
            "scale",
            n=n,
            perplexity=config.perplexity,
            iterations=config.short_iterations,
            seed=config.seed,
        )
        for n in config.sizes
    }
    measured = take_turns(1, runs)
    figures: dict[str, float | None] = {}
    rows = []
    for n, (name, found) in zip(config.sizes, measured.items(), strict=True):
        figures |= {f"scaling_{n}_{key}": value for key, value in found.items()}
        rows.append(
            (
                name,
                f"{found['neighbors_seconds'] + found['affinities_seconds']:.1f}",
                f"{found['recall']:.3f}",
                f"{found['step_ms']:.1f}",
                f"{found['step_ms'] / n * 1000:.2f}",
                f"{found['peak_mb']:,.0f}",
            )
        )
    header = (
        "points",
        "neighbors and affinities, s",
        "recall",
        "ms a step",
        "µs a step and point",
        "peak MB",
    )
    lines = markdown(header, rows)
    return Outcome(
        figures,
        [
            *lines,
            "",
            f"Points of 50 dimensions in a hundred clusters, {config.short_iterations} steps, half "
            "of them early ones; a step is the mean of the shortest call of the later half.",
        ],
    )


def pca(config: Config) -> Outcome:
    """Times PCA of 70,000 x 784 pixels."""
    pixels = config.out.resolve() / "work" / "pixels.npy"
    solvers = [
        f"{system} {kind}" for kind in ("exact", "randomised") for system in ("sklearn", "jaxemb")
    ]
    runs: dict[str, Callable[[], Figures]] = {
        solver: partial(
            child, config, "pca", pixels=pixels, solver=solver, components=50, repeats=3
        )
        for solver in solvers
    }
    measured = take_turns(config.short_repeats, runs)
    rows = [
        (solver, f"{found['seconds']:.3f}", f"{found['variance']:.4f}")
        for solver, found in measured.items()
    ]
    figures: dict[str, float | None] = {}
    for kind in ("exact", "randomised"):
        ours, peer = (measured[f"{system} {kind}"]["seconds"] for system in ("jaxemb", "sklearn"))
        figures |= {f"pca_{kind}_speedup": peer / ours, f"pca_{kind}_seconds": ours}
    header = ("PCA of 70,000 x 784 to 50", "seconds", "variance kept")
    return Outcome(
        figures, [*markdown(header, rows), "", "Compiled before; sklearn is scikit-learn."]
    )


PARTS: dict[str, Callable[[Config], Outcome]] = {
    part.__name__: part for part in (mnist, small, clusters, repulsion, scaling, pca)
}


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
