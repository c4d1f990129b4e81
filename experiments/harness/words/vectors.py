"""What all experiments that make word vectors share: their text, their scores, their files."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from jaxemb.data import Text, open_text
from jaxemb.data.files import default_data_dir
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.errors import InputError
from jaxemb.memory import give_back

from .. import command, run_folder

MAP_WORDS = 5000
MAP_NEIGHBORS = 10
# The first of these that the vocabulary has are shown with their neighbors.
SHOWN = ("array", "sin", "mean", "red", "thread", "json", "frog", "france", "king", "music")


@dataclasses.dataclass(frozen=True)
class Config:
    """The fields of all word vectors; an experiment adds its own."""

    corpus: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME|PATH")] = ("pydocs",)
    """pydocs, text8, simplewiki, enwiki, or text files or folders (a document a line)."""
    dim: int = 100
    """Width of the vectors."""
    min_count: int = 5
    """Rarer words are left out."""
    max_vocab: int = 0
    """Words at most; 0 for no limit."""
    phrases: int = 0
    """Times that pairs of words which often come together are joined to one, new_york; 2 finds
    phrases of up to four words."""
    phrase_threshold: float = 100.0
    """How many times as frequent as by chance such a pair is."""
    phrase_discount: int = 5
    """Occurrences of a pair that don't count."""
    seed: int = 0
    """Same seed, same bits."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where data sets lie (or JAXEMB_DATA)."""
    out: Path = Path("runs/words")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no vectors can use.

        Raises:
          InputError: naming the field.
        """
        if not self.corpus:
            raise InputError("--corpus needs at least one name or path")
        command.check_field(self, "min_count", at_least=1)
        for name in ("max_vocab", "phrases", "phrase_discount"):
            command.check_field(self, name, at_least=0)
        command.check_field(self, "phrase_threshold", at_least=0, at_most=1e12)
        # A map has two dimensions.
        command.check_field(self, "dim", at_least=2, at_most=1 << 20)
        command.check_seed(self)


def prepare(config: Config, *, check: Callable[[Text], None] = lambda text: None) -> Text | None:
    """Reads the text, opens the run's folder and writes vocabulary.txt.

    Args:
      config: the experiment's.
      check: refuses text that the experiment cannot use, by an InputError. It comes before the
        folder is made: what is mended may go into the same.

    Returns:
      The text; None if the folder holds this run, finished, which is then shown.

    Raises:
      InputError: if the text cannot be read, has too few words or no neighbors, doesn't pass the
        check, or the folder holds something else.
    """
    command.use_cache()
    text = open_text(
        config.corpus,
        data_dir=config.data_dir,
        min_count=config.min_count,
        max_vocab=config.max_vocab or None,
        phrases=config.phrases,
        phrase_threshold=config.phrase_threshold,
        phrase_discount=config.phrase_discount,
        progress=True,
    )
    check(text)
    if not run_folder.open_run(config.out, config, text.corpus.sha256):
        return None
    text.vocabulary.save(config.out / "vocabulary.txt")
    return text


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
    # Plotting and evaluation libraries load slowly, and only now are they needed.
    from jaxemb import io
    from jaxemb.evaluation.neighbors import nearest
    from jaxemb.evaluation.word_scores import evaluate
    from jaxemb.plots import word_map

    out = common.out
    io.write(out / "vectors.txt", vocabulary.words, vectors)
    table = jnp.asarray(vectors)
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
    shown = table[:size]
    count = min(MAP_NEIGHBORS, size - 1)
    ids, cosines = nearest(shown, shown, k=count, exclude=jnp.arange(size)[:, None])
    points = lay_out(jax.random.key(common.seed), vectors[:size])
    words = vocabulary.words[:size]
    word_map.write_html(
        out / "map.html",
        words,
        points,
        np.asarray(ids),
        np.asarray(cosines),
        counts=vocabulary.counts[:size],
        title=f"{title}, by t-SNE",
    )
    word_map.write_png(out / "map.png", words, points)
    run_folder.finish(out, {**figures, **scores})


def lay_out(key: jax.Array, vectors: np.ndarray) -> np.ndarray:
    """Returns places in a map, [N, 2], near one another where the cosine is large: by t-SNE.

    Fewer than ten words have too few neighbors for it and are laid out by PCA.
    """
    if len(vectors) < 10:
        from jaxemb.factorize import pca

        table = jnp.asarray(vectors)
        return np.asarray(pca.transform(pca.fit(table, components=2), table))
    from jaxemb.methods import tsne

    perplexity = min(30.0, (len(vectors) - 1) / 3.5)
    return tsne.fit(key, vectors, tsne.Options(perplexity, metric="cosine")).embedding
