"""One table and one picture over all ways to make word vectors.

    python -m experiments.compare_words --corpus simplewiki --epochs 1

Two cores of an Intel Xeon (model 207), 19.0 minutes: MEN of skip-gram 0.619, of LSA 0.700;
analogies of GloVe 42.9%.

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
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import jax
import jax.numpy as jnp

from jaxemb import checks, memory
from jaxemb.atomic import replacing
from jaxemb.data import Text
from jaxemb.data.word_sets import find_word_sets
from jaxemb.errors import InputError
from jaxemb.evaluation.word_scores import evaluate
from jaxemb.io import word2vec_text

from .harness import command, run_folder
from .harness.means import Mean, mean_of
from .harness.words import text as word_text
from .harness.words.one_hot_scores import score as one_hot_score
from .harness.words.report import SETS, draw, note, show, tabulate
from .harness.words.systems import SYSTEMS, Name, Shared
from .harness.words.text import TextFlags

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "MEN of skip-gram {skipgram_men:.3f}, of LSA {lsa_men:.3f}; analogies of GloVe "
    "{glove_analogies:.1f}%"
)

# Of a run's figures, those that add up to what making its vectors took.
TIMES = ("count_seconds", "fit_seconds", "train_seconds")


@dataclasses.dataclass(frozen=True)
class Config:
    """Makes the vectors of every system, of the same text and with several seeds, and compares.

    Word similarity sets and analogies to score them by are looked for in --data-dir. Writes
    table.md, compare_words.png and summary.json to --out, and for each system and seed a run of its
    own, SYSTEM/seedN with config.json, summary.json and vectors.txt. The same command again goes on
    where it was stopped.
    """

    dim: int = 100
    """Width of the vectors."""
    epochs: int = 5
    """Passes over the corpus of each system that is trained on text, not on counts as GloVe is."""
    seeds: int = 3
    """Runs of each system, the first with --seed; one-hot vectors are not random and need one."""
    systems: tuple[Name, ...] = get_args(Name)
    """Systems, in this order. Skip-gram and CBOW learn by negative sampling."""
    text: TextFlags = TextFlags()
    common: command.Common = command.Common(out=Path("runs/compare_words"))

    def __post_init__(self):
        """Refuses values that no comparison can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=2)
        checks.check_field(self, "epochs", at_least=1)
        # One run has no interval.
        checks.check_field(self, "seeds", at_least=2, at_most=100)
        checks.check_field(self.common, "seed", at_most=(1 << 32) - self.seeds)
        if not self.systems or len(set(self.systems)) < len(self.systems):
            raise InputError("systems must name one system or more, each once")


SMOKE = Config(dim=8, epochs=1, seeds=2, systems=("one_hot", "lsa", "skipgram"))


def run(config: Config) -> None:
    """Makes, scores and compares all vectors."""
    text = word_text.open_run(config, check=lambda text: check(config, text))
    if text is None:
        return
    runs = {
        system: [run_once(config, system, seed, text) for seed in seeds_of(config, system)]
        for system in config.systems
    }
    own = [
        pairs.name.replace("-", "_") for pairs in find_word_sets(config.common.data_dir).similarity
    ]
    known = dict.fromkeys((*SETS, *own))
    first, *others = [
        {name: figure for name, figure in run.items() if name.removesuffix("_missing") in known}
        for several in runs.values()
        for run in several
    ]
    for other in others:
        if differing := sorted(first.keys() ^ other.keys()):
            raise InputError(
                f"{config.common.out}: only some of the runs there were scored by {differing[0]}; "
                "did --data-dir change between them? Give another --out, or delete the folder"
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
    with replacing(config.common.out / "table.md") as part:
        part.write_text(table)
    draw(
        config.common.out / "compare_words.png",
        rows,
        title=f"{config.text.title}, {text.corpus.words:,} words; epochs: {config.epochs}; "
        f"means of {config.seeds} seeds with 95% intervals",
    )
    figures: dict[str, float] = {"words": text.corpus.words, "vocabulary": len(text.vocabulary)}
    figures |= {f"{name}_missing": int(count) for name, count in missing.items()}
    for system, row in rows.items():
        for name, mean in row.items():
            figures[f"{system}_{name}"] = mean.value
            figures[f"{system}_{name}_interval"] = mean.interval
    run_folder.finish(config.common.out, figures)


def check(config: Config, text: Text) -> None:
    """Refuses text that a system cannot use, and a data folder without word sets.

    Raises:
      InputError: saying what is missing.
    """
    sets = find_word_sets(config.common.data_dir)
    if not sets.similarity and not sets.analogies:
        raise InputError(
            f"{config.common.data_dir}: no wordsim/sim_*.csv and no questions-words.txt, so there "
            "is nothing to compare word vectors by. `jaxemb data similarity analogies` gets them; "
            "--data-dir says where they lie"
        )
    for system in config.systems:
        SYSTEMS[system].check(config_of(config, system, config.common.seed), text)


def seeds_of(config: Config, system: Name) -> Sequence[int]:
    """Returns the seeds of a system's runs."""
    first = config.common.seed
    return range(first, first + (1 if system == "one_hot" else config.seeds))


def config_of(config: Config, system: Name, seed: int) -> Any:
    """Returns the configuration of one run."""
    out = config.common.out / system / f"seed{seed}"
    common = dataclasses.replace(config.common, seed=seed, out=out)
    return SYSTEMS[system].config(Shared(config.dim, config.epochs, config.text, common))


def run_once(config: Config, system: Name, seed: int, text: Text) -> dict[str, float]:
    """Makes a system's vectors and scores them, unless that was done before.

    Returns:
      The run's figures and scores; its "seconds" are nan if it was interrupted, or nothing was
      made.

    Raises:
      InputError: if a training diverges, or the folder holds something else.
    """
    own = config_of(config, system, seed)
    out = config.common.out / system / f"seed{seed}"
    # What is told of a finished run will be in the table.
    with contextlib.redirect_stdout(io.StringIO()):
        unfinished = run_folder.open_run(out, own, text.corpus.sha256)
    if unfinished:
        which = f"{SYSTEMS[system].title}, seed {seed}"
        print(f"\n{which}")
        # Of an interrupted training only the rest is timed.
        interrupted = (out / "checkpoints").exists()
        try:
            figures, scores = make(system, own, text, config.common.data_dir, out)
        except InputError as error:
            raise InputError(f"{which}: {error}") from error
        times = [figures[name] for name in TIMES if name in figures]
        figures["seconds"] = sum(times) if times and not interrupted else math.nan
        told = {name: Mean(scores[name], math.nan) for name in SETS if name in scores}
        print("; ".join(f"{SETS[name]} {show(name, mean)}" for name, mean in told.items()))
        run_folder.write_json(out / "summary.json", figures | scores)
        # No one goes on from it, and that of each run may take 100 MB.
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
        # The next seed finds its programs in the cache on disk.
        jax.clear_caches()
        memory.give_back()
    found = json.loads((out / "summary.json").read_text())
    return {name: math.nan if value is None else value for name, value in found.items()}


def make(
    system: Name, config: Any, text: Text, data_dir: Path, out: Path
) -> tuple[dict[str, float], dict[str, float]]:
    """Makes vectors, writes them to vectors.txt and scores them.

    Returns:
      Figures and scores.
    """
    words = text.vocabulary.words
    how = SYSTEMS[system].make
    if how is None:
        return {}, one_hot_score(words, data_dir).scores
    vectors, figures = how(config, text)
    word2vec_text.write(out / "vectors.txt", words, vectors)
    return figures, evaluate(words, jnp.asarray(vectors), data_dir).scores


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
