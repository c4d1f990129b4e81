"""Words as one-hot vectors, and why that fails: no two words are alike (README row one_hot)."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.vocabulary import Vocabulary
from jaxemb.data.word_sets import find_word_sets
from jaxemb.evaluation.neighbors import nearest
from jaxemb.evaluation.word_scores import WordScores, evaluate
from jaxemb.models.one_hot import one_hot

from .harness import command, run_folder
from .harness.words import vectors as word_vectors

# The first pair that the vocabulary has is shown; a reader would call its words alike.
PAIRS = (("motel", "hotel"), ("sin", "cos"), ("red", "blue"))


@dataclasses.dataclass(frozen=True)
class Config(word_vectors.Config):
    """Scores one-hot vectors beside random ones; the defaults need no data.

    Writes vocabulary.txt, which is all there is to learn, and summary.json to --out.
    """

    dim: int = 100
    """Width of the random vectors, whose scores are those of chance."""
    random_tables: int = 3
    """Tables of these."""
    out: Path = Path("runs/one_hot")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "random_tables", at_least=1)


def run(config: Config) -> None:
    """Shows a pair of words, and scores all."""
    text = word_vectors.prepare(config)
    if text is None:
        return
    vocabulary = text.vocabulary
    figures = {"words": text.corpus.words, "vocabulary": len(vocabulary), **show(vocabulary)}
    scores, report = score(vocabulary.words, config.data_dir)
    if scores:
        chance = score_random(config, vocabulary.words)
        tell(scores, chance)
        scores |= {f"{name}_random": mean for name, mean in chance.items()}
    else:
        print(f"\n{report}")
    run_folder.finish(config.out, figures | scores)


def show(vocabulary: Vocabulary) -> dict[str, float]:
    """Tells how like each other two words are that a reader would call alike.

    Returns:
      Their dot product, which is their cosine too, and their distance.
    """
    size = len(vocabulary)
    known = [pair for pair in PAIRS if all(word in vocabulary.ids for word in pair)]
    first, second = known[0] if known else vocabulary.words[:2]
    ids = jnp.asarray(vocabulary.encode([first, second]))
    vectors = one_hot(ids, ids)
    product = float(vectors[0] @ vectors[1])
    distance = float(jnp.linalg.norm(vectors[0] - vectors[1]))
    print(
        f"{size:,} words, so {size:,} dimensions; a table of all vectors would take "
        f"{4e-9 * size**2:,.1f} GB and is never made"
    )
    for word, row in zip((first, second), np.asarray(ids), strict=True):
        print(f"  {word} = [0 ... 0 1 0 ... 0], the 1 at place {row + 1:,}")
    print(
        f"  {first} . {second} = {product:g}, their cosine too; distance {distance:.3f}, as "
        "between any two words"
    )
    # The answer of the whole table: words tie, and the first in the dictionary come first.
    rows = jnp.unique(jnp.concatenate([jnp.arange(min(size, 6)), ids]))
    asked = jnp.searchsorted(rows, ids[:1])
    near, _ = nearest(
        one_hot(rows, rows), one_hot(ids[:1], rows), k=min(5, size - 1), exclude=asked[:, None]
    )
    names = ", ".join(vocabulary.words[int(rows[i])] for i in np.asarray(near)[0])
    print(f"  {first}: {names}, ... (all equally far, so in the order of the dictionary)")
    return {f"dot_{first}_{second}": product, f"distance_{first}_{second}": distance}


def score(words: Sequence[str], data_dir: Path, *, most_frequent: int = 30_000) -> WordScores:
    """Scores one-hot vectors as `evaluate` would score the whole table.

    Only words that a set asks about can have a cosine other than 0 with one of them. The others
    all tie as answers to an analogy, and of these the first wins, so that four of them, of which a
    question can bar three, stand for all.

    Args:
      words: [V] most frequent first.
      data_dir: as for `evaluate`.
      most_frequent: as for `evaluate`.

    Returns:
      The scores and the report. Where no pair is of equal words all cosines are 0, nothing is
      ordered and Spearman's correlation is nan.
    """
    sets = find_word_sets(data_dir)
    asked = {word for pairs in sets.similarity for pair in pairs.pairs for word in pair}
    asked |= {word for part in sets.analogies for question in part.questions for word in question}
    asked |= {word for part in sets.categories for word in part.words}
    kept = [row for row, word in enumerate(words) if row < 4 or word.lower() in asked]
    ids = jnp.asarray(kept)
    return evaluate(
        [words[row] for row in kept],
        one_hot(ids, ids),
        data_dir,
        most_frequent=sum(row < most_frequent for row in kept),
    )


def score_random(config: Config, words: Sequence[str]) -> dict[str, float]:
    """Returns the mean scores of tables of random vectors."""
    shape = (len(words), config.dim)
    runs = [
        evaluate(words, jax.random.normal(key, shape), config.data_dir).scores
        for key in jax.random.split(jax.random.key(config.seed), config.random_tables)
    ]
    return {
        name: float(np.mean([run[name] for run in runs]))
        for name in runs[0]
        if not name.endswith("_missing")
    }


def tell(scores: dict[str, float], chance: dict[str, float]) -> None:
    """Prints the scores beside those of chance."""
    print(f"\n{'set':<28} {'one-hot':>8} {'random':>8} {'missing':>8}")
    for name, value in chance.items():
        missing = scores.get(f"{name}_missing")
        told = "" if missing is None else f" {missing:8,}"
        print(f"{name:<28} {scores[name]:8.3f} {value:8.3f}{told}")
    if any(np.isnan(score) for score in scores.values()):
        print("nan: all cosines are 0, so that no pair is before another")
    print("what a similarity set has more comes of pairs of a word with itself, whose cosine is 1")


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
