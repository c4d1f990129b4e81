"""Paragraph vectors of captions beside Gensim's Doc2Vec: another caption of the same picture.

    python -m experiments.benchmarks.paragraph_vectors

Both are trained on Multi30k's training captions alone, with the same settings, and infer the
vectors of the others. For each caption of each of the five sets, the other four are searched for
the caption of the same picture; the figures are means over these 20 pairs of sets.
"""

import dataclasses
import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from jaxemb import checks, data
from jaxemb.atomic import replacing
from jaxemb.data.captions import read_captions
from jaxemb.data.files import default_data_dir
from jaxemb.data.sets import multi30k
from jaxemb.data.tokenize import words
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.losses.distances import pairwise_cosine
from jaxemb.methods import paragraph_vectors

from ..harness import command
from ..harness.run_folder import write_json
from ..harness.tables import markdown

System = Literal["jaxemb", "gensim"]
Figures = dict[str, float]
KS = (1, 5, 10)
# What Gensim calls the models.
PEER: dict[str, dict[str, int]] = {
    "dbow": {"dm": 0, "dbow_words": 0},
    "dbow_words": {"dm": 0, "dbow_words": 1},
    "dm": {"dm": 1, "dm_mean": 1},
}


@dataclasses.dataclass(frozen=True)
class Config:
    """Measures jaxemb and Gensim on captions; writes table.md and summary.json to --out."""

    systems: tuple[System, ...] = ("jaxemb", "gensim")
    """Which, in this order."""
    split: Literal["val", "test_2016"] = "test_2016"
    """Captions that are searched; settings are chosen on val."""
    options: paragraph_vectors.Options = paragraph_vectors.Options()
    min_count: int = 5
    """Rarer words are left out."""
    threads: int = 2
    """Of Gensim; jaxemb takes all cores that the process may use."""
    seed: int = 0
    """Of both."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where the captions lie (or JAXEMB_DATA)."""
    out: Path = Path("runs/benchmarks/paragraph_vectors")
    """Folder of the figures."""

    def __post_init__(self):
        """Refuses values that can't be measured.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        checks.check_field(self, "threads", at_least=1)
        checks.check_field(self, "min_count", at_least=1)


def run(config: Config) -> None:
    """Measures each system, and writes the figures."""
    command.use_cache()
    train, asked = (
        [[words(caption) for caption in row] for row in read_captions(files)]
        for files in (
            multi30k.files(config.data_dir, split, "en") for split in ("train", config.split)
        )
    )
    documents = list(itertools.chain.from_iterable(train))
    queries = list(itertools.chain.from_iterable(asked))
    rows: list[list[str]] = []
    figures: Figures = {}
    measures: dict[str, Callable[..., Any]] = {"jaxemb": measure_jaxemb, "gensim": measure_gensim}
    model = config.options.model
    for system in config.systems:
        vectors, found = measures[system](config, documents, queries)
        found |= scores(vectors.reshape(len(asked), len(asked[0]), -1))
        figures |= {f"{system}_{name}": value for name, value in found.items()}
        recall = " / ".join(f"{100 * found[f'recall_at_{k}']:.1f}" for k in KS)
        numbers = ("words_per_second", "cpu_seconds", "infer_cpu_seconds")
        rows.append([model, system, recall, *(f"{found[name]:,.0f}" for name in numbers)])
        print(f"{model} of {system}: R@1/5/10 {recall}, {found}", flush=True)
    heading = ["model", "system", "R@1 / 5 / 10", "words/s", "CPU s", "CPU s of inference"]
    config.out.mkdir(parents=True, exist_ok=True)
    with replacing(config.out / "table.md") as part:
        part.write_text("\n".join(markdown(heading, rows)) + "\n")
    write_json(config.out / "summary.json", figures)


def scores(vectors: np.ndarray) -> Figures:
    """Returns the mean recall over ordered pairs of sets of captions, [N, sets, dim]."""
    sets = [np.ascontiguousarray(one) for one in np.swapaxes(vectors, 0, 1)]
    pictures = np.arange(len(vectors))
    found = [
        retrieval(one, pictures, others=(other, pictures), ks=KS, distance=pairwise_cosine).recall
        for one, other in itertools.permutations(sets, 2)
    ]
    return {f"recall_at_{k}": float(np.mean([recall[k] for recall in found])) for k in KS}


def measure_jaxemb(
    config: Config, documents: list[list[str]], queries: list[list[str]]
) -> tuple[np.ndarray, Figures]:
    """Trains and infers; words per second are without compilation, CPU seconds with it."""
    options = config.options
    text = data.from_tokens(documents, min_count=config.min_count)
    began = time.process_time()
    fitted = paragraph_vectors.fit(config.seed, text, options)
    trained = time.process_time()
    vectors = paragraph_vectors.encode(fitted, queries, key=config.seed)
    return vectors, {
        "words_per_second": text.corpus.words * options.epochs / fitted.history.seconds,
        "cpu_seconds": trained - began,
        "infer_cpu_seconds": time.process_time() - trained,
    }


def measure_gensim(
    config: Config, documents: list[list[str]], queries: list[list[str]]
) -> tuple[np.ndarray, Figures]:
    """Trains Doc2Vec with its own learning rate and infers."""
    from gensim.models.doc2vec import Doc2Vec, TaggedDocument

    options = config.options
    tagged = [TaggedDocument(document, [i]) for i, document in enumerate(documents)]
    began = time.process_time()
    model = Doc2Vec(
        vector_size=options.dim,
        window=options.window,
        min_count=config.min_count,
        sample=options.subsample,
        negative=options.negatives,
        epochs=options.epochs,
        workers=config.threads,
        seed=config.seed,
        **PEER[options.model],
    )
    model.build_vocab(tagged)
    start = time.perf_counter()
    model.train(tagged, total_examples=len(tagged), epochs=options.epochs)
    seconds = time.perf_counter() - start
    trained = time.process_time()
    vectors = np.array([model.infer_vector(query) for query in queries])
    return vectors, {
        "words_per_second": sum(map(len, documents)) * options.epochs / seconds,
        "cpu_seconds": trained - began,
        "infer_cpu_seconds": time.process_time() - trained,
    }


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
