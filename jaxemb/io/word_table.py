"""What is checked of a table of word vectors when it is read or written."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxemb.errors import InputError


def check(
    words: Sequence[str],
    vectors: np.ndarray,
    path: Path,
    *,
    place: str = "row",
    numbers: Sequence[int] | None = None,
) -> None:
    """Refuses a table that another program, or a later reading, would misunderstand.

    Args:
      words: [V] words.
      vectors: [V, D] their vectors.
      path: The file, for the message.
      place: What one row is called in this file: "row" or "line".
      numbers: [V] the numbers of these places. None counts from 0.

    Raises:
      InputError: if the array is not [V, D] float32 with V, D >= 1 and one row a word, a number is
        NaN or infinite, or a word is empty, no string, not encodable as UTF-8 or there twice.
    """
    if not isinstance(vectors, np.ndarray) or vectors.dtype != np.float32 or vectors.ndim != 2:
        found = f"{type(vectors).__name__} {getattr(vectors, 'dtype', '')}"
        found += f"{list(np.shape(vectors))}"
        raise InputError(
            f"{path}: vectors must be a NumPy array [V, D] of float32, found {found}. Convert it "
            "first, with np.asarray(vectors, np.float32)."
        )
    if isinstance(words, str) or len(words) != len(vectors) or not vectors.size:
        raise InputError(
            f"{path}: needs at least one word, one row of vectors a word and one column, found "
            f"{'one string' if isinstance(words, str) else len(words)} for words and "
            f"{list(vectors.shape)} for vectors. Do words and vectors come from the same model?"
        )
    if numbers is None:
        numbers = range(len(words))
    # min and max carry NaN along and, unlike isfinite of the table, need no second array.
    if not (np.isfinite(vectors.min()) and np.isfinite(vectors.max())):
        row = next(i for i, vector in enumerate(vectors) if not np.isfinite(vector).all())
        column = int(np.argmin(np.isfinite(vectors[row])))
        raise InputError(
            f"{path}: {place} {numbers[row]}: number {column + 1} of word {words[row]!r} is "
            f"{vectors[row, column]}, must be finite in float32. Did the training diverge?"
        )
    for row, word in enumerate(words):
        fault = _fault(word)
        if fault:
            raise InputError(
                f"{path}: {place} {numbers[row]}: word {word!r:.80} {fault}; words are non-empty "
                "Unicode strings. Was the vocabulary built from damaged text? Reading with "
                "lenient=True leaves empty words out."
            )
    _check_unique(words, path, place, numbers)


def _fault(word: str) -> str:
    if not isinstance(word, str):
        return f"is a {type(word).__name__}"
    if not word:
        return "is empty"
    try:
        word.encode()
    except UnicodeEncodeError:
        return "has a lone surrogate, which UTF-8 cannot hold"
    return ""


def _check_unique(words: Sequence[str], path: Path, place: str, numbers: Sequence[int]) -> None:
    # Sorted hashes take 8 bytes a word where a set takes 50; only a match is worth the set.
    hashes = np.fromiter(map(hash, words), np.int64, len(words))
    hashes.sort()
    if not (hashes[1:] == hashes[:-1]).any():
        return
    seen: dict[str, int] = {}
    for row, word in enumerate(words):
        if word in seen:
            raise InputError(
                f"{path}: {place} {numbers[row]}: word {word!r:.80} was already in {place} "
                f"{numbers[seen[word]]}; a word may stand once. Were two tables joined, or words "
                "cut or lower-cased? Reading with lenient=True keeps the first."
            )
        seen[word] = row
