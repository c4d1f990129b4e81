"""Sentences as averages of word vectors, trained on pairs: captions, translations, your own.

    python -m experiments.sentences

Two busy cores of an AMD EPYC, 3.1 minutes: Recall@1 0.522.
"""

import dataclasses
import itertools
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
import tyro

from jaxemb import checks, data, io
from jaxemb.data.captions import read_captions
from jaxemb.data.dictionaries import read_dictionary
from jaxemb.data.files import file_sha256
from jaxemb.data.sets import multi30k
from jaxemb.data.tokenize import words
from jaxemb.errors import InputError
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.evaluation.translation import retrieve
from jaxemb.io.static_model import write_static_model
from jaxemb.methods import sentences, sif, word2vec
from jaxemb.models.averages import Averages
from jaxemb.progress import phase

from .harness import command, run_folder
from .harness.maps import drawing
from .harness.matching import training as harness

# The line of the table in README.md, of entries of summary.json.
FIGURE = "Recall@1 {recall_at_1:.3f}"

KS = (1, 5, 10)
SIDES = ("static_first", "static_second")
# Sentences whose nearest ones are shown, and how many of these.
SHOWN, NEAREST = 4, 3
# Pairs of one's own that are held out, and how many at most: a thousand make a fair search.
HELD_OUT, MOST_HELD_OUT = 0.1, 1000
# Sentences of the map, at most.
DRAWN = 5000


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains averages of word vectors on pairs of sentences that belong together.

    Judged on sentences never seen: is the nearest of a thousand the one that belongs to it? Beside
    it stand, where both sides are of one language, averages of vectors that word2vec learns on the
    same sentences, plain and weighed (SIF). Writes model/ (for jaxemb predict and jaxemb.io.load),
    static/ (for model2vec and sentence-transformers; of two languages a folder each), map.html,
    map.png, metrics.jsonl, summary.json and checkpoints/ to --out. The same command again goes on
    where it was stopped.
    """

    pairs: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Two sentences a line, a tab between them; quotes mean nothing, and what follows a second tab
    is left alone. A tenth is held out. None: the data set of --task; words are then shared or not
    as that needs."""
    task: Literal["captions", "translations"] = "captions"
    """captions: five of each picture, in English; translations: of one each."""
    language: Literal["de", "fr", "cs"] = "de"
    """That translations are into."""
    split: Literal["test_2016_flickr", "test_2017_flickr", "val"] = "test_2016_flickr"
    """Of translations, to judge by; val is for choosing settings."""
    options: sentences.Options = sentences.Options()
    common: command.Common = command.Common(out=Path("runs/sentences"))

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)


# What the test of this script runs.
SMOKE = Config(
    options=sentences.Options(dim=8, iterations=300, batch=16, learning_rate=0.05, min_count=1)
)


class Task(NamedTuple):
    """What is learned and judged."""

    files: list[Path]
    pairs: list[tuple[str, str]]
    tests: list[list[str]]  # K sides of M sentences; the i-th of each belong together
    shared: bool


def run(config: Config) -> None:
    """Reads, trains, judges and shows."""
    command.use_cache()
    task = read(config)
    options = dataclasses.replace(config.options, shared=task.shared)
    # Before anything is written: it refuses what cannot be trained on.
    training = sentences.start(config.common.seed, task.pairs, options)
    out = config.common.out
    sha256 = {str(file): file_sha256(file) for file in task.files}
    if not run_folder.open_run(out, config, sha256):
        return
    print(f"{len(task.pairs):,} pairs; searched among {len(task.tests[0]):,} sentences")
    fitted: sentences.Fitted = harness.run(config.common, training)
    io.save(out / "model", fitted)
    for name, side in zip(("static",) if task.shared else SIDES, fitted.model, strict=False):
        write_static_model(out / name, io.WordVectors(side.words, side.vectors))
    models = {"trained": (fitted.model.first, fitted.model.second)}
    seconds = {"trained": fitted.history.seconds}
    if task.shared:
        for name, model, took in baselines(config, task.pairs):
            models[name], seconds[name] = (model, model), took
    figures: dict[str, object] = {"seconds": fitted.history.seconds, "pairs": len(task.pairs)}
    print(f"{'':>10}   R@1   R@5  R@10  seconds")
    for name, sides in models.items():
        recall, unknown = judge(sides, task.tests)
        prefix = "" if name == "trained" else f"{name}_"
        figures |= {f"{prefix}recall_at_{k}": value for k, value in recall.items()}
        told = f"; {unknown} without a known word find nothing" if unknown else ""
        cells = " ".join(f"{recall[k]:5.3f}" for k in KS)
        print(f"{name:>10} {cells} {seconds[name]:8.0f}{told}")
    show(fitted.model, task)
    draw(config, fitted.model, task)
    run_folder.finish(out, figures)


def read(config: Config) -> Task:
    """Returns the pairs to learn from and those to judge by."""
    data_dir = config.common.data_dir
    if config.pairs is not None:
        return own(config.pairs, config.options.shared, config.common.seed)
    if config.task == "translations":
        languages = ("en", config.language)
        splits = [
            multi30k.translations(data_dir, split, languages) for split in ("train", config.split)
        ]
        rows, test = (read_captions(paths, wordless=True) for paths in splits)
        pairs = [(first, second) for first, second in rows if words(first) and words(second)]
        if len(pairs) < len(rows):
            print(f"{len(rows) - len(pairs)} pairs are left out: a side has no word")
        return Task(sum(splits, []), pairs, [list(side) for side in zip(*test, strict=True)], False)
    split = "val" if config.split == "val" else "test_2016"
    splits = [multi30k.files(data_dir, name, "en") for name in ("train", split)]
    rows, test = (read_captions(paths) for paths in splits)
    pairs = [pair for row in rows for pair in itertools.combinations(row, 2)]
    return Task(sum(splits, []), pairs, [list(side) for side in zip(*test, strict=True)], True)


