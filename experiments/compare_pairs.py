"""What brings sentences of one meaning together: losses, temperatures, frozen or tuned vectors.

    python -m experiments.compare_pairs

Two busy cores of an AMD EPYC, 13.0 minutes: Recall@1 0.509 ± 0.002, from frozen vectors 0.407.
"""

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import jax
import numpy as np
import tyro
from flax import linen as nn

from jaxemb import checks
from jaxemb.atomic import replacing
from jaxemb.data.files import file_sha256
from jaxemb.errors import InputError
from jaxemb.io import WordVectors
from jaxemb.losses.distances import unit
from jaxemb.methods import sentences, sif, two_views
from jaxemb.models.averages import Averages
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training.run import Run

from .harness import command, run_folder
from .harness.means import mean_of
from .harness.tables import markdown
from .sentences import KS, Task, average, different, judge, learn_words, read
from .sentences import Config as Asked

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "Recall@1 {usual_recall_at_1:.3f} ± {usual_recall_at_1_interval:.3f}, from frozen vectors "
    "{mapped_recall_at_1:.3f}"
)

TEMPERATURES = (0.02, 0.04, 0.14, 0.28)
LOSSES = ("info_nce", "sigmoid_pairs", "ranking", "triplet")


@dataclasses.dataclass(frozen=True)
class Config:
    """Changes one thing at a time in the training of experiments.sentences, with several seeds.

    The loss, its temperature, and whether words' vectors are tuned from random ones, tuned from
    word2vec's, or stay as word2vec's and are mapped. Judged on sentences never seen, as there.
    Writes table.md, scores/ and summary.json to --out; the same command again makes what is missing
    of these.
    """

    pairs: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Two sentences of one language a line, a tab between them; a tenth is held out. None: captions
    of Multi30k."""
    options: sentences.Options = sentences.Options(iterations=600, shared=True)
    seeds: int = 3
    """Runs of each way, the first with --seed."""
    common: command.Common = command.Common(out=Path("runs/compare_pairs"))

    def __post_init__(self):
        """Refuses values that no comparison can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        # One run has no interval.
        checks.check_field(self, "seeds", at_least=2, at_most=100)
        checks.check_field(self.common, "seed", at_most=(1 << 32) - self.seeds)
        if not self.options.shared:
            raise InputError("shared must be true: both sides of pairs are of one language")


# What the test of this script runs.
SMOKE = Config(
    options=sentences.Options(
        dim=8, iterations=60, batch=16, learning_rate=0.05, min_count=1, shared=True
    ),
    seeds=2,
)


class Map(nn.Module):
    """A linear map of vectors.

    Attributes:
      dim: D, width of the embedding.
    """

    dim: int

    @nn.compact
    def __call__(self, vectors: jax.Array) -> jax.Array:
        """Embeds vectors, [B, F] to [B, D] of length 1."""
        return unit(nn.Dense(self.dim, use_bias=False)(vectors))


# A way to make vectors of sentences: task and seed -> the model.
Way = Callable[[Task, int], Averages]


def run(config: Config) -> None:
    """Trains and judges every way with every seed."""
    command.use_cache()
    out = config.common.out
    task = read(Asked(pairs=config.pairs, options=config.options, common=config.common))
    # Before anything is written: it refuses what cannot be trained on.
    sentences.start(config.common.seed, task.pairs, config.options)
    if not run_folder.open_run(out, config, {str(file): file_sha256(file) for file in task.files}):
        return
    (out / "scores").mkdir(exist_ok=True)
    figures: dict[str, float] = {}
    lines = []
    for name, (title, way) in ways(config.options).items():
        found = [
            score_once(config, task, f"{name}-{seed}", way, seed)
            for seed in range(config.common.seed, config.common.seed + config.seeds)
        ]
        cells = []
        for key in found[0]:
            mean = mean_of(one[key] for one in found)
            figures |= {f"{name}_{key}": mean.value, f"{name}_{key}_interval": mean.interval}
            percent = f"{100 * mean.value:.1f} ± {100 * mean.interval:.1f}"
            cells.append(f"{mean.value:.0f}" if key == "seconds" else percent)
        lines.append((title, *cells))
        print(f"  {title}: {', '.join(cells)}")
    table = markdown(("", *(f"R@{k}" for k in KS), "seconds"), lines, figures=True)
    print("\n" + "\n".join(table))
    with replacing(out / "table.md") as file:
        file.write_text("\n".join(table) + "\n")
    run_folder.finish(out, figures)


