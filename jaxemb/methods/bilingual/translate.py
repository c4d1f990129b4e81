"""Translations of words."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.sparse import csr_array

from jaxemb.errors import InputError
from jaxemb.methods.alignment.pairs import check_asked
from jaxemb.methods.bilingual.fit import Fitted

By = Literal["both", "vectors", "probabilities"]

# Scores of words looked up at a time, 64 MiB.
_AT_A_TIME = 1 << 24


def translate(
    fitted: Fitted, words: Sequence[str], *, k: int = 1, back: bool = False, by: By = "both"
) -> list[list[tuple[str, float]]]:
    """Finds translations of words.

    Args:
      fitted: both languages.
      words: of the first; of the second if `back`.
      k: translations of each.
      back: whether to translate into the first.
      by: "vectors", by the cosine, lessened for words that are near to all (CSLS);
        "probabilities", those of IBM model 1, which may be fewer than k; "both", the sum of the
        first and a logarithm of the second.

    Returns:
      For each word its translations, the best first, each with its score.

    Raises:
      UnknownWordError: if a word has no vector.
      InputError: if k is out of range, words is a single string, or `by` is none of these.
    """
    here, there = (fitted.second, fitted.first) if back else (fitted.first, fitted.second)
    check_asked(words, there, k)
    if by not in ("both", "vectors", "probabilities"):
        raise InputError(f"by must be 'both', 'vectors' or 'probabilities', found {by!r}")
    if not words:
        return []
    asked = here[list(words)]
    rows = np.array([here.row(word) for word in words])
    table, options = fitted.back if back else fitted.forward, fitted.options
    near_to_all = fitted.nearness[0 if back else 1] / 2
    likely = csr_array(tuple(table), shape=(len(here), len(there)))
    if by == "both":
        likely.data = options.probability_weight * np.log1p(likely.data / options.floor)
    found: list[list[tuple[str, float]]] = []
    size = max(1, _AT_A_TIME // len(there))
    for begin in range(0, len(rows), size):
        part = slice(begin, begin + size)
        scores = np.zeros((len(rows[part]), len(there)), np.float32)
        if by != "probabilities":
            scores += asked[part] @ there.vectors.T - near_to_all
        if by != "vectors":
            scores += likely[rows[part]].toarray()
        best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        for ids, own in zip(best, np.take_along_axis(scores, best, axis=1), strict=True):
            order = np.argsort(-own, kind="stable")
            found.append(
                [
                    (there.words[column], float(value))
                    for column, value in zip(ids[order], own[order], strict=True)
                    if by != "probabilities" or value > 0
                ]
            )
    return found
