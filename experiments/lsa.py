"""Word vectors by LSA: co-occurrence counts weighed by PPMI, and their singular vectors.

    python -m experiments.lsa --corpus simplewiki

Two busy cores of an AMD EPYC, 1.3 minutes: WordSim-353 0.710 / 0.626, MEN 0.700, analogies 34.4%.
"""

import dataclasses
import sys
import time
from pathlib import Path

import numpy as np

from jaxemb.data import Text
from jaxemb.methods import lsa

from .harness import command
from .harness.words import counts as word_counts
from .harness.words import text as word_text
from .harness.words import vectors as word_vectors
from .harness.words.text import TextFlags

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "WordSim-353 {wordsim353_sim:.3f} / {wordsim353_rel:.3f}, MEN {men:.3f}, analogies "
    "{analogies:.1f}%"
)


@dataclasses.dataclass(frozen=True)
class Config:
    """Makes word vectors of counts; the defaults need no data.

    Writes vectors.txt, vocabulary.txt, map.html, map.png, singular_values.png and summary.json to
    --out.
    """

    options: lsa.Options = lsa.Options()
    text: TextFlags = TextFlags()
    common: command.Common = command.Common(out=Path("runs/lsa"))


SMOKE = Config(lsa.Options(dim=16, window=5))


def run(config: Config) -> None:
    """Counts, factorizes, evaluates and draws."""
    text = word_text.open_run(config, check=lambda text: lsa.check(text, config.options))
    if text is None:
        return
    fitted, figures = make(config, text)
    draw(config, fitted.singular_values)
    title = f"{config.text.title}: LSA of {config.options.counts}, {config.options.dim} wide"
    vectors = fitted.vectors.vectors
    word_vectors.write(config.common, text.vocabulary, vectors, figures, title=title)


def make(config: Config, text: Text) -> tuple[lsa.Fitted, dict[str, float]]:
    """Counts and factorizes.

    Returns:
      The vectors, and figures for the summary.
    """
    words = len(text.vocabulary)
    with word_counts.folder(config.common.out) as folder:
        began = time.perf_counter()
        counts = lsa.count(text, config.options, folder=folder, progress=True)
        seconds = time.perf_counter() - began
        print(
            f"{text.corpus.words:,} words, vocabulary {words:,} (count >= "
            f"{config.text.min_count}); {counts.nnz:,} different pairs after {seconds:.1f} s"
        )
        empty = int(np.count_nonzero(np.diff(counts.indptr) == 0))
        if empty:
            print(f"{empty:,} words have no contexts, so that their vectors are 0")
        fitted = lsa.fit(config.common.seed, text, config.options, counts=counts)
    values, took = fitted.singular_values, fitted.history.seconds
    print(f"{fitted.positive_pairs:,} pairs occur more often than by chance")
    print(f"singular values from {values[0]:.4g} to {values[-1]:.4g} after {took:.1f} s")
    figures = {
        "words": text.corpus.words,
        "vocabulary": words,
        "pairs": fitted.pairs,
        "positive_pairs": fitted.positive_pairs,
        "words_without_contexts": empty,
        "count_seconds": seconds,
        "fit_seconds": took,
        "largest_singular_value": float(values[0]),
        "smallest_singular_value": float(values[-1]),
    }
    return fitted, figures


def draw(config: Config, values: np.ndarray) -> None:
    """Draws the singular values: how much each dimension adds."""
    from jaxemb.plots.lines import Line, write_lines

    write_lines(
        config.common.out / "singular_values.png",
        [Line("singular values", np.arange(1, len(values) + 1), values)],
        x="dimension",
        y="singular value",
        title=f"{config.text.title}: LSA of {config.options.counts}",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
