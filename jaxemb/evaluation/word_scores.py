"""All scores of word vectors that the sets in a data folder allow."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.word_sets import find_word_sets
from jaxemb.errors import InputError
from jaxemb.evaluation.analogies import analogies, total
from jaxemb.evaluation.categorization import categorization
from jaxemb.evaluation.similarity import similarity


class WordScores(NamedTuple):
    """Scores for a run's summary and for reading."""

    scores: dict[str, float]
    report: str  # a table, several lines


def evaluate(
    words: Sequence[str], vectors: jax.Array, data_dir: Path, *, most_frequent: int = 30_000
) -> WordScores:
    """Scores word vectors on each similarity, analogy and categorization set that is found.

    Args:
      words: [V] most frequent first. The sets are in lower case; where words differ in case alone
        the first counts.
      vectors: [V, D] their rows.
      data_dir: holds `wordsim/sim_*.csv`, `wordsim/cat_*.csv` and `questions-words.txt`, or some
        of them.
      most_frequent: analogies are asked among the first this many words.

    Returns:
      The scores by name: `wordsim353_sim`, `men`, `rare_words`, ... (Spearman's correlation);
      `analogies`, `analogies_semantic`, `analogies_syntactic` (sections named gram...) and each
      with `_mul` for 3CosMul (percent of the questions asked); `purity_ap`, ... (in [0, 1]). Each
      set has a `..._missing`, the number of its pairs, questions or words left out because a word
      is unknown. A score that too few known words allow is nan. And all that as a table, with each
      analogy section.

    Raises:
      InputError: if words and rows differ in number, a vector isn't finite, or a set's file has a
        bad row.
    """
    if len(words) != len(vectors):
        raise InputError(f"{len(words)} words but {len(vectors)} vectors")
    bad = np.flatnonzero(~np.asarray(jnp.isfinite(vectors).all(axis=1)))
    if bad.size:
        raise InputError(
            f"vectors: {bad.size} of {len(words)} rows are not finite, the first is row {bad[0]} "
            f"({words[bad[0]]!r}); did the training diverge?"
        )
    index = {words[row].lower(): row for row in reversed(range(len(words)))}
    sets = find_word_sets(data_dir)
    scores: dict[str, float] = {}
    lines = [f"{'set':<28} {'score':>7} {'known':>7} {'missing':>7}"]
    for pairs in sets.similarity:
        name = {"rw": "rare_words"}.get(pairs.name, pairs.name.replace("-", "_"))
        likeness = similarity(vectors, index, pairs)
        missing = len(pairs.pairs) - likeness.pairs
        scores |= {name: likeness.spearman, f"{name}_missing": missing}
        lines.append(f"{name:<28} {likeness.spearman:7.3f} {likeness.pairs:7} {missing:7}")
    for words_in in sets.categories:
        name = f"purity_{words_in.name.replace('-', '_')}"
        purity = categorization(vectors, index, words_in)
        missing = len(words_in.words) - purity.words
        scores |= {name: purity.purity, f"{name}_missing": missing}
        lines.append(f"{name:<28} {purity.purity:7.3f} {purity.words:7} {missing:7}")
    if sets.analogies:
        sections = analogies(vectors, index, sets.analogies, most_frequent=most_frequent)
        syntactic = [section for section in sections if section.name.startswith("gram")]
        semantic = [section for section in sections if section not in syntactic]
        totals = [
            total("analogies_semantic", semantic),
            total("analogies_syntactic", syntactic),
            total("analogies", sections),
        ]
        for part in totals:
            scores |= {part.name: part.percent_add, f"{part.name}_mul": part.percent_mul}
        scores["analogies_missing"] = totals[-1].missing
        lines += ["", f"{'percent right':<28} 3CosAdd 3CosMul {'asked':>7} {'missing':>7}"]
        lines += [
            f"{part.name:<28} {part.percent_add:7.2f} {part.percent_mul:7.2f} "
            f"{part.asked:7} {part.missing:7}"
            for part in sections + totals
        ]
    if not scores:
        lines = [
            f"{data_dir}: no wordsim/sim_*.csv, wordsim/cat_*.csv or questions-words.txt; "
            "`jaxemb data similarity analogies` gets them"
        ]
    elif any(np.isnan(score) for score in scores.values()):
        lines += ["", "nan: too few known words, or nothing tells their scores apart"]
    return WordScores(scores, "\n".join(lines))
