"""Word vectors by counting: PPMI and its singular vectors (README row lsa)."""

import dataclasses
import sys
import time
from pathlib import Path
from typing import Literal

import jax
import numpy as np

from jaxemb.data import cooccurrence
from jaxemb.data.sparse_counts import Pairs
from jaxemb.errors import InputError
from jaxemb.factorize.ppmi import ppmi
from jaxemb.factorize.svd import svd

from .harness import command
from .harness.words import counts as word_counts
from .harness.words import vectors as word_vectors


@dataclasses.dataclass(frozen=True)
class Config(word_vectors.Config):
    """Makes word vectors of counts; the defaults need no data.

    Writes vectors.txt, vocabulary.txt, map.html, map.png, singular_values.png and summary.json to
    --out.
    """

    counts: Literal["words", "documents"] = "words"
    """What is counted of a word: the words near it, or the documents that it is in."""
    window: int = 8
    """Neighbors that count, at most, to each side; rarer words than --min-count are dropped
    first."""
    weighting: cooccurrence.Weighting = "harmonic"
    """A neighbor at distance d counts 1/d, or 1."""
    side: cooccurrence.Side = "both"
    """Which neighbors count."""
    shift: float = 1.0
    """How many times as often as by chance a pair must occur; as word2vec's noise words."""
    smoothing: float = 0.75
    """Contexts are expected in proportion to this power of their counts."""
    eigenvalue_power: float = 0.0
    """Singular vectors are scaled by this power of their singular values: 1 for classical LSA."""
    space: int = 0
    """Width of the space in which the singular vectors are sought, at least --dim; 0 for five times
    --dim, and 256 at least."""
    memory_limit: int = 1000
    """Megabytes that counting may take."""
    out: Path = Path("runs/lsa")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "window", at_least=1, at_most=100)
        command.check_field(self, "shift", above=0, at_most=1_000_000)
        command.check_field(self, "smoothing", at_least=0, at_most=1)
        command.check_field(self, "eigenvalue_power", at_least=0, at_most=10)
        command.check_field(self, "memory_limit", at_least=1)
        if self.space:
            command.check_field(self, "space", at_least=self.dim)


def run(config: Config) -> None:
    """Counts, factorizes, evaluates and draws."""
    text = word_vectors.prepare(config, check=lambda text: check(config, text))
    if text is None:
        return
    vectors, values, figures = make(config, text)
    draw(config, values)
    title = f"{' + '.join(config.corpus)}: LSA of {config.counts}, {config.dim} wide"
    word_vectors.write(config, text.vocabulary, vectors, figures, title=title)


def make(
    config: Config, text: word_vectors.Text
) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Counts and factorizes.

    Returns:
      [V, dim] vectors, [dim] singular values, and figures for the summary.
    """
    began = time.perf_counter()
    with word_counts.counted(pairs_of(config, text), config.out, config.memory_limit) as counts:
        counted = time.perf_counter()
        matrix = ppmi(counts, shift=config.shift, smoothing=config.smoothing)
    weighed = time.perf_counter()
    empty = int(np.count_nonzero(np.diff(counts.indptr) == 0))
    print(
        f"{text.corpus.words:,} words, {len(text.vocabulary):,} different ones with count >= "
        f"{config.min_count}; {counts.nnz:,} different pairs after {counted - began:.1f} s"
    )
    if empty:
        print(f"{empty:,} words have no contexts, so that their vectors are 0")
    print(f"{matrix.nnz:,} of them more often than by chance")
    if not matrix.nnz:
        raise InputError(
            f"no pair occurs more than --shift {config.shift:g} times as often as by chance"
        )
    found = svd(jax.random.key(config.seed), matrix, rank=config.dim, width=config.space or None)
    values = np.asarray(found.values)
    took = time.perf_counter() - weighed
    print(f"singular values from {values[0]:.4g} to {values[-1]:.4g} after {took:.1f} s")
    # A matrix of lower rank has no direction where a value is 0, and nothing in an empty row.
    scale = np.where(values > 0, values, 1) ** config.eigenvalue_power * (values > 0)
    vectors = np.asarray(found.left) * scale.astype(np.float32)
    vectors = np.where(np.diff(matrix.indptr)[:, None] > 0, vectors, np.float32(0))
    figures = {
        "words": text.corpus.words,
        "vocabulary": len(text.vocabulary),
        "pairs": counts.nnz,
        "positive_pairs": matrix.nnz,
        "words_without_contexts": empty,
        "count_seconds": counted - began,
        "ppmi_seconds": weighed - counted,
        "svd_seconds": took,
        "largest_singular_value": float(values[0]),
        "smallest_singular_value": float(values[-1]),
    }
    return vectors, values, figures


def pairs_of(config: Config, text: word_vectors.Text) -> Pairs:
    """Returns what is counted."""
    if config.counts == "documents":
        return cooccurrence.documents(text.corpus, text.vocabulary)
    return cooccurrence.windows(
        text.corpus,
        text.vocabulary,
        window=config.window,
        weighting=config.weighting,
        side=config.side,
    )


def check(config: Config, text: word_vectors.Text) -> None:
    """Refuses text that allows fewer dimensions than asked for, and too small a memory."""
    pairs = pairs_of(config, text)
    rank = min(len(text.vocabulary), pairs.columns)
    if config.dim > rank:
        what = "words" if rank == len(text.vocabulary) else "documents"
        raise InputError(
            f"--dim must be at most {rank:,}, the number of {what}, found {config.dim:,}"
        )
    word_counts.check_memory(pairs, config.memory_limit)


def draw(config: Config, values: np.ndarray) -> None:
    """Draws the singular values: how much each dimension adds."""
    from jaxemb.plots.lines import Line, write_lines

    write_lines(
        config.out / "singular_values.png",
        [Line("singular values", np.arange(1, len(values) + 1), values)],
        x="dimension",
        y="singular value",
        title=f"{' + '.join(config.corpus)}: LSA of {config.counts}",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
