"""jaxemb's GloVe beside an epoch of Gensim's skip-gram, by which its time is told.

Every measurement is a process of its own and runs alone. Two cores need some four minutes.
"""

import dataclasses
import json
import shutil
import sys
from pathlib import Path

from experiments import command
from experiments.benchmarks import parts, processes, texts
from experiments.benchmarks.parts import Outcome
from experiments.benchmarks.processes import Figures, table, take_turns
from experiments.glove import Config as GloveConfig
from jaxemb.data.corpora import default_data_dir, open_corpus

TITLE = "GloVe: jaxemb and Gensim's skip-gram"
PACKAGES = ("jaxemb", "jax", "jaxlib", "numpy", "scipy", "gensim")
SCORES = ("wordsim353_sim", "wordsim353_rel", "men", "analogies")


@dataclasses.dataclass(frozen=True)
class Config:
    """Measures GloVe, with the defaults of experiments.glove; the README's figures by default.

    Writes table.md and summary.json to --out.
    """

    corpus: str = "simplewiki"
    """Name of the text."""
    epochs: int = GloveConfig.epochs
    """Passes over the pairs."""
    threads: int = 2
    """Cores that all processes are kept to."""
    repeats: int = 1
    """Times that each is measured; medians count."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where the corpus and the word sets lie (or JAXEMB_DATA)."""
    out: Path = Path("runs/benchmarks/glove")
    """Folder of the figures; its subfolder work/ can be deleted afterwards."""

    def __post_init__(self):
        """Refuses values that can't be measured.

        Raises:
          InputError: naming the field.
        """
        for name in ("epochs", "threads", "repeats"):
            command.check_field(self, name, at_least=1)


def run(config: Config) -> None:
    """Measures and writes what was found."""
    processes.keep_to_cores(config.threads)
    (config.out / "work").mkdir(parents=True, exist_ok=True)
    machine = processes.describe_machine(PACKAGES)
    measures = {"glove": lambda: measure(config)}
    parts.run(measures, TITLE, config=config, out=config.out, machine=machine)


def measure(config: Config) -> Outcome:
    """Trains both in turn."""
    found = take_turns(
        config.repeats,
        {"gensim": lambda: train_gensim(config), "jaxemb": lambda: train_jaxemb(config)},
    )
    peer, ours = found["gensim"], found["jaxemb"]
    whole = ours["count_seconds"] + ours["train_seconds"]
    figures: dict[str, float | None] = {f"glove_{key}": value for key, value in ours.items()}
    figures |= {
        "gensim_epoch_seconds": peer["seconds"],
        "glove_times_gensim_epoch": ours["train_seconds"] / peer["seconds"],
        "glove_times_gensim_epoch_with_counting": whole / peer["seconds"],
    }
    rows = [
        ("Gensim skip-gram", "1", "", f"{peer['seconds']:.1f}", "1", "", *scores(peer)),
        (
            "jaxemb GloVe",
            f"{config.epochs}",
            f"{ours['count_seconds']:.1f}",
            f"{ours['train_seconds']:.1f}",
            f"{whole / peer['seconds']:.2f}",
            f"{ours['final_loss']:.4f}",
            *scores(ours),
        ),
    ]
    header = ("system", "epochs", "counting, s", "training, s", "times", "cost", *SCORES)
    lines = [
        *table(header, rows),
        "",
        f"{ours['pairs']:,.0f} pairs, {ours['pairs_per_second']:,.0f} a second.",
    ]
    return Outcome(figures, lines)


def scores(found: Figures) -> list[str]:
    """Returns what a row of the table says of the evaluation."""
    return [f"{found[name]:.3f}" if name in found else "" for name in SCORES]


def train_gensim(config: Config) -> Figures:
    """Trains an epoch of Gensim's skip-gram in a child."""
    work = config.out / "work"
    (source,) = open_corpus([config.corpus], config.data_dir).files
    arguments = {
        "text": texts.write_plain(source, work / f"{config.corpus}.txt"),
        "data_dir": config.data_dir,
        "epochs": 1,
        "corpus_file": False,
        "sg": 1,
        "vector_size": GloveConfig.dim,
        "window": 5,
        "negative": 5,
        "min_count": GloveConfig.min_count,
        "sample": 1e-3,
        "workers": config.threads,
        "seed": 0,
    }
    return processes.child(
        "experiments.benchmarks.word2vec_child",
        "train_gensim",
        arguments,
        log=work / "log.txt",
        environment={},
    )


def train_jaxemb(config: Config) -> Figures:
    """Trains GloVe by its command."""
    work = config.out.resolve() / "work"
    out = work / "run"
    shutil.rmtree(out, ignore_errors=True)
    asked = {"corpus": config.corpus, "data-dir": config.data_dir, "epochs": config.epochs}
    flags = [word for name, value in asked.items() for word in (f"--{name}", str(value))]
    processes.run(
        processes.python("experiments.glove", *flags, "--out", str(out)),
        log=work / "log.txt",
        environment={"XDG_CACHE_HOME": str(work / "cache")},
    )
    summary: Figures = json.loads((out / "summary.json").read_text())
    shutil.rmtree(out)
    return summary


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