def ways(options: sentences.Options) -> dict[str, tuple[str, Way]]:
    """Returns what is compared, by name: what to call it, and what trains it."""

    def tuned(**changes: Any) -> Way:
        return lambda task, seed: train(task, seed, dataclasses.replace(options, **changes))

    usual = f"{options.loss}, temperature {options.temperature:g}"
    found: dict[str, tuple[str, Way]] = {"usual": (usual, tuned())}
    for temperature in TEMPERATURES:
        found[f"temperature_{temperature:g}"] = (
            f"{options.loss}, temperature {temperature:g}",
            tuned(temperature=temperature),
        )
    for loss in LOSSES:
        found[loss] = (loss, tuned(loss=loss))
    found["from_word2vec"] = (
        f"{usual}, from word2vec's vectors",
        lambda task, seed: train(task, seed, options, words_of(task, seed, options)),
    )
    found["mapped"] = (
        f"{usual}, word2vec's vectors frozen and mapped",
        lambda task, seed: train_map(task, seed, options),
    )
    found["frozen"] = (
        "word2vec's vectors as they are",
        lambda task, seed: average(words_of(task, seed, options)),
    )
    return found


def score_once(config: Config, task: Task, name: str, way: Way, seed: int) -> dict[str, float]:
    """Trains and judges once, or reads what was found before."""
    path = config.common.out / "scores" / f"{name}.json"
    if path.exists():
        return json.loads(path.read_text())
    began = time.perf_counter()
    model = way(task, seed)
    seconds = time.perf_counter() - began
    recall, _ = judge((model, model), task.tests)
    found = {f"recall_at_{k}": value for k, value in recall.items()} | {"seconds": seconds}
    run_folder.write_json(path, found)
    return found


def train(
    task: Task, seed: int, options: sentences.Options, vectors: WordVectors | None = None
) -> Averages:
    """Trains words' vectors on pairs."""
    fitted = sentences.fit(seed, task.pairs, options, vectors=vectors, run=Run(progress=True))
    run_folder.stop_if_asked(fitted.history, checkpoints=False)
    return fitted.model.first


def words_of(task: Task, seed: int, options: sentences.Options) -> WordVectors:
    """Learns word vectors from the sentences, unpaired."""
    return learn_words(seed, different(task.pairs), options)


def train_map(task: Task, seed: int, options: sentences.Options) -> Averages:
    """Trains a linear map of averages of word2vec's vectors, which stay as they are."""
    words = words_of(task, seed, options)
    firsts, seconds = sentences.as_pairs(task.pairs)
    texts, numbers = sentences.number(firsts + seconds)
    rows = numbers.reshape(2, -1).T
    averages = np.nan_to_num(sif.encode(average(words), texts, unknown="nan"))
    drawn = minibatches(jax.random.key(seed), rows=len(rows), size=options.batch)
    fitted = two_views.fit(
        seed,
        Map(options.dim),
        options.of_loss(),
        (averages, averages),
        options.of_towers(),
        labels=sentences.together(rows, (len(texts),)),
        rows=lambda start, stop: rows[drawn(start, stop)],
        run=Run(progress=True),
    )
    run_folder.stop_if_asked(fitted.history, checkpoints=False)
    matrix = fitted.model.first.variables["params"]["Dense_0"]["kernel"]
    return average(WordVectors(words.words, words.vectors @ np.asarray(matrix)))


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
