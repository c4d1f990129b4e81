"""What a run of window validity shows: windows held out with their scores, and neighbors."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.vocabulary import Vocabulary
from jaxemb.evaluation.neighbors import nearest
from jaxemb.evaluation.window_validity import window_validity
from jaxemb.methods.window_validity import step as training
from jaxemb.models import window_scorer
from jaxemb.sampling.noise import NoiseDistribution
from jaxemb.sampling.text import TextBatch, TextStream

# Windows that are shown, and neighbors of each word of the table.
SHOWN = 4
NEIGHBORS = 8
# A column each in the table: the first of these words that the vocabulary has, of a country, a
# religion, a console, a color, a verb and a unit. Technical English has others.
COLUMNS = (
    ("france", "germany", "float32"),
    ("jesus", "christianity", "sin"),
    ("xbox", "playstation", "rows"),
    ("reddish", "red", "first"),
    ("scratched", "smashed", "returned"),
    ("megabits", "kilometers", "seconds"),
)


class Scored(NamedTuple):
    """N windows, the same with a word switched, and what R says of them.

    Attributes:
      windows: [N, n] their words.
      others: [N] the random word of each, other than its own.
      real: [N] scores of the windows.
      switched: [N] with the random word.
    """

    windows: np.ndarray
    others: np.ndarray
    real: np.ndarray
    switched: np.ndarray


def score(
    key: jax.Array,
    step: training.Step,
    noise: NoiseDistribution,
    params: window_scorer.Params,
    stream: TextStream,
) -> Scored:
    """Scores each window of a text, and the same with a random word of its own.

    Args:
      key: the words are drawn from here.
      step: of the training.
      noise: what the words are drawn from.
      params: W and R.
      stream: the text, of groups as in training.
    """
    # As many random words as windows, so that each has another.
    step = step._replace(noise=step.size)
    draw = training.prepare(step, noise)

    @jax.jit
    def scores(key: jax.Array, batch: TextBatch) -> tuple[training.Example, training.Scores]:
        example = draw(key, batch)
        vectors = params["words"][example.ids]
        return example, training.scores(step, params["scorer"], vectors, example)

    steps = int(stream.epoch_steps.sum())
    parts = []
    for i, batch in enumerate(zip(*stream.batches(0, steps), strict=True)):
        example, found = jax.tree.map(
            np.asarray, scores(jax.random.fold_in(key, i), TextBatch(*batch))
        )
        own = np.tile(np.arange(step.size), step.groups)
        rows = np.flatnonzero(found.where[np.arange(own.size), own])
        group, start = np.divmod(rows, step.size)
        columns = start[:, None] + np.arange(step.window)[None]
        parts.append(
            Scored(
                example.ids[group[:, None], columns],
                example.ids[group, step.size + step.window - 1 + start],
                found.real[rows],
                found.switched[rows, own[rows]],
            )
        )
    return Scored(*map(np.concatenate, zip(*parts, strict=True)))


def judge(scored: Scored, vocabulary: Vocabulary, place: int) -> dict[str, float]:
    """Shows some windows, and how well all are told from switched ones.

    Args:
      scored: from `score`.
      vocabulary: its words.
      place: in the window, from 0, of the word that is switched.

    Returns:
      Figures for the summary.

    Raises:
      InputError: if there are fewer than two windows.
    """
    found = window_validity(scored.real, scored.switched)
    size = len(scored.real)
    print(f"of {size:,} windows held out:")
    for row in np.linspace(0, size - 1, SHOWN).astype(int):
        words = [vocabulary.words[i] for i in scored.windows[row]]
        print(f"  {scored.real[row]:7.2f}  {' '.join(words)}")
        words[place] = vocabulary.words[scored.others[row]].upper()
        print(f"  {scored.switched[row]:7.2f}  {' '.join(words)}")
    print(
        f"{found.ranked:.1%} score higher than with a word switched; {found.accuracy:.1%} of both "
        f"kinds called right; AUC {found.auc:.4f}"
    )
    return {
        "held_out_windows": size,
        "held_out_ranked": found.ranked,
        "held_out_accuracy": found.accuracy,
        "held_out_auc": found.auc,
        "held_out_threshold": found.threshold,
    }


def neighbors(vocabulary: Vocabulary, vectors: np.ndarray) -> str:
    """Returns a table of words and their nearest neighbors by cosine, a word a column."""
    known = [[word for word in column if word in vocabulary.ids][:1] for column in COLUMNS]
    # Of another language or field, the most frequent words.
    words = [word for column in known for word in column] or list(vocabulary.words[:6])
    ids = jnp.asarray(vocabulary.encode(words))
    table = jnp.asarray(vectors)
    count = min(NEIGHBORS, len(vocabulary) - 1)
    near, _ = nearest(table, table[ids], k=count, exclude=ids[:, None])
    columns = [
        [word.upper(), *(vocabulary.words[i] for i in row)]
        for word, row in zip(words, np.asarray(near), strict=True)
    ]
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    return "\n".join(lines)
