"""Training runs and other processes that experiments.benchmarks.word2vec measures."""

import dataclasses
import json
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from jaxemb.data.corpora import open_corpus

from . import processes, texts
from .processes import Figures

if TYPE_CHECKING:  # it imports this module
    from .word2vec import Config

Runs = dict[str, Callable[[], Figures]]
Model = Literal["skipgram", "cbow"]
CorpusName = Literal["simplewiki", "enwiki"]


@dataclasses.dataclass
class Bench:
    """What the parts share.

    Attributes:
      config: the configuration.
      work: folder of texts, caches and the runs under way.
      words: length of the corpus.
      measured: training runs of this process by name, for parts that look at the same.
    """

    config: "Config"
    work: Path
    words: int = 0
    measured: dict[str, Figures] = dataclasses.field(default_factory=dict)

    @property
    def log(self) -> Path:
        """What the last child wrote to standard error."""
        return self.work / "log.txt"

    @property
    def environment(self) -> dict[str, str]:
        """Keeps children to a cache of their own."""
        return {"XDG_CACHE_HOME": str(self.work / "cache")}

    @property
    def encoded(self) -> Path:
        """Where children keep encoded corpora."""
        return self.work / "cache" / "jaxemb" / "encoded"


def train_gensim(bench: Bench, model: Model, epochs: int, *, wide: bool = False) -> Figures:
    """Trains Gensim in a child; its wide vectors aren't scored."""
    config = bench.config
    options = gensim_options(config, model) | {"alpha": config.gensim_learning_rate}
    if wide:
        options["vector_size"] = config.wide
    plain = bench.work / f"{config.corpus}.txt"
    return child(
        bench,
        "train_gensim",
        text=texts.write_plain(corpus_file(bench, config.corpus), plain),
        data_dir=None if wide else config.data_dir,
        epochs=epochs,
        corpus_file=config.gensim_corpus_file,
        **options,
    )


def gensim_options(config: "Config", model: Model) -> dict[str, Any]:
    """Returns the options of Gensim's Word2Vec."""
    return {
        "sg": int(model == "skipgram"),
        "vector_size": config.dim,
        "window": config.window,
        "negative": config.negatives,
        "min_count": config.min_count,
        "sample": config.subsample,
        "workers": config.threads,
        "seed": config.seed,
    }


def train_jaxemb(bench: Bench, model: Model, epochs: int, **flags: Any) -> Figures:
    """Trains jaxemb by its command; `flags` replace those that the configuration sets."""
    return run_jaxemb(bench, partial(jaxemb_command, bench.config, model, epochs, **flags))


def train_glove(bench: Bench) -> Figures:
    """Trains jaxemb's GloVe by its command, with its defaults."""
    return run_jaxemb(bench, partial(glove_command, bench.config))


def run_jaxemb(bench: Bench, command: Callable[..., list[str]]) -> Figures:
    """Runs a training command, given out = its folder, and returns its summary."""
    out = bench.work / "run"
    shutil.rmtree(out, ignore_errors=True)
    processes.run(command(out=out), log=bench.log, environment=bench.environment)
    summary = json.loads((out / "summary.json").read_text())
    shutil.rmtree(out)  # vectors of a large vocabulary fill a disk
    names = {"train_seconds": "seconds", "train_peak_memory_mb": "peak_mb"}
    return {names.get(name, name): value for name, value in summary.items()}


def jaxemb_command(config: "Config", model: Model, epochs: int, **flags: Any) -> list[str]:
    """Returns the command that trains jaxemb."""
    asked = {
        "corpus": config.corpus,
        "data_dir": config.data_dir,
        "model": model,
        "epochs": epochs,
        "dim": config.dim,
        "window": config.window,
        "negatives": config.negatives,
        "min_count": config.min_count,
        "subsample": config.subsample,
        "seed": config.seed,
    } | flags
    return processes.python("experiments.word2vec", *_words(asked))


def glove_command(config: "Config", *, out: Path) -> list[str]:
    """Returns the command that trains GloVe."""
    asked = {name: getattr(config, name) for name in ("corpus", "data_dir", "dim", "min_count")}
    return processes.python("experiments.glove", *_words(asked | {"seed": config.seed, "out": out}))


def _words(asked: dict[str, Any]) -> list[str]:
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in asked.items())
    return [word for pair in pairs for word in pair]


def start(bench: Bench, *, first: bool = False) -> Figures:
    """Times a training command from its start to its first step, then kills it.

    Args:
      bench: what the parts share.
      first: with no compiled program in the cache; otherwise with what the last start left there.

    Returns:
      The seconds, and as ready_seconds those that the command itself tells, without imports.
    """
    home, out = bench.work / "startup", bench.work / "run"
    if first:
        shutil.rmtree(home, ignore_errors=True)
        (home / "jaxemb").mkdir(parents=True)
        (home / "jaxemb" / "encoded").symlink_to(bench.encoded, target_is_directory=True)
    shutil.rmtree(out, ignore_errors=True)
    arguments = jaxemb_command(bench.config, "skipgram", bench.config.startup_epochs, out=out)
    seconds, ready = processes.time_until(
        r"ready after ([\d.]+) s",
        arguments,
        log=bench.log,
        environment={"XDG_CACHE_HOME": str(home)},
    )
    return {"seconds": seconds, "ready_seconds": float(ready[1])}


def run_python(bench: Bench, program: str) -> Figures:
    """Times a Python process from start to end."""
    began = time.perf_counter()
    processes.run([sys.executable, "-c", program], log=bench.log, environment=bench.environment)
    return {"seconds": time.perf_counter() - began}


def child(bench: Bench, task: str, **arguments: Any) -> Any:
    """Runs a task of word2vec_child and returns what it finds."""
    return processes.child(
        "experiments.benchmarks.word2vec_child",
        task,
        arguments,
        log=bench.log,
        environment=bench.environment,
    )


def encode(bench: Bench, corpus: CorpusName, data_dir: Path, cache: Path | None = None) -> Figures:
    """Encodes a corpus for the runs to come, outside their measurement, or into another cache."""
    flags = {"corpus": corpus, "data_dir": data_dir, "cache": cache or bench.encoded}
    return child(bench, "encode_jaxemb", **flags)


def corpus_file(bench: Bench, corpus: CorpusName) -> Path:
    """Returns the compressed text of a corpus."""
    (path,) = open_corpus([corpus], bench.config.data_dir).files
    return path


def bare_folder(bench: Bench, corpus: CorpusName) -> Path:
    """Returns a data folder without word sets, so that a run isn't scored."""
    return texts.link(corpus_file(bench, corpus), bench.work / "bare")


def prefix_folder(bench: Bench, millions: float) -> tuple[CorpusName, Path]:
    """Returns a corpus and a data folder that holds only its first words."""
    words = round(millions * 1e6)
    corpus: CorpusName = bench.config.corpus if words <= bench.words else "enwiki"
    source = corpus_file(bench, corpus)
    target = bench.work / f"{corpus}_{words}" / source.name
    return corpus, texts.write_prefix(source, target, words=words).parent
