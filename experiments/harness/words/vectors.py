"""What all experiments that make word vectors share: their text, their scores, their files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.data.vocabulary import Vocabulary
from jaxemb.memory import give_back
from jaxemb.progress import phase

from .. import run_folder
from ..maps import drawing
from ..maps.drawing import lay_out

MAP_WORDS = 5000
# The first of these that the vocabulary has are shown with their neighbors.
SHOWN = ("array", "sin", "mean", "red", "thread", "json", "frog", "france", "king", "music")


class Common(Protocol):
    """What a run has: `command.Common`, or a configuration with these fields."""

    @property
    def seed(self) -> int:
        """Of the map."""

    @property
    def data_dir(self) -> Path:
        """Where sets of words lie."""

    @property
    def out(self) -> Path:
        """Folder of the run."""


def write(
    common: Common,
    vocabulary: Vocabulary,
    vectors: np.ndarray,
    figures: Mapping[str, float],
    *,
    title: str,
) -> None:
    """Writes vectors.txt, map.html, map.png and summary.json, and prints scores and neighbors.

    Args:
      common: the run's.
      vocabulary: V words.
      vectors: [V, D] float32 finite, D at least 2.
      figures: for the summary; beside them go the scores. Pictures and files of the experiment's
        own are to be written before: the summary says that the run is finished.
      title: heading of the map.

    Raises:
      InputError: if a vector is not finite or a set's file has a bad row.
      OSError: if a file cannot be written.
    """
    out = common.out
    with phase("writing vectors.txt"):
        # Plotting and evaluation libraries load slowly, and only now are they needed.
        from jaxemb import io
        from jaxemb.evaluation.neighbors import nearest
        from jaxemb.evaluation.word_scores import evaluate
        from jaxemb.plots import word_map

        io.write(out / "vectors.txt", vocabulary.words, vectors)
    table = jnp.asarray(vectors)
    with phase("scoring the vectors"):
        scores, report = evaluate(vocabulary.words, table, common.data_dir)
    for word in [word for word in SHOWN if word in vocabulary.ids][:6]:
        query = table[vocabulary.ids[word]][None]
        count = min(5, len(vocabulary) - 1)
        near = nearest(table, query, k=count, exclude=jnp.array([[vocabulary.ids[word]]]))[0]
        print(f"  {word:>10}: {', '.join(vocabulary.words[i] for i in np.asarray(near)[0])}")
    if report:
        print(f"\n{report}")

    jax.clear_caches()  # programs that are done with
    give_back()
    size = min(MAP_WORDS, len(vocabulary))
    points = lay_out(jax.random.key(common.seed), vectors[:size])
    words, title = vocabulary.words[:size], f"{title}, by t-SNE"
    drawing.write_page(
        out,
        points,
        vectors[:size],
        metric="cosine",
        names=words,
        total=len(vocabulary),
        counts=vocabulary.counts[:size],
        title=title,
    )
    with phase("drawing map.png"):
        word_map.write_png(out / "map.png", words, points, total=len(vocabulary), title=title)
    run_folder.finish(out, {**figures, **scores})
