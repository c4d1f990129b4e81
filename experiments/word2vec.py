"""Word vectors by skip-gram or CBOW, with any of five objectives.

    python -m experiments.word2vec --epochs 5 --corpus simplewiki

Two busy cores of an AMD EPYC, 4.0 minutes: WordSim-353 0.748 / 0.655, MEN 0.702, analogies 48.8%.
"""

import dataclasses
import sys
import time
from pathlib import Path

from jaxemb.data import Text
from jaxemb.methods import word2vec

from .harness import command
from .harness.words import text as word_text
from .harness.words import training
from .harness.words import vectors as word_vectors
from .harness.words.text import TextFlags

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "WordSim-353 {wordsim353_sim:.3f} / {wordsim353_rel:.3f}, MEN {men:.3f}, analogies "
    "{analogies:.1f}%"
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains word vectors; the defaults, skip-gram with negative sampling, need no data.

    Writes vectors.txt, vocabulary.txt, map.html, map.png, metrics.jsonl, summary.json and
    checkpoints/ to --out. The same command again goes on where it was stopped.
    """

    options: word2vec.Options = word2vec.Options()
    text: TextFlags = TextFlags()
    common: command.Common = command.Common(out=Path("runs/word2vec"))


SMOKE = Config(word2vec.Options(dim=16, epochs=5, subsample=0.0))


def run(config: Config) -> None:
    """Trains, evaluates and draws."""
    began = time.perf_counter()
    text = word_text.open_run(config)
    if text is None:
        return
    fitted, figures = train(config, text, began)
    options = config.options
    title = f"{config.text.title}: {options.model}, {options.dim} wide"
    vectors = fitted.vectors.vectors
    word_vectors.write(config.common, text.vocabulary, vectors, figures, title=title)


def train(config: Config, text: Text, began: float) -> tuple[word2vec.Fitted, dict[str, float]]:
    """Trains the vectors.

    Returns:
      Them, and figures for the summary.
    """
    return training.watched(
        lambda run: word2vec.fit(config.common.seed, text, config.options, run=run),
        config.common,
        text,
        began,
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
