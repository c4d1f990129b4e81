"""One table and one picture over all ways to make word vectors (README row compare_words).

The full softmax is left out: a score and two gradients for each of 78,621 words, 100 wide, at each
of 17 million places of Simple English Wikipedia are 8e14 operations an epoch, at 290 GFLOP/s 47
minutes where negative sampling takes a third of one. `experiments.word2vec --objective full_softmax
--max-vocab 2000` trains it.
"""

import contextlib
import dataclasses
import io
import json
import math
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import jax
import jax.numpy as jnp

from jaxemb.atomic import replacing
from jaxemb.data.word_sets import find_word_sets
from jaxemb.errors import InputError
from jaxemb.evaluation.word_scores import evaluate
from jaxemb.io import word2vec_text

from . import one_hot
from .harness import command, run_folder
from .harness.words import training as word_training
from .harness.words import vectors as word_vectors
from .harness.words.report import SETS, Mean, draw, mean_of, note, show, tabulate
from .harness.words.systems import SYSTEMS, Name
from .harness.words.vectors import Text

# Of a run's figures, those that add up to what making its vectors took.
TIMES = ("count_seconds", "ppmi_seconds", "svd_seconds", "train_seconds")


@dataclasses.dataclass(frozen=True)
class Config(word_training.Config):
    """Makes the vectors of every system, of the same text and with several seeds, and compares.

    Word similarity sets and analogies to score them by are looked for in --data-dir. Writes
    table.md, compare_words.png and summary.json to --out, and for each system and seed a run of its
    own, SYSTEM/seedN with config.json, summary.json and vectors.txt. The same command again goes on
    where it was stopped.
    """

    epochs: int = 5
    """Passes over the corpus of each system that is trained on text, not on counts as GloVe is."""
    seeds: int = 3
    """Runs of each system, the first with --seed; one-hot vectors are not random and need one."""
    systems: tuple[Name, ...] = get_args(Name)
    """Which, in this order. Skip-gram and CBOW learn by negative sampling."""
    out: Path = Path("runs/compare_words")
    """Folder of the comparison."""

    def __post_init__(self):
        """Refuses values that no comparison can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        # One run has no interval.
        command.check_field(self, "seeds", at_least=2, at_most=100)
        command.check_field(self, "seed", at_most=(1 << 32) - self.seeds)
        if not self.systems or len(set(self.systems)) < len(self.systems):
            raise InputError("--systems must name one system or more, each once")


def run(config: Config) -> None:
    """Makes, scores and compares all vectors."""
    text = word_vectors.prepare(config, check=lambda text: check(config, text))
    if text is None:
        return
    runs = {
        system: [run_once(config, system, seed, text) for seed in seeds_of(config, system)]
        for system in config.systems
    }
    own = [pairs.name.replace("-", "_") for pairs in find_word_sets(config.data_dir).similarity]
    known = dict.fromkeys((*SETS, *own))
    first, *others = [
        {name: figure for name, figure in run.items() if name.removesuffix("_missing") in known}
        for several in runs.values()
        for run in several
    ]
    for other in others:
        if differing := sorted(first.keys() ^ other.keys()):
            raise InputError(
                f"{config.out}: only some of the runs there were scored by {differing[0]}; did "
                "--data-dir change between them? Give another --out, or delete the folder"
            )
    names = [name for name in known if name in first]
    # All have the same words, so that the same are missing.
    missing = {name: first[f"{name}_missing"] for name in names if f"{name}_missing" in first}
    rows = {
        system: {name: mean_of(run[name] for run in several) for name in [*names, "seconds"]}
        for system, several in runs.items()
    }
    table = f"{tabulate(rows)}\n{note(missing, seeds=config.seeds)}"
    print(f"\n{table}")
    with replacing(config.out / "table.md") as part:
        part.write_text(table)
    draw(
        config.out / "compare_words.png",
        rows,
        title=f"{' + '.join(config.corpus)}, {text.corpus.words:,} words; epochs: {config.epochs}; "
        f"means of {config.seeds} seeds with 95% intervals",
    )
    figures: dict[str, float] = {"words": text.corpus.words, "vocabulary": len(text.vocabulary)}
    figures |= {f"{name}_missing": int(count) for name, count in missing.items()}
    for system, row in rows.items():
        for name, mean in row.items():
            figures[f"{system}_{name}"] = mean.value
            figures[f"{system}_{name}_interval"] = mean.interval
    run_folder.finish(config.out, figures)


def check(config: Config, text: Text) -> None:
    """Refuses text that a system cannot use, and a data folder without word sets.

    Raises:
      InputError: saying what is missing.
    """
    sets = find_word_sets(config.data_dir)
    if not sets.similarity and not sets.analogies:
        raise InputError(
            f"{config.data_dir}: no wordsim/sim_*.csv and no questions-words.txt, so there is "
            "nothing to compare word vectors by; say with --data-dir where they lie"
        )
    for system in config.systems:
        SYSTEMS[system].check(config_of(config, system, config.seed), text)


def seeds_of(config: Config, system: Name) -> Sequence[int]:
    """Returns the seeds of a system's runs."""
    return range(config.seed, config.seed + (1 if system == "one_hot" else config.seeds))


