"""Scores of one-hot vectors, without their table."""

from collections.abc import Sequence
from pathlib import Path

import jax.numpy as jnp

from jaxemb.data.word_sets import find_word_sets
from jaxemb.evaluation.word_scores import WordScores, evaluate
from jaxemb.models.one_hot import one_hot


def score(words: Sequence[str], data_dir: Path, *, most_frequent: int = 30_000) -> WordScores:
    """Scores one-hot vectors as `evaluate` would score the whole table, which is never made.

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
