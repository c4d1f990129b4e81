"""Pairs of words and contexts to be counted: described, not yet added up."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

# Up to here, float64 holds every whole number.
LARGEST_EXACT = 2**53


class Stretch(NamedTuple):
    """A stretch of text.

    Attributes:
      words: [M] int32 ids; those of R or more are not counted.
      contexts: [k] places in `words` -> [k, C] int32 columns; the number of columns for no context.
    """

    words: np.ndarray
    contexts: Callable[[np.ndarray], np.ndarray]


class Pairs(NamedTuple):
    """Pairs of a word and one of its contexts, for `sparse_counts.count` to add up.

    Attributes:
      occurrences: [R] counts of the words, descending.
      columns: different contexts.
      weights: [C] float64, whole numbers: the weight of each of a word's contexts; 0 for none.
      unit: the weight that counts 1.
      texts: number of words to read at a time -> the corpus, from its start.
      text_bytes: memory needed meanwhile for each of these words.
    """

    occurrences: np.ndarray
    columns: int
    weights: np.ndarray
    unit: int
    texts: Callable[[int], Iterator[Stretch]]
    text_bytes: int
