"""Word vectors by shared character n-grams, for unknown words, too.

    python -m experiments.subwords --epochs 1 --corpus simplewiki

Two busy cores of an AMD EPYC, 2.4 minutes: WordSim-353 0.637 / 0.542, MEN 0.630, rare words 0.436,
syntactic analogies 64.7%.
"""

import dataclasses
import sys
import time
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from jaxemb.data import Text
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.data.word_sets import SimilaritySet, find_word_sets
from jaxemb.evaluation.neighbors import nearest
from jaxemb.evaluation.similarity import similarity
from jaxemb.io import fasttext_binary
from jaxemb.methods import subwords
from jaxemb.models.subword_table import SubwordTable, has_ngrams
from jaxemb.models.subword_table import word_vectors as compose

from .harness import command
from .harness.words import text as word_text
from .harness.words import training
from .harness.words import vectors as word_vectors
from .harness.words.text import TextFlags

# The line of the table in README.md, of entries of summary.json.
FIGURE = (
    "WordSim-353 {wordsim353_sim:.3f} / {wordsim353_rel:.3f}, MEN {men:.3f}, rare words "
    "{rare_words:.3f}, syntactic analogies {analogies_syntactic:.1f}%"
)

# Misspelt, inflected and compound words; the first that the vocabulary lacks, while it has what
# they come from, are shown with their neighbors.
UNKNOWN = {
    "mispelling": "spelling",
    "encyclopaedias": "encyclopedia",
    "guitarrist": "guitarist",
    "unphotographed": "photographed",
    "mountainousness": "mountainous",
    "portugeese": "portuguese",
    "reshapeable": "reshape",
    "deserialisable": "deserialize",
    "multithreadedness": "multithreaded",
    "covarianceless": "covariance",
    "normalizzation": "normalization",
    "parallelogramm": "parallelogram",
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains vectors of words and of their character n-grams, by negative sampling.

    Writes model.bin, which fastText, Gensim and experiments.query read, and all that
    experiments.word2vec writes.
    """

    options: subwords.Options = subwords.Options()
    text: TextFlags = TextFlags()
    common: command.Common = command.Common(out=Path("runs/subwords"))


SMOKE = Config(
    subwords.Options(dim=16, epochs=5, subsample=0.0, learning_rate=0.02, buckets=1 << 16)
)


def run(config: Config) -> None:
    """Trains, evaluates, draws, and shows what unknown words are like."""
    began = time.perf_counter()
    text = word_text.open_run(config)
    if text is None:
        return
    options, vocabulary = config.options, text.vocabulary
    fitted, figures = train(config, text, began)
    table, vectors = fitted.table, fitted.vectors.vectors
    fasttext_binary.write_model(
        config.common.out / "model.bin",
        table,
        fitted.params["output"],
        vocabulary.counts,
        model=options.model,
        window=options.window,
        epochs=options.epochs,
        negatives=options.negatives,
        subsample=options.subsample,
    )
    figures |= score_unknown(config.common.data_dir, vocabulary, table, vectors)
    show_unknown(vocabulary, table, vectors)
    title = f"{config.text.title}: {options.model} of subwords, {options.dim} wide"
    word_vectors.write(config.common, vocabulary, vectors, figures, title=title)


def train(config: Config, text: Text, began: float) -> tuple[subwords.Fitted, dict[str, float]]:
    """Trains the vectors of words and n-grams.

    Returns:
      Them, and figures for the summary.
    """
    fitted, figures = training.watched(
        lambda run: subwords.fit(config.common.seed, text, config.options, run=run),
        config.common,
        text,
        began,
    )
    in_use = len(fitted.params["input"]) - len(text.vocabulary)
    print(
        f"{in_use:,} of {config.options.buckets:,} buckets in use; the longest word has "
        f"{fitted.largest} rows"
    )
    return fitted, figures | {"buckets_in_use": in_use, "largest_word": fitted.largest}


def score_unknown(
    data_dir: Path, vocabulary: Vocabulary, table: SubwordTable, vectors: np.ndarray
) -> dict[str, float]:
    """Scores similarity sets also on pairs that have words which the vocabulary lacks.

    Returns:
      For each set with such a pair: Spearman's correlation and number of pairs, with
      "_with_unknown" after the set's name for all its pairs, with "_unknown" for these alone.
    """
    figures: dict[str, float] = {}
    for pairs in find_word_sets(data_dir).similarity:
        words = {word for pair in pairs.pairs for word in pair}
        missing = sorted(
            word
            for word in words - vocabulary.ids.keys()
            if has_ngrams(word, shortest=table.shortest, longest=table.longest)
        )
        if not missing:
            continue
        index = vocabulary.ids | {word: len(vocabulary) + i for i, word in enumerate(missing)}
        everything = jnp.concatenate([vectors, compose(table, missing)])
        unknown = [i for i, pair in enumerate(pairs.pairs) if not set(pair).isdisjoint(missing)]
        only = SimilaritySet(pairs.name, [pairs.pairs[i] for i in unknown], pairs.scores[unknown])
        name = {"rw": "rare_words"}.get(pairs.name, pairs.name.replace("-", "_"))
        for which, some in (("with_unknown", pairs), ("unknown", only)):
            score = similarity(everything, index, some)
            figures |= {f"{name}_{which}": score.spearman, f"{name}_{which}_pairs": score.pairs}
    return figures


def show_unknown(vocabulary: Vocabulary, table: SubwordTable, vectors: np.ndarray) -> None:
    """Prints the neighbors of words that the vocabulary lacks."""
    lacking = [
        word
        for word, known in UNKNOWN.items()
        if known in vocabulary.ids and word not in vocabulary.ids
    ][:6]
    for word in lacking:
        query = jnp.asarray(compose(table, [word]))
        near = nearest(jnp.asarray(vectors), query, k=min(5, len(vocabulary)))[0]
        print(f"  {word}, unknown: {', '.join(vocabulary.words[i] for i in np.asarray(near)[0])}")


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
