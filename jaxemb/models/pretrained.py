"""Pretrained word vectors as initial values."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.errors import InputError


class Start(NamedTuple):
    """A table of word vectors to start from."""

    table: np.ndarray  # [V, D] float32
    known: int  # rows that are given


def start_from(
    table: np.ndarray, ids: Mapping[str, int], words: Sequence[str], vectors: np.ndarray
) -> Start:
    """Replaces random vectors by given ones, for the words that have them.

    Args:
      table: [V, D] random vectors.
      ids: rows of it, by their words.
      words: N words with given vectors, some of them perhaps not in the table.
      vectors: [N, D] finite. All are multiplied by one number, so that those used have the standard
        deviation of the random ones.

    Returns:
      The table.

    Raises:
      InputError: if the vectors are of another width or of none of the words.
    """
    if vectors.shape[1] != table.shape[1]:
        raise InputError(
            f"the word vectors given are {vectors.shape[1]} wide, {table.shape[1]} are needed"
        )
    pairs = [(ids[word], row) for row, word in enumerate(words) if word in ids]
    if not pairs:
        raise InputError(
            f"none of the {len(words):,} words with given vectors is among the {len(ids):,} of the "
            "texts. Are they of another language, or not lower case?"
        )
    mine, theirs = np.array(pairs).T
    used = vectors[theirs]
    filled = table.copy()
    filled[mine] = used * (table.std() / max(float(used.std()), np.finfo(np.float32).tiny))
    return Start(filled, len(pairs))
