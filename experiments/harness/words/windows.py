"""What a run of window validity prints: windows held out with their scores, and neighbors."""

import jax.numpy as jnp
import numpy as np

from jaxemb.data.vocabulary import Vocabulary
from jaxemb.evaluation.neighbors import nearest
from jaxemb.evaluation.window_validity import window_validity
from jaxemb.methods.window_validity import HeldOut

# Windows that are shown, and neighbors of each word of the table.
SHOWN = 4
NEIGHBORS = 8
# Columns of the table: of each line the first word that the vocabulary has; the last of each is one
# of technical English.
COLUMNS = (
    ("france", "germany", "float32"),
    ("jesus", "christianity", "sin"),
    ("xbox", "playstation", "rows"),
    ("reddish", "red", "first"),
    ("scratched", "smashed", "returned"),
    ("megabits", "kilometers", "seconds"),
)


def evaluate(scored: HeldOut, vocabulary: Vocabulary, place: int) -> dict[str, float]:
    """Prints some windows, and how well all are told from switched ones.

    Args:
      scored: from `jaxemb.methods.window_validity.evaluate`.
      vocabulary: its words.
      place: in the window, from 0, of the word that is switched.

    Returns:
      Figures for the summary.

    Raises:
      InputError: if there are fewer than two windows.
    """
    found = window_validity(scored.real, scored.switched)
    size = len(scored.real)
    print(f"{size:,} windows held out, some of them with their scores:")
    for row in np.linspace(0, size - 1, SHOWN).astype(int):
        words = [vocabulary.words[i] for i in scored.windows[row]]
        print(f"  {scored.real[row]:7.2f}  {' '.join(words)}")
        words[place] = vocabulary.words[scored.others[row]].upper()
        print(f"  {scored.switched[row]:7.2f}  {' '.join(words)}")
    print(
        f"real window scores higher: {found.ranked:.1%}; accuracy {found.accuracy:.1%}; AUC "
        f"{found.auc:.4f}"
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
    # Another language or field has none of them: its most frequent words.
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
