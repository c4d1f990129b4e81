"""What experiments.benchmarks.word2vec measures in a process of its own, beside training itself.

`python -m experiments.benchmarks.word2vec_child TASK JSON` prints its figures as a line of JSON.
Libraries are imported where they are needed, so that a process holds only those that it measures.
"""

import json
import lzma
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..harness.peak_memory import peak_mb


def train_gensim(
    text: str, *, data_dir: str | None, epochs: int, corpus_file: bool, **options: Any
) -> dict[str, float]:
    """Trains Gensim's Word2Vec.

    Args:
      text: path of plain text, a paragraph a line.
      data_dir: where the word sets lie that score the vectors; None leaves the scores out.
      epochs: passes over the text.
      corpus_file: let Gensim's threads read the file themselves, not through an iterator.
      **options: Word2Vec's.

    Returns:
      Seconds of train() alone, words (of the whole text) a second, peak memory up to its end, and
      the scores.
    """
    from gensim.models.word2vec import LineSentence, Word2Vec

    source = {"corpus_file": text} if corpus_file else {"corpus_iterable": LineSentence(text)}
    model = Word2Vec(**options)
    model.build_vocab(**source)
    began = time.perf_counter()
    model.train(
        **source,
        total_examples=model.corpus_count,
        total_words=model.corpus_total_words,
        epochs=epochs,
    )
    seconds = time.perf_counter() - began
    figures = {
        "seconds": seconds,
        "words_per_second": model.corpus_total_words * epochs / seconds,
        "words": model.corpus_total_words,
        "vocabulary": len(model.wv),
        "peak_mb": peak_mb(),
    }
    if data_dir is None:
        return figures
    import jax.numpy as jnp

    from jaxemb.evaluation.word_scores import evaluate

    # Gensim sorts its words by descending frequency, as evaluate expects.
    scores = evaluate(model.wv.index_to_key, jnp.asarray(model.wv.vectors), Path(data_dir)).scores
    return figures | scores


class _Lines:
    """The paragraphs of a compressed text as lists of words, as often as asked."""

    def __init__(self, path: str):
        self.path = path

    def __iter__(self) -> Iterator[list[str]]:
        with lzma.open(self.path, "rt", encoding="utf-8") as lines:
            for line in lines:
                if words := line.split():
                    yield words


def count_gensim(compressed: str, **options: Any) -> dict[str, float]:
    """Times Gensim's build_vocab on an .xz file; `options` are Word2Vec's."""
    from gensim.models.word2vec import Word2Vec

    model = Word2Vec(**options)
    began = time.perf_counter()
    model.build_vocab(corpus_iterable=_Lines(compressed))
    return {
        "seconds": time.perf_counter() - began,
        "words": model.corpus_total_words,
        "peak_mb": peak_mb(),
    }


def encode_jaxemb(corpus: str, *, data_dir: str, cache: str) -> dict[str, float]:
    """Times jaxemb's encoding of a named corpus into a cache folder."""
    from jaxemb.data.corpora import open_corpus
    from jaxemb.data.encode import encode

    began = time.perf_counter()
    encoded = encode(open_corpus([corpus], Path(data_dir)), Path(cache), progress=False)
    return {
        "seconds": time.perf_counter() - began,
        "words": encoded.words,
        "vocabulary": len(encoded.vocabulary),
        "peak_mb": peak_mb(),
    }


def describe_jaxemb() -> dict[str, Any]:
    """Tells on which device jaxemb runs, and which of its modules experiments.word2vec imports."""
    import jax

    import experiments.word2vec  # noqa: F401

    modules = sorted(name for name in sys.modules if name.split(".")[0] == "jaxemb")
    return {"device": jax.devices()[0].device_kind, "modules": modules}


TASKS = {
    task.__name__: task for task in (train_gensim, count_gensim, encode_jaxemb, describe_jaxemb)
}

if __name__ == "__main__":
    print(json.dumps(TASKS[sys.argv[1]](**json.loads(sys.argv[2]))))
