"""jaxemb's training with mined triplets beside PyTorch with pytorch-metric-learning.

Every measurement is a process of its own and runs alone. Two cores need three minutes.
"""

import dataclasses
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from jaxemb import checks
from jaxemb.errors import InputError

from ..harness import command
from ..harness.tables import markdown
from . import parts, processes
from .matching_child import CLASSES
from .parts import Outcome
from .processes import Figures, take_turns

Part = Literal["training", "mining", "losses"]
TITLE = "Matching: jaxemb and pytorch-metric-learning"
PACKAGES = ("jaxemb", "jax", "jaxlib", "flax", "numpy", "torch", "pytorch-metric-learning")


@dataclasses.dataclass(frozen=True)
class Config:
    """Measures jaxemb against its peer; the defaults reproduce the README's figures.

    The encoder is `ConvEncoder` on 28 x 28 pixels, made-up ones. Writes table.md, summary.json and
    parts/ to --out. Parts that are run again replace their own figures there, others stay.
    """

    parts: tuple[Part, ...] = get_args(Part)
    """What to measure."""
    features: tuple[int, ...] = (64, 64, 64, 64)
    """Channels of the encoder's blocks; multiples of 8."""
    dim: int = 64
    """Width of the embedding."""
    identities: int = 32
    """Classes in a batch."""
    samples: int = 4
    """Examples of each."""
    mined: int = 1024
    """Examples in the batch of the part mining."""
    steps: int = 60
    """Of a training; the fastest ten in a row count."""
    threads: int = 2
    """Cores that all processes are kept to."""
    repeats: int = 3
    """Times that each is measured; medians count."""
    seed: int = 0
    """Of all runs."""
    out: Path = Path("runs/benchmarks/matching")
    """Folder of the figures; its subfolder work/ can be deleted afterwards."""

    def __post_init__(self):
        """Refuses values that can't be measured.

        Raises:
          InputError: naming the field.
        """
        for name in ("dim", "threads", "repeats"):
            checks.check_field(self, name, at_least=1)
        for name in ("identities", "samples"):
            checks.check_field(self, name, at_least=2)
        checks.check_field(self, "steps", at_least=20)
        checks.check_field(self, "mined", at_least=2 * self.samples)
        if self.mined % self.samples:
            raise InputError(
                f"mined must be a multiple of the {self.samples} samples, found {self.mined}"
            )
        checks.check_field(self, "identities", at_most=CLASSES)
        checks.check_field(self, "mined", at_most=CLASSES * self.samples)
        multiples = all(width >= 8 and width % 8 == 0 for width in self.features)
        if not (1 <= len(self.features) <= 4 and multiples):
            raise InputError(f"features must be one to four multiples of 8, found {self.features}")


def run(config: Config) -> None:
    """Measures the parts asked for and writes them beside those that are there."""
    for package in ("torch", "pytorch_metric_learning"):
        if importlib.util.find_spec(package) is None:
            raise InputError(f"{package} is not installed: pip install 'jaxemb[bench]'")
    processes.keep_to_cores(config.threads)
    (config.out / "work").mkdir(parents=True, exist_ok=True)
    measures: dict[str, Callable[[], Outcome]] = {
        part: partial(PARTS[part], config) for part in config.parts
    }
    machine = processes.describe_machine(PACKAGES)
    parts.run(measures, TITLE, config=config, out=config.out, machine=machine)


def child(config: Config, task: str, **arguments: Any) -> Any:
    """Runs a task of matching_child and returns what it finds."""
    work = config.out.resolve() / "work"
    shared = {name: getattr(config, name) for name in ("features", "dim", "samples", "seed")}
    return processes.child(
        "experiments.benchmarks.matching_child",
        task,
        shared | arguments,
        log=work / "log.txt",
        environment={"OMP_NUM_THREADS": str(config.threads)},
    )


def training(config: Config) -> Outcome:
    """Trains the same encoder with batch-hard triplets in both systems."""
    sizes = {"identities": config.identities, "steps": config.steps}
    measured = take_turns(
        config.repeats,
        {
            "pytorch": partial(child, config, "torch_training", threads=config.threads, **sizes),
            "jaxemb": partial(child, config, "jaxemb_training", **sizes),
        },
    )
    figures: dict[str, float | None] = {
        f"training_{system}_{name}": value
        for system, found in measured.items()
        for name, value in found.items()
    }
    speedup = measured["jaxemb"]["images_per_second"] / measured["pytorch"]["images_per_second"]
    figures["training_speedup"] = speedup
    rows = [
        (system, f"{found['images_per_second']:,.0f}", f"{found['peak_mb']:,.0f}")
        for system, found in measured.items()
    ]
    batch = config.identities * config.samples
    return Outcome(
        figures,
        [
            *markdown(("system", "images a second", "peak MB"), rows),
            "",
            f"Batches of {batch}, the hardest triplet of each example, Adam, {config.threads} "
            f"threads: jaxemb trains {speedup:.2f} times as fast.",
        ],
    )


def mining(config: Config) -> Outcome:
    """Compares the time of mining with that of a whole step."""
    mined = partial(child, config, "jaxemb_mining", identities=config.mined // config.samples)
    found = take_turns(config.repeats, {"jaxemb": mined})["jaxemb"]
    share = found["mining_ms"] / found["step_ms"]
    figures: dict[str, float | None] = {f"mining_{name}": value for name, value in found.items()}
    line = (
        f"A batch of {config.mined:,}: distances and hardest triplets {found['mining_ms']:.1f} ms "
        f"of a step's {found['step_ms']:,.0f}, {share:.1%}."
    )
    return Outcome(figures | {"mining_share": share}, [line])


def losses(config: Config) -> Outcome:
    """Compares losses and gradients of the two libraries on the same vectors."""
    work = config.out.resolve() / "work"
    files = {system: work / f"{system}_losses.npy" for system in ("torch", "jaxemb")}
    theirs, ours = (
        child(config, f"{system}_losses", out=path, identities=config.identities)
        for system, path in files.items()
    )
    errors = child(config, "compare", files=list(files.values()))
    agreement: Figures = dict(zip(ours, errors, strict=True))
    rows = [
        (name.replace("_", " "), f"{theirs[name]:.6f}", f"{ours[name]:.6f}", f"{error:.1e}")
        for name, error in agreement.items()
    ]
    header = ("loss", "pytorch-metric-learning", "jaxemb", "relative error of the gradient")
    figures: dict[str, float | None] = {
        f"losses_{name}_gradient_error": value for name, value in agreement.items()
    }
    return Outcome(figures, markdown(header, rows))


PARTS: dict[Part, Callable[[Config], Outcome]] = {
    "training": training,
    "mining": mining,
    "losses": losses,
}

if __name__ == "__main__":
    sys.exit(command.main(Config, run))
