"""Words as one-hot vectors, and why that fails: no two words are alike.

    python -m experiments.one_hot --corpus simplewiki

Two busy cores of an AMD EPYC, 0.4 minutes: analogies 0.0%.
"""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.evaluation.neighbors import nearest
from jaxemb.evaluation.word_scores import evaluate
from jaxemb.methods import one_hot

from .harness import command, run_folder
from .harness.words import text as word_text
from .harness.words.one_hot_scores import score
from .harness.words.text import TextFlags

# The line of the table in README.md, of entries of summary.json.
FIGURE = "analogies {analogies:.1f}%"

# The first pair that the vocabulary has is shown; a reader would call its words alike.
PAIRS = (("motel", "hotel"), ("sin", "cos"), ("red", "blue"))


@dataclasses.dataclass(frozen=True)
class Config:
    """Scores one-hot vectors beside random ones; the defaults need no data.

    Writes vocabulary.txt, which is all there is to learn, and summary.json to --out.
    """

    text: TextFlags = TextFlags()
    common: command.Common = command.Common(out=Path("runs/one_hot"))
    dim: int = 100
    """Width of the random vectors, whose scores are those of chance."""
    random_tables: int = 3
    """Random tables averaged."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "dim", at_least=2, at_most=1 << 20)
        checks.check_field(self, "random_tables", at_least=1)


SMOKE = Config(dim=8, random_tables=2)


def run(config: Config) -> None:
    """Shows a pair of words, and scores all."""
    text = word_text.open_run(config)
    if text is None:
        return
    vocabulary = text.vocabulary
    figures = {"words": text.corpus.words, "vocabulary": len(vocabulary), **show(vocabulary)}
    scores, report = score(vocabulary.words, config.common.data_dir)
    if scores:
        chance = score_random(config, vocabulary.words)
        print_scores(scores, chance)
        scores |= {f"{name}_random": mean for name, mean in chance.items()}
    else:
        print(f"\n{report}")
    run_folder.finish(config.common.out, figures | scores)


def show(vocabulary: Vocabulary) -> dict[str, float]:
    """Prints how like each other two words are that a reader would call alike.

    Returns:
      Their dot product, which is their cosine too, and their distance.
    """
    size = len(vocabulary)
    fitted = one_hot.Fitted(vocabulary.words)
    known = [pair for pair in PAIRS if all(word in vocabulary.ids for word in pair)]
    first, second = known[0] if known else vocabulary.words[:2]
    vectors = one_hot.encode(fitted, [first, second])
    product = float(vectors[0] @ vectors[1])
    distance = float(np.linalg.norm(vectors[0] - vectors[1]))
    print(
        f"{size:,} words, so {size:,} dimensions; a table of all vectors would take "
        f"{4e-9 * size**2:,.1f} GB and is never made"
    )
    for word in (first, second):
        print(f"  {word} = [0 ... 0 1 0 ... 0], the 1 at place {vocabulary.ids[word] + 1:,}")
    print(
        f"  {first} . {second} = {product:g}, their cosine too; distance {distance:.3f}, as "
        "between any two words"
    )
    # The answer of the whole table: words tie, and the first in the dictionary come first.
    rows = np.unique([*range(min(size, 6)), *vocabulary.encode([first, second])])
    words = [vocabulary.words[row] for row in rows]
    table = jnp.asarray(one_hot.encode(fitted, words))
    asked = words.index(first)
    near, _ = nearest(
        table, table[asked : asked + 1], k=min(5, size - 1), exclude=jnp.array([[asked]])
    )
    names = ", ".join(words[i] for i in np.asarray(near)[0])
    print(f"  {first}: {names}, ... (all equally far, so in the order of the dictionary)")
    return {f"dot_{first}_{second}": product, f"distance_{first}_{second}": distance}


def score_random(config: Config, words: Sequence[str]) -> dict[str, float]:
    """Returns the mean scores of tables of random vectors."""
    shape = (len(words), config.dim)
    runs = [
        evaluate(words, jax.random.normal(key, shape), config.common.data_dir).scores
        for key in jax.random.split(jax.random.key(config.common.seed), config.random_tables)
    ]
    return {
        name: float(np.mean([run[name] for run in runs]))
        for name in runs[0]
        if not name.endswith("_missing")
    }


def print_scores(scores: dict[str, float], chance: dict[str, float]) -> None:
    """Prints the scores beside those of chance."""
    print(f"\n{'set':<28} {'one-hot':>8} {'random':>8} {'missing':>8}")
    for name, value in chance.items():
        missing = scores.get(f"{name}_missing")
        count = "" if missing is None else f" {missing:8,}"
        print(f"{name:<28} {scores[name]:8.3f} {value:8.3f}{count}")
    if any(np.isnan(score) for score in scores.values()):
        print("nan: all cosines are 0, so that no pair is before another")
    print("similarity scores above nan come from pairs of a word with itself, whose cosine is 1")


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