def own(path: Path, shared: bool, seed: int) -> Task:
    """Returns pairs of one's own, some of them held out, with all that have a sentence of theirs.

    Raises:
      InputError: if the file holds no pairs, or too few.
    """
    pairs = read_dictionary(path)
    order = np.random.default_rng(seed).permutation(len(pairs))
    held = order[: min(MOST_HELD_OUT, int(HELD_OUT * len(pairs)))]
    if len(held) < 2:
        raise InputError(f"{path}: needs 20 pairs, to hold out two, found {len(pairs)}")
    # The first with a sentence: one that has two partners would be found half the time.
    firsts, seconds = set(), set()
    test = []
    for first, second in (pairs[i] for i in held):
        if first not in firsts and second not in seconds:
            test.append((first, second))
        firsts.add(first)
        seconds.add(second)
    rest = [(a, b) for a, b in pairs if a not in firsts and b not in seconds]
    left_out = len(pairs) - len(rest) - len(test)
    if not rest:
        raise InputError(
            f"{path}: all other pairs share a sentence with the {len(test)} that are held out; are "
            f"few sentences repeated in these {len(pairs):,} pairs?"
        )
    if left_out:
        print(f"{left_out:,} pairs are left out: they share a sentence with those held out")
    return Task([path], rest, [list(side) for side in zip(*test, strict=True)], shared)


def baselines(
    config: Config, pairs: Sequence[tuple[str, str]]
) -> list[tuple[str, Averages, float]]:
    """Returns averages of what word2vec learns on the sentences, plain and weighed."""
    texts = different(pairs)
    began = time.monotonic()
    vectors = learn_words(config.common.seed, texts, config.options)
    learned = time.monotonic() - began
    plain = average(vectors)
    weighed = sif.fit(texts, vectors).model
    return [("average", plain, learned), ("sif", weighed, time.monotonic() - began)]


def different(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Returns the different sentences of pairs."""
    return list(dict.fromkeys(text for pair in pairs for text in pair))


def learn_words(seed: int, texts: list[str], options: sentences.Options) -> io.WordVectors:
    """Learns word vectors from sentences by word2vec."""
    with phase("learning word vectors by word2vec"):
        text = data.from_texts(texts, min_count=options.min_count)
        return word2vec.fit(seed, text, word2vec.Options(dim=options.dim, epochs=5)).vectors


def average(vectors: io.WordVectors) -> Averages:
    """Returns plain averages of word vectors."""
    return Averages(vectors.words, vectors.vectors, np.zeros((0, vectors.vectors.shape[1]), "f4"))


def judge(sides: tuple[Averages, Averages], tests: list[list[str]]) -> tuple[dict[int, float], int]:
    """Searches each side for the partners of each other one.

    Returns:
      Shares of sentences whose partner is among the k nearest, means over all ordered pairs of
      sides; and how many sentences have no known word, whose partners count as not found.
    """
    models = [sides[min(i, 1)] for i in range(len(tests))]
    vectors = [
        sif.encode(model, texts, unknown="nan") for model, texts in zip(models, tests, strict=True)
    ]
    unknown = sum(int(np.isnan(side[:, 0]).sum()) for side in vectors)
    labels = np.arange(len(tests[0]))
    found = []
    for first, second in itertools.permutations(vectors, 2):
        asked, there = (~np.isnan(side[:, 0]) for side in (first, second))
        good = asked & there
        scores = retrieval(first[good], labels[good], others=(second[there], labels[there]), ks=KS)
        found.append([scores.recall[k] * good.mean() for k in KS])
    return dict(zip(KS, np.mean(found, axis=0).tolist(), strict=True)), unknown


def show(model: sentences.Model, task: Task) -> None:
    """Prints some sentences with those nearest to them; = marks what belongs to them."""
    first, second = (
        sif.encode(side, texts, unknown="nan")
        for side, texts in zip(model, (task.tests[0], task.tests[-1]), strict=True)
    )
    k = min(NEAREST, len(second))
    chosen = np.unique(np.linspace(0, len(first) - 1, SHOWN).astype(int))
    found = retrieve(
        jnp.nan_to_num(first[chosen]), jnp.nan_to_num(jnp.asarray(second)), k=k, by="nearest"
    )
    for query, ids, cosines in zip(chosen, found.ids, found.scores, strict=True):
        print(f"\n  {task.tests[0][query]}")
        for row, cosine in zip(ids, cosines, strict=True):
            print(f"    {cosine:.3f} {'=' if row == query else ' '} {task.tests[-1][row]}")
    print()


def draw(config: Config, model: sentences.Model, task: Task) -> None:
    """Draws the sentences judged by in one map."""
    sides = (task.tests[:1] if task.shared else task.tests)[:2]
    every = [(text, side) for side, texts in enumerate(sides) for text in texts[:DRAWN]]
    vectors = np.concatenate(
        [
            sif.encode(own, texts[:DRAWN], unknown="nan")
            for own, texts in zip(model, sides, strict=False)
        ]
    )
    known = ~np.isnan(vectors[:, 0])
    names = [text for (text, _), there in zip(every, known, strict=True) if there]
    labels = None if task.shared else np.array([side for _, side in every])[known]
    classes = () if task.shared else ("first", "second")
    vectors = vectors[known]
    drawing.draw_space(
        config.common,
        vectors,
        names=names,
        labels=labels,
        classes=classes,
        title="Sentences by what they say, by t-SNE",
    )


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
