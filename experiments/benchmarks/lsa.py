"""jaxemb's counting beside np.unique, and its SVD beside scikit-learn's and SciPy's.

Every measurement is a process of its own and runs alone; the systems take turns, so that a machine
that slows down slows all. Two cores need some ten minutes for both parts.
"""

import dataclasses
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from jaxemb import checks
from jaxemb.data.files import default_data_dir
from jaxemb.methods.lsa import Options as LsaOptions

from ..harness import command
from ..harness.tables import markdown
from . import parts, processes
from .parts import Outcome
from .processes import Figures, take_turns

Part = Literal["counting", "svd"]
TITLE = "LSA: jaxemb, NumPy, scikit-learn and SciPy"
PACKAGES = ("jaxemb", "jax", "jaxlib", "numpy", "scipy", "scikit-learn")


@dataclasses.dataclass(frozen=True)
class Config:
    """Measures jaxemb against its peers; the defaults reproduce the README's figures.

    Writes table.md, summary.json and parts/ to --out. Parts that are run again replace their own
    figures there, others stay.
    """

    parts: tuple[Part, ...] = get_args(Part)
    """What to measure."""
    corpus: str = "simplewiki"
    """Name or path of the text."""
    window: int = 10
    """In the part counting; the part svd takes the default of experiments.lsa."""
    memory_limits: tuple[int, ...] = (1000, 100)
    """Megabytes that counting may take, each measured."""
    rank: int = 100
    """Singular values in the part svd."""
    threads: int = 2
    """Cores that all processes are kept to."""
    repeats: int = 3
    """Times that each is measured; medians count."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where the corpus lies (or JAXEMB_DATA)."""
    out: Path = Path("runs/benchmarks/lsa")
    """Folder of the figures; its subfolder work/ can be deleted afterwards."""

    def __post_init__(self):
        """Refuses values that can't be measured.

        Raises:
          InputError: naming the field.
        """
        for name in ("threads", "repeats", "window", "rank"):
            checks.check_field(self, name, at_least=1)


def run(config: Config) -> None:
    """Measures the parts asked for and writes them beside those that are there."""
    processes.keep_to_cores(config.threads)
    (config.out / "work").mkdir(parents=True, exist_ok=True)
    measures: dict[str, Callable[[], Outcome]] = {
        part: partial(PARTS[part], config) for part in config.parts
    }
    machine = processes.describe_machine(PACKAGES)
    parts.run(measures, TITLE, config=config, out=config.out, machine=machine)


def child(config: Config, task: str, **arguments: Any) -> Any:
    """Runs a task of lsa_child and returns what it finds."""
    work = config.out.resolve() / "work"
    # An empty cache: compilation counts. Libraries with threads of their own take as many.
    environment = {"XDG_CACHE_HOME": str(work / "cache")} | dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(config.threads)
    )
    return processes.child(
        "experiments.benchmarks.lsa_child",
        task,
        {"corpus": config.corpus, "data_dir": config.data_dir, "work": work, **arguments},
        log=work / "log.txt",
        environment=environment,
    )


def counting(config: Config) -> Outcome:
    """Counts windows in several amounts of memory, and as many keys as the text has words."""
    child(config, "encode_text")
    runs: dict[str, Callable[[], Figures]] = {"np.unique": partial(child, config, "unique")}
    runs |= {
        f"jaxemb, {limit:,} MB": partial(
            child, config, "count", window=config.window, memory_limit=limit * 1_000_000
        )
        for limit in config.memory_limits
    }
    measured = take_turns(config.repeats, runs)
    one_pass = measured["np.unique"]
    one = one_pass["seconds"]
    figures: dict[str, float | None] = {"unique_seconds": one}
    rows = [("np.unique", "", f"{one:.2f}", "1", f"{one_pass['peak_mb']:,.0f}")]
    for limit, (name, found) in zip(config.memory_limits, list(measured.items())[1:], strict=True):
        figures |= {f"count_{limit}_mb_{key}": value for key, value in found.items()}
        figures[f"count_{limit}_mb_times_unique"] = found["seconds"] / one
        rows.append(
            (
                name,
                f"{found['pairs']:,.0f}",
                f"{found['seconds']:.2f}",
                f"{found['seconds'] / one:.2f}",
                f"{found['peak_mb']:,.0f}",
            )
        )
    header = ("system", "different pairs", "seconds", "times np.unique", "peak MB")
    lines = [
        *markdown(header, rows),
        "",
        f"Windows of {config.window} to both sides over {one_pass['keys']:,.0f} words, "
        "harmonic weights. np.unique counts as many int64 keys, each word with its neighbor, with "
        "return_counts: without it, this NumPy takes many times as long.",
    ]
    return Outcome(figures, lines)


def svd(config: Config) -> Outcome:
    """Decomposes the same matrix by several systems."""
    window = LsaOptions.window
    child(config, "write_matrix", window=window)
    systems = ("scipy_svds", "sklearn_svd", "jaxemb_svd")
    measured = take_turns(1, {"scipy_svds": partial(child, config, "scipy_svds", rank=config.rank)})
    measured |= take_turns(
        config.repeats,
        {system: partial(child, config, system, rank=config.rank) for system in systems[1:]},
    )
    figures: dict[str, float | None] = {}
    rows = []
    for system, found in measured.items():
        figures |= {f"{system}_{key}": value for key, value in found.items()}
        rows.append(
            (
                {
                    "scipy_svds": "SciPy svds, float64",
                    "sklearn_svd": "scikit-learn TruncatedSVD",
                    "jaxemb_svd": "jaxemb",
                }[system],
                f"{found['seconds']:.1f}",
                f"{found['error']:.1e}",
                f"{found['peak_mb']:,.0f}",
            )
        )
    ratio = measured["sklearn_svd"]["seconds"] / measured["jaxemb_svd"]["seconds"]
    figures["svd_speedup_over_sklearn"] = ratio
    header = ("system", "seconds", "largest relative error of a singular value", "peak MB")
    lines = [
        *markdown(header, rows),
        "",
        f"{config.rank} singular values of {measured['jaxemb_svd']['entries']:,.0f} entries, PPMI "
        f"of windows of {window}. Defaults; errors are told from SciPy's. jaxemb's time has the "
        f"transfer and the compilation in it; it is 1/{ratio:.2f} of scikit-learn's.",
    ]
    return Outcome(figures, lines)


PARTS: dict[str, Callable[[Config], Outcome]] = {part.__name__: part for part in (counting, svd)}


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
