"""Questions "a is to b as c is to what?", answered by 3CosAdd and 3CosMul."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.word_sets import AnalogySection
from jaxemb.losses.distances import unit

# Cosines in a block: 8 MiB in float32, whatever the number of words and questions. Much larger
# blocks are twice as slow on CPU: a question's rows then leave the cache.
_COSINES_AT_A_TIME = 2**21


class AnalogyScore(NamedTuple):
    """Correct answers to the questions of one relationship, or of several."""

    name: str
    correct_add: int  # by 3CosAdd
    correct_mul: int  # by 3CosMul
    asked: int
    missing: int  # questions left out: a word is unknown or too rare

    @property
    def percent_add(self) -> float:
        """Accuracy by 3CosAdd, in percent; nan if no question was asked."""
        return 100 * self.correct_add / self.asked if self.asked else np.nan

    @property
    def percent_mul(self) -> float:
        """Accuracy by 3CosMul, in percent; nan if no question was asked."""
        return 100 * self.correct_mul / self.asked if self.asked else np.nan


def analogies(
    vectors: jax.Array,
    index: Mapping[str, int],
    sections: Sequence[AnalogySection],
    *,
    most_frequent: int = 30_000,
) -> list[AnalogyScore]:
    """Counts correct answers; the three words of a question can't be its answer.

    Args:
      vectors: [V, D] a row for each word, most frequent first; need not be normalized. A zero
        row's cosine to anything is 0.
      index: the row of each known word.
      sections: questions of four words. One with an unknown word is left out.
      most_frequent: only this many first rows count as known, and can be answers.

    Returns:
      The score of each section.

    Reference:
      Levy and Goldberg 2014, "Linguistic Regularities in Sparse and Explicit Word
      Representations", section 3 (3CosAdd) and 6 (3CosMul).
    """
    questions, section_of = [], []
    for number, section in enumerate(sections):
        for question in section.questions:
            rows = [index.get(word, most_frequent) for word in question]
            if max(rows) < most_frequent:
                questions.append(rows)
                section_of.append(number)
    right = np.zeros((0, 2), bool)
    if questions:
        *asked_with, answers = np.array(questions).T
        # Few words make up many questions: each word's cosines are computed once.
        words, numbers = np.unique(np.stack(asked_with, axis=1), return_inverse=True)
        found = _answer(vectors[:most_frequent], jnp.asarray(words), jnp.asarray(numbers))
        right = np.asarray(found) == answers[:, None]
    scores = []
    for number, section in enumerate(sections):
        own = right[np.equal(section_of, number)]
        add, mul = own.sum(axis=0).tolist()
        missing = len(section.questions) - len(own)
        scores.append(AnalogyScore(section.name, add, mul, len(own), missing))
    return scores


def total(name: str, scores: Iterable[AnalogyScore]) -> AnalogyScore:
    """Adds up scores; each question has the same weight."""
    counts = np.array([score[1:] for score in scores], int).reshape(-1, 4)
    return AnalogyScore(name, *counts.sum(axis=0).tolist())


@jax.jit
def _answer(vectors: jax.Array, words: jax.Array, questions: jax.Array) -> jax.Array:
    """Finds the best answer to each question, the earliest among equals.

    Args:
      vectors: [V, D] possible answers.
      words: [U] int, distinct rows of `vectors`.
      questions: [B, 3] int in [0, U): a, b and c as positions in `words`.

    Returns:
      [B, 2] rows of `vectors`: by 3CosAdd and by 3CosMul.
    """
    rows, dim = vectors.shape
    chex.assert_shape(questions, (None, 3))
    directions = unit(vectors.astype(jnp.float32))
    tiles = -(-rows * words.size // _COSINES_AT_A_TIME)
    tile = -(-rows // tiles)
    padded = jnp.pad(directions, ((0, tiles * tile - rows), (0, 0)))

    def one_tile(start_and_rows: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        start, tile_rows = start_and_rows
        # GPUs would otherwise multiply in TF32 and confuse near neighbors.
        cosines = jnp.matmul(directions[words], tile_rows.T, precision=jax.lax.Precision.HIGHEST)
        ids = start + jnp.arange(tile)

        def one_question(question: jax.Array) -> tuple[jax.Array, jax.Array]:
            a, b, c = (cosines[word] for word in question)
            a01, b01, c01 = ((1 + x) / 2 for x in (a, b, c))
            barred = jnp.any(ids[None, :] == words[question][:, None], axis=0) | (ids >= rows)
            scores = jnp.stack([b - a + c, b01 * c01 / (a01 + 0.001)])  # [2, tile]
            scores = jnp.where(barred[None, :], -jnp.inf, scores)
            best = jnp.max(scores, axis=1)
            # argmax would do this more slowly: XLA's isn't vectorized on CPU.
            first = jnp.min(jnp.where(scores == best[:, None], ids[None, :], rows), axis=1)
            return best, first

        return jax.lax.map(one_question, questions)

    best, first = jax.lax.map(
        one_tile, (tile * jnp.arange(tiles), padded.reshape(tiles, tile, dim))
    )  # [tiles, B, 2]
    return jnp.take_along_axis(first, jnp.argmax(best, axis=0)[None], axis=0)[0]
