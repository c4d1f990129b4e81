"""Word vectors by GloVe: weighted least squares on the logarithms of counts.

    python -m experiments.glove --corpus simplewiki

Two busy cores of an AMD EPYC, 3.4 minutes: cost 0.0072, WordSim-353 0.575 / 0.434, MEN 0.524,
analogies 43.0%.
"""

import dataclasses
import sys
import time
from pathlib import Path

from jaxemb.data import Text
from jaxemb.methods import glove

from .harness import command
from .harness.words import counts as word_counts
from .harness.words import text as word_text
from .harness.words import training
from .harness.words import vectors as word_vectors
from .harness.words.text import TextFlags

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "cost {final_loss:.4f}, WordSim-353 {wordsim353_sim:.3f} / {wordsim353_rel:.3f}, MEN "
    "{men:.3f}, analogies {analogies:.1f}%"
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains word vectors on co-occurrence counts; the defaults need no data.

    Writes vectors.txt, vocabulary.txt, map.html, map.png, metrics.jsonl, summary.json and
    checkpoints/ to --out. The same command again goes on where it was stopped.
    """

    options: glove.Options = glove.Options()
    text: TextFlags = TextFlags()
    common: command.Common = command.Common(out=Path("runs/glove"))


SMOKE = Config(glove.Options(dim=16, window=5, epochs=300, learning_rate=0.5))


def run(config: Config) -> None:
    """Counts, trains, evaluates and draws."""
    began = time.perf_counter()
    text = word_text.open_run(config, check=lambda text: glove.check(text, config.options))
    if text is None:
        return
    fitted, figures = train(config, text, began)
    title = f"{config.text.title}: GloVe, {config.options.dim} wide"
    vectors = fitted.vectors.vectors
    word_vectors.write(config.common, text.vocabulary, vectors, figures, title=title)


def train(config: Config, text: Text, began: float) -> tuple[glove.Fitted, dict[str, float]]:
    """Counts and trains.

    Returns:
      The vectors, and figures for the summary.
    """
    with word_counts.folder(config.common.out) as folder:
        counting = time.perf_counter()
        counts = glove.count(text, config.options, folder=folder, progress=True)
        seconds = time.perf_counter() - counting
        print(f"{counts.nnz:,} different pairs of words counted in {seconds:.1f} s")
        fitted, figures = training.watched(
            lambda run: glove.fit(config.common.seed, text, config.options, run=run, counts=counts),
            config.common,
            text,
            began,
        )
    return fitted, figures | {"pairs": fitted.pairs, "count_seconds": seconds}


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
