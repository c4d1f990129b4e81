"""A table of word vectors that can be asked."""

import dataclasses
import difflib
import functools
import unicodedata
from collections.abc import Iterator, Sequence
from typing import overload

import jax.numpy as jnp
import numpy as np

from jaxemb.errors import InputError, UnknownWordError
from jaxemb.evaluation.neighbors import nearest
from jaxemb.losses import distances
from jaxemb.models.subword_table import SubwordTable, has_ngrams, word_vectors


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class WordVectors:
    """One vector for each word, asked as in Gensim: `v["cat"]`, `"cat" in v`, `v.nearest("cat")`.

    Iteration gives the words. A word without a vector is an UnknownWordError, which is a KeyError
    and names words that are spelled like it. One letter may have several spellings in Unicode, as é
    and e with an accent behind it: a word is found by any of them.

    Attributes:
      words: V unique words, most frequent first where their counts are known.
      vectors: [V, D] float32; row i belongs to words[i].
      subwords: vectors of character n-grams, of which words that aren't in the table are composed;
        None without.
    """

    words: list[str]
    vectors: np.ndarray
    subwords: SubwordTable | None = None

    def __post_init__(self):
        """Makes the words a list and the vectors a NumPy array, where they are not.

        Raises:
          InputError: if they are no [V, D] array of float32, a row for each word.
        """
        object.__setattr__(self, "vectors", np.asarray(self.vectors))
        if isinstance(self.words, str) or self.vectors.ndim != 2 or self.vectors.dtype != "f4":
            raise InputError(
                "words must be a sequence of strings and vectors an array [V, D] of float32, found "
                f"{type(self.words).__name__} and {self.vectors.dtype} {list(self.vectors.shape)}"
            )
        if len(self.words) != len(self.vectors):
            raise InputError(
                f"each word needs one row of vectors, found {len(self.words)} words and "
                f"{len(self.vectors)} rows"
            )
        if not isinstance(self.words, list):
            object.__setattr__(self, "words", list(self.words))

    @functools.cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @functools.cached_property
    def _composed(self) -> dict[str, int]:
        """The row of each word by its normal form, NFC, of those that aren't written in it."""
        rows: dict[str, int] = {}
        for row, word in enumerate(self.words):
            if not (word.isascii() or unicodedata.is_normalized("NFC", word)):
                rows.setdefault(unicodedata.normalize("NFC", word), row)
        return rows

    def row(self, word: object) -> int | None:
        """Returns the row of a word in whatever normal form; None if it isn't in the table."""
        row = self.index.get(word)  # type: ignore[call-overload]
        if row is None and isinstance(word, str):
            composed = unicodedata.normalize("NFC", word)
            row = self.index.get(composed, self._composed.get(composed))
        return row

    def __repr__(self) -> str:
        """Returns size and first words, not all."""
        first = ", ".join(map(repr, self.words[:5])) + (", ..." if len(self) > 5 else "")
        width = self.vectors.shape[1]
        composes = " and of n-grams" if self.subwords is not None else ""
        return f"<WordVectors of {len(self):,} words{composes}, {width} wide: {first}>"

    def __len__(self) -> int:
        """Returns the number of words."""
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        """Iterates over the words."""
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        """Tells whether a word has a vector, be it one composed of n-grams."""
        return isinstance(word, str) and (self.row(word) is not None or self._composes(word))

    @overload
    def __getitem__(self, words: str) -> np.ndarray: ...

    @overload
    def __getitem__(self, words: Sequence[str]) -> np.ndarray: ...

    def __getitem__(self, words):
        """Returns the vector of a word, [D], or those of N words, [N, D].

        Raises:
          UnknownWordError: if a word has no vector.
        """
        if isinstance(words, str):
            return self[[words]][0]
        known = [self.row(word) for word in words]
        rows = np.array([-1 if row is None else row for row in known], int)
        found = self.vectors[rows]
        if missing := [word for word, row in zip(words, rows, strict=True) if row < 0]:
            for word in missing:
                if not self._composes(word):
                    raise UnknownWordError(self._unknown(word))
            assert self.subwords is not None
            found[rows < 0] = word_vectors(self.subwords, missing)
        return found

    def nearest(self, query: str | np.ndarray, k: int = 10) -> list[tuple[str, float]]:
        """Finds the words with the largest cosine to a word or vector.

        Args:
          query: a word, which isn't among its own neighbors, or a vector [D].
          k: how many words.

        Returns:
          k pairs (word, cosine), nearest first; of equal cosines the earlier word first.

        Raises:
          UnknownWordError: if the word has no vector.
          InputError: if the vector is zero or has another shape, or there are fewer than k words.
        """
        if isinstance(query, str):
            return self._nearest(self._unit_rows([query])[0], [query], k)
        query = np.asarray(query, np.float32)
        if query.shape != self.vectors.shape[1:]:
            raise InputError(
                f"query must be a word or a vector of width {self.vectors.shape[1]}, found an "
                f"array of shape {list(query.shape)}"
            )
        if not query.any():
            raise InputError("query is a vector of zeros: it has no cosine with any word")
        return self._nearest(query, [], k)

    def similarity(self, a: str, b: str) -> float:
        """Returns the cosine between two words.

        Raises:
          UnknownWordError: if one has no vector.
          InputError: if a vector is zero.
        """
        unit = self._unit_rows([a, b])
        return float(unit[0] @ unit[1])

    def analogy(self, a: str, b: str, c: str, k: int = 10) -> list[tuple[str, float]]:
        """Answers "a is to b as c is to what?": `analogy("man", "king", "woman")` gives queen.

        Args:
          a: first word of the known pair.
          b: second word of the known pair.
          c: first word of the other.
          k: how many answers.

        Returns:
          The k words with the largest cosine to b - a + c, each scaled to length 1 before, and that
          cosine. The three words themselves can't be answers.

        Raises:
          UnknownWordError: if a word has no vector.
          InputError: if a vector is zero, or there are fewer than k other words.

        Reference:
          Levy and Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word
          Representations", section 3 (3CosAdd).
        """
        unit = self._unit_rows([a, b, c])
        return self._nearest(unit[1] - unit[0] + unit[2], [a, b, c], k)

    def odd_one_out(self, words: Sequence[str]) -> str:
        """Returns the word that is least like the mean of all, as Gensim's `doesnt_match`.

        Args:
          words: three or more different words.

        Raises:
          UnknownWordError: if one has no vector.
          InputError: if there are fewer or equal ones, or a vector is zero.
        """
        return self.centrality(words)[0][0]

    def centrality(self, words: Sequence[str]) -> list[tuple[str, float]]:
        """Returns each word's cosine to the mean of the words' unit vectors, the smallest first.

        Args:
          words: three or more different words.

        Raises:
          UnknownWordError: if one has no vector.
          InputError: if there are fewer or equal ones, or a vector is zero.
        """
        if isinstance(words, str) or len(set(words)) < max(3, len(words)):
            raise InputError(
                f"three or more words are needed, each given once, found {words!r:.80}"
            )
        unit = self._unit_rows(words)
        cosines = np.asarray(distances.unit(jnp.asarray(unit.mean(axis=0)[None]))[0] @ unit.T)
        return [(words[i], float(cosines[i])) for i in np.argsort(cosines, kind="stable")]

    def subset(self, words: Sequence[str]) -> "WordVectors":
        """Returns the vectors of these words alone, in this order; it composes no others.

        Raises:
          UnknownWordError: if a word has no vector.
        """
        return WordVectors(list(words), self[list(words)])

    def unit(self) -> "WordVectors":
        """Returns the words with vectors of length 1 (zero stays zero); it composes no others."""
        return WordVectors(self.words, np.asarray(distances.unit(jnp.asarray(self.vectors))))

    def _composes(self, word: str) -> bool:
        if self.subwords is None or len(self.subwords.rows) == len(self.subwords.words):
            return False
        lengths = {"shortest": self.subwords.shortest, "longest": self.subwords.longest}
        return has_ngrams(word, **lengths)

    def _unit_rows(self, words: Sequence[str]) -> np.ndarray:
        found = self[words]
        for word, vector in zip(words, found, strict=True):
            if not vector.any():
                raise InputError(f"the vector of {word!r} is zero: it has no cosine with any word")
        return np.asarray(distances.unit(jnp.asarray(found)))

    def _nearest(self, query: np.ndarray, barred: list[str], k: int) -> list[tuple[str, float]]:
        rows = sorted({row for word in barred if (row := self.row(word)) is not None})
        most = len(self) - len(rows)
        if not 1 <= k <= most:
            raise InputError(f"k must be 1 to {most}, the number of other words, found {k}")
        ids, cosines = nearest(
            jnp.asarray(self.vectors),
            jnp.asarray(query[None]),
            k=k,
            exclude=jnp.asarray([rows], jnp.int32),
        )
        words = [self.words[i] for i in np.asarray(ids[0])]
        return list(zip(words, np.asarray(cosines[0]).tolist(), strict=True))

    def _unknown(self, word: object) -> str:
        told = f"{word!r} is not among the {len(self):,} words"
        if not isinstance(word, str):
            return f"{told}, which are strings"
        close = _spellings(word, self.words)
        hint = f"did you mean {', '.join(close)}?" if close else "no word is spelled like it"
        return f"{told}; {hint}"


def _spellings(word: str, words: list[str]) -> list[str]:
    # Tables are sorted by frequency. A frequent word is likelier to be meant than a rare one, and
    # comparing with 50,000 words takes a tenth of the time of comparing with 400,000.
    for part in (words[:50_000], words[50_000:]):
        same = [other for other in part if other.lower() == word.lower()]
        close = same + difflib.get_close_matches(word, part, n=3, cutoff=0.7)
        if close:
            return list(dict.fromkeys(close))[:3]
    return []
