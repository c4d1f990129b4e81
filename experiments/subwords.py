"""Word vectors by shared character n-grams, for unknown words, too (README row subwords)."""

import dataclasses
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import jax.numpy as jnp
import numpy as np
import tyro

from jaxemb.data.vocabulary import Vocabulary
from jaxemb.data.word_sets import SimilaritySet, find_word_sets
from jaxemb.errors import InputError
from jaxemb.evaluation.neighbors import nearest
from jaxemb.evaluation.similarity import similarity
from jaxemb.io import fasttext_binary
from jaxemb.models import subword_parts
from jaxemb.models.subword_table import SubwordTable, has_ngrams
from jaxemb.models.subword_table import word_vectors as compose

from . import word2vec
from .harness import command
from .harness.words import vectors as word_vectors

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
class Config(word2vec.Config):
    """Trains vectors of words and of their character n-grams, by negative sampling.

    Writes model.bin, which fastText, Gensim and experiments.query read, and all that
    experiments.word2vec writes.
    """

    shortest: int = 3
    """Characters in an n-gram, at least; < before and > behind the word count."""
    longest: int = 6
    """Characters in an n-gram, at most."""
    buckets: int = 1 << 18
    """Numbers that n-grams are hashed to; those with the same number share a row. 78,000 English
    words have 400,000 n-grams, here two to a row. Each number costs 400 bytes of model.bin at width
    100, in use or not: fastText's 2,000,000 make 800 MB. Training holds those in use alone."""
    objective: Annotated[Literal["negative_sampling"], tyro.conf.Suppress] = "negative_sampling"
    optimizer: Annotated[Literal["sgd"], tyro.conf.Suppress] = "sgd"
    out: Path = Path("runs/subwords")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "shortest", at_least=1)
        command.check_field(self, "buckets", at_least=1, at_most=(1 << 31) - 1)
        if self.longest < self.shortest:
            raise InputError(
                f"--longest must be at least --shortest, {self.shortest}, found {self.longest}; "
                "experiments.word2vec trains without n-grams"
            )


def run(config: Config) -> None:
    """Trains, evaluates, draws, and shows what unknown words are like."""
    began = time.perf_counter()
    text = word_vectors.prepare(config)
    if text is None:
        return
    vocabulary = text.vocabulary
    table, outputs, figures = train(config, text, began)
    del text
    word_vectors.give_memory_back()
    fasttext_binary.write_model(
        config.out / "model.bin",
        table,
        outputs,
        vocabulary.counts,
        model=config.model,
        window=config.window,
        epochs=config.epochs,
        negatives=config.negatives,
        subsample=config.subsample,
    )
    vectors = compose(table, vocabulary.words)
    figures |= score_unknown(config, vocabulary, table, vectors)
    show_unknown(vocabulary, table, vectors)
    title = f"{' + '.join(config.corpus)}: {config.model} of subwords, {config.dim} wide"
    word_vectors.write(config, vocabulary, vectors, figures, title=title)


def train(
    config: Config, text: word_vectors.Text, began: float
) -> tuple[SubwordTable, np.ndarray, dict[str, float]]:
    """Trains the vectors of words and n-grams.

    Returns:
      These, [V, D] the output vectors, and figures for the summary.
    """
    words = text.vocabulary.words
    lengths = {name: getattr(config, name) for name in ("shortest", "longest", "buckets")}
    parts = subword_parts.cut(words, **lengths)
    print(
        f"{len(parts.buckets):,} of {config.buckets:,} buckets in use; "
        f"{parts.sizes[:-1].mean():.1f} rows a word, {parts.sizes.max():.0f} at most"
    )
    tables, figures = word2vec.train(config, text, began, parts)
    rows, outputs = (np.asarray(tables[name]) for name in ("input", "output"))
    figures |= {"buckets_in_use": len(parts.buckets), "largest_word": int(parts.sizes.max())}
    return subword_parts.subword_table(words, parts, rows, **lengths), outputs, figures


def score_unknown(
    config: Config, vocabulary: Vocabulary, table: SubwordTable, vectors: np.ndarray
) -> dict[str, float]:
    """Scores similarity sets also on pairs that have words which the vocabulary lacks.

    Returns:
      For each set with such a pair: Spearman's correlation and number of pairs, with
      "_with_unknown" after the set's name for all its pairs, with "_unknown" for these alone.
    """
    figures: dict[str, float] = {}
    for pairs in find_word_sets(config.data_dir).similarity:
        words = {word for pair in pairs.pairs for word in pair}
        missing = sorted(
            word
            for word in words - vocabulary.ids.keys()
            if has_ngrams(word, shortest=config.shortest, longest=config.longest)
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
