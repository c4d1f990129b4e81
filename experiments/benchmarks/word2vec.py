"""jaxemb's word2vec beside Gensim's: speed, quality, encoding, start-up, scaling.

Every measurement is a process of its own and runs alone; the two systems take turns, so that a
machine that slows down slows both. Two cores need half an hour for all parts.
"""

import dataclasses
import importlib.util
import math
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Literal, get_args

from jaxemb.data.corpora import open_corpus
from jaxemb.errors import InputError

from ..harness import command
from ..harness.tables import markdown
from . import parts, processes
from .parts import Outcome
from .processes import Figures, take_turns
from .word2vec_costs import encoding, scaling, startup
from .word2vec_runs import (
    Bench,
    Model,
    Runs,
    Setting,
    bare_folder,
    child,
    encode,
    train_gensim,
    train_glove,
    train_jaxemb,
)

Part = Literal["speed", "wide", "quality", "glove", "encoding", "startup", "scaling"]
TITLE = "word2vec: jaxemb and Gensim"

SCORES = {
    "wordsim353_sim": "WS-sim",
    "wordsim353_rel": "WS-rel",
    "men": "MEN",
    "analogies": "analogies %",
}
SPEED_HEADER = ("system", "epochs", "seconds", "words/s", *SCORES.values(), "peak MB")
PACKAGES = ("jaxemb", "jax", "jaxlib", "numpy", "gensim", "scipy")


@dataclasses.dataclass(frozen=True)
class Config:
    """Measures jaxemb against Gensim; the defaults reproduce the README's figures.

    Writes table.md, summary.json and parts/ to --out. Parts that are run again replace their own
    figures there, others stay.
    """

    parts: tuple[Part, ...] = get_args(Part)
    """What to measure."""
    setting: Setting = Setting()
    out: Path = Path("runs/benchmarks/word2vec")
    """Folder of the figures; its subfolder work/ can be deleted afterwards."""


def run(config: Config) -> None:
    """Measures the parts asked for and writes them beside those that are there."""
    if importlib.util.find_spec("gensim") is None:
        raise InputError("Gensim is not installed: pip install 'jaxemb[bench]'")
    setting = config.setting
    open_corpus([setting.corpus], setting.data_dir)  # a missing file is told before the first hour
    if "scaling" in config.parts:
        open_corpus([setting.vocabulary_corpus], setting.data_dir)
    processes.keep_to_cores(setting.threads)
    bench = Bench(setting, config.out.resolve() / "work")
    bench.work.mkdir(parents=True, exist_ok=True)
    bench.words = round(encode(bench, setting.corpus, setting.data_dir)["words"])
    machine = processes.describe_machine(PACKAGES) | {
        "device": child(bench, "describe_jaxemb")["device"]
    }
    measures: dict[str, Callable[[], Outcome]] = {
        part: partial(PARTS[part], bench) for part in config.parts
    }
    parts.run(measures, TITLE, config=config, out=config.out, machine=machine)


def speed(bench: Bench) -> Outcome:
    """Trains both systems at the usual width."""
    setting = bench.setting
    asked: list[tuple[Model, int]] = [("skipgram", 1), ("skipgram", setting.epochs), ("cbow", 1)]
    runs: Runs = {}
    for model, epochs in dict.fromkeys(asked):
        runs[f"gensim {model} {epochs}"] = partial(train_gensim, bench, model, epochs)
        runs[f"jaxemb {model} {epochs}"] = partial(train_jaxemb, bench, model, epochs)
    bench.measured |= take_turns(setting.repeats, runs)
    figures: dict[str, float | None] = {}
    for name in runs:
        figures |= prefixed(name.replace(" ", "_"), bench.measured[name])
    lines = markdown(SPEED_HEADER, [speed_row(name, bench.measured[name]) for name in runs])
    for model in get_args(Model):
        ratio = speedup(bench.measured, f"{model} 1")
        figures[f"{model}_speedup"] = ratio
        lines += ["", f"{model}: {ratio:.2f} times Gensim's words/s in one epoch."]
    lines += [
        "",
        f"Width {setting.dim}. Seconds are those of training alone. Peak memory is that at the end "
        "of training, jaxemb's compilation included.",
    ]
    return Outcome(figures, lines)


def wide(bench: Bench) -> Outcome:
    """Trains both systems at the larger width."""
    setting = bench.setting
    runs: Runs = {}
    for model in get_args(Model):
        runs[f"gensim {model}"] = partial(train_gensim, bench, model, 1, wide=True)
        runs[f"jaxemb {model}"] = partial(
            train_jaxemb,
            bench,
            model,
            1,
            data_dir=bare_folder(bench, setting.corpus),
            dim=setting.wide,
        )
    measured = take_turns(setting.repeats, runs)
    figures: dict[str, float | None] = {}
    rows, lines = [], []
    for name, found in measured.items():
        figures |= prefixed(f"{name.replace(' ', '_')}_wide", found)
        seconds, rate = found["seconds"], found["words_per_second"]
        rows.append((name, f"{seconds:.1f}", f"{rate:,.0f}", f"{found['peak_mb']:,.0f}"))
    for model in get_args(Model):
        ratio = speedup(measured, model)
        figures[f"{model}_speedup_{setting.wide}"] = ratio
        lines += ["", f"{model}, {setting.wide} wide: {ratio:.2f} times Gensim's words/s."]
    return Outcome(figures, markdown(("system", "seconds", "words/s", "peak MB"), rows) + lines)