def config_of(config: Config, system: Name, seed: int) -> word_vectors.Config:
    """Returns the configuration of one run."""
    kind = SYSTEMS[system].config
    fields = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    fields |= {**SYSTEMS[system].fields, "seed": seed, "out": config.out / system / f"seed{seed}"}
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: fields[name] for name in names if name in fields})


def run_once(config: Config, system: Name, seed: int, text: Text) -> dict[str, float]:
    """Makes a system's vectors and scores them, unless that was done before.

    Returns:
      The run's figures and scores; its "seconds" are nan if it was interrupted, or nothing was
      made.

    Raises:
      InputError: if a training diverges, or the folder holds something else.
    """
    own = config_of(config, system, seed)
    # What is told of a finished run will be in the table.
    with contextlib.redirect_stdout(io.StringIO()):
        unfinished = run_folder.open_run(own.out, own, text.corpus.sha256)
    if unfinished:
        which = f"{SYSTEMS[system].title}, seed {seed}"
        print(f"\n{which}")
        # Of an interrupted training only the rest is timed.
        interrupted = (own.out / "checkpoints").exists()
        try:
            figures, scores = make(system, own, text)
        except InputError as error:
            raise InputError(f"{which}: {error}") from error
        times = [figures[name] for name in TIMES if name in figures]
        figures["seconds"] = sum(times) if times and not interrupted else math.nan
        told = {name: Mean(scores[name], math.nan) for name in SETS if name in scores}
        print("; ".join(f"{SETS[name]} {show(name, mean)}" for name, mean in told.items()))
        run_folder.write_json(own.out / "summary.json", figures | scores)
        # No one goes on from it, and that of each run may take 100 MB.
        shutil.rmtree(own.out / "checkpoints", ignore_errors=True)
        # The next seed finds its programs in the cache on disk.
        jax.clear_caches()
        word_vectors.give_memory_back()
    found = json.loads((own.out / "summary.json").read_text())
    return {name: math.nan if value is None else value for name, value in found.items()}


def make(
    system: Name, config: word_vectors.Config, text: Text
) -> tuple[dict[str, float], dict[str, float]]:
    """Makes vectors, writes them to vectors.txt and scores them.

    Returns:
      Figures and scores.
    """
    words = text.vocabulary.words
    how = SYSTEMS[system].make
    if how is None:
        return {}, one_hot.score(words, config.data_dir).scores
    vectors, figures = how(config, text, time.perf_counter())
    word2vec_text.write(config.out / "vectors.txt", words, vectors)
    return figures, evaluate(words, jnp.asarray(vectors), config.data_dir).scores


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