def quality(bench: Bench) -> Outcome:
    """Finds the fewest epochs with which jaxemb reaches all scores of Gensim's long run."""
    setting = bench.setting
    goal_name = f"gensim skipgram {setting.epochs}"
    if goal_name not in bench.measured:
        bench.measured |= take_turns(
            setting.repeats, {goal_name: partial(train_gensim, bench, "skipgram", setting.epochs)}
        )
    goal = bench.measured[goal_name]
    rows = [speed_row(goal_name, goal)]
    ratio, lines = None, ["No ratio: no epochs are listed."]
    for epochs in sorted(setting.quality_epochs):
        name = f"jaxemb skipgram {epochs}"
        runs = {name: partial(train_jaxemb, bench, "skipgram", epochs)}
        found = take_turns(setting.repeats, runs)[name]
        rows.append(speed_row(name, found))
        # Written so that nan is no score reached.
        short = [
            title
            for score, title in SCORES.items()
            if not found.get(score, math.nan) >= goal.get(score, math.nan)
        ]
        if not short:
            ratio = goal["seconds"] / found["seconds"]
            lines = [f"jaxemb reaches all four scores {ratio:.2f} times as fast, by {name}."]
            break
        lines = [f"No ratio: {name} is still below Gensim in {', '.join(short)}."]
    return Outcome(
        {
            "time_to_quality_speedup": ratio,
            "time_to_quality_epochs": None if ratio is None else epochs,
            "time_to_quality_seconds": None if ratio is None else found["seconds"],
            "time_to_quality_gensim_seconds": goal["seconds"],
        },
        [*markdown(SPEED_HEADER, rows), "", *lines],
    )


def glove(bench: Bench) -> Outcome:
    """Trains GloVe, with the passes it takes by default, beside an epoch of Gensim's skip-gram."""
    runs: Runs = {
        "gensim": partial(train_gensim, bench, "skipgram", 1),
        "jaxemb": partial(train_glove, bench),
    }
    measured = take_turns(bench.setting.repeats, runs)
    peer, ours = measured["gensim"], measured["jaxemb"]
    whole = ours["count_seconds"] + ours["seconds"]
    rows = [
        ("Gensim skip-gram", "", f"{peer['seconds']:.1f}", "", *score_cells(peer)),
        (
            "jaxemb GloVe",
            f"{ours['count_seconds']:.1f}",
            f"{ours['seconds']:.1f}",
            f"{ours['final_loss']:.4f}",
            *score_cells(ours),
        ),
    ]
    ratio = whole / peer["seconds"]
    figures: dict[str, float | None] = {f"glove_{name}": value for name, value in ours.items()}
    return Outcome(
        figures | {"glove_gensim_seconds": peer["seconds"], "glove_times_gensim_epoch": ratio},
        [
            *markdown(("system", "counting, s", "training, s", "cost", *SCORES.values()), rows),
            "",
            f"GloVe takes {ratio:.2f} times as long as Gensim's epoch, counting included; "
            f"{ours['pairs']:,.0f} pairs, {ours['pairs_per_second']:,.0f} a second.",
        ],
    )


PARTS: dict[str, Callable[[Bench], Outcome]] = {
    part.__name__: part for part in (speed, wide, quality, glove, encoding, startup, scaling)
}


def prefixed(prefix: str, figures: Figures) -> dict[str, float]:
    """Returns the figures that tables show, under longer names."""
    names = ("seconds", "words_per_second", "peak_mb", *SCORES)
    return {f"{prefix}_{name}": figures[name] for name in names if name in figures}


def speed_row(name: str, figures: Figures) -> list[str]:
    """Returns a row of the table that compares speed and quality."""
    return [
        *name.rsplit(" ", 1),
        f"{figures['seconds']:.1f}",
        f"{figures['words_per_second']:,.0f}",
        *score_cells(figures),
        f"{figures['peak_mb']:,.0f}",
    ]


def score_cells(figures: Figures) -> list[str]:
    """Returns the scores as a table shows them."""
    scores = [figures.get(score, math.nan) for score in SCORES]
    return [*(f"{score:.3f}" for score in scores[:-1]), f"{scores[-1]:.1f}"]


def speedup(measured: Mapping[str, Figures], run: str) -> float:
    """Returns jaxemb's words a second as a multiple of Gensim's."""
    ours, peer = (measured[f"{system} {run}"] for system in ("jaxemb", "gensim"))
    return ours["words_per_second"] / peer["words_per_second"]


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
