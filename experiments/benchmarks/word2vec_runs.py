"""Training runs and other processes that experiments.benchmarks.word2vec measures."""

import dataclasses
import json
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from jaxemb import checks
from jaxemb.data.corpora import open_corpus
from jaxemb.data.files import default_data_dir
from jaxemb.errors import InputError

from . import processes, texts
from .processes import Figures

Runs = dict[str, Callable[[], Figures]]
Model = Literal["skipgram", "cbow"]
CorpusName = Literal["simplewiki", "enwiki"]


@dataclasses.dataclass(frozen=True)
class Setting:
    """What is measured, and how often."""

    corpus: CorpusName = "simplewiki"
    """Trained on in all parts; where scaling needs a longer one, enwiki."""
    threads: int = 2
    """Cores that all processes are kept to; Gensim starts as many workers."""
    dim: int = 100
    """Width of the vectors."""
    wide: int = 300
    """Their width in the part wide."""
    window: int = 5
    """Neighbors that count, at most, to each side."""
    negatives: int = 5
    """Noise words per prediction."""
    min_count: int = 5
    """Rarer words are left out."""
    subsample: float = 1e-3
    """Relative frequency from which on occurrences are dropped."""
    epochs: int = 5
    """Of the long skip-gram runs; the others take one."""
    gensim_learning_rate: float = 0.025
    """Gensim's own default."""
    gensim_corpus_file: bool = False
    """Let Gensim's threads read the text themselves rather than through LineSentence."""
    quality_epochs: tuple[int, ...] = (2, 3, 4)
    """Passes within which jaxemb may reach the scores of Gensim's long run; the fewest count."""
    startup_epochs: int = 5
    """Passes of the run that is started: jaxemb plans all of them before the first step."""
    sizes: tuple[float, ...] = (1, 4, 10, 17, 40)
    """Lengths of the corpora in the part scaling, in millions of words."""
    vocabularies: tuple[int, ...] = (10_000, 40_000, 100_000, 400_000)
    """Most words of the vocabularies in the part scaling, with a count of at least 1."""
    vocabulary_corpus: CorpusName = "enwiki"
    """What has these vocabularies."""
    repeats: int = 1
    """Times that each training run is measured; medians count."""
    short_repeats: int = 5
    """The same for encoding, start-up and imports."""
    seed: int = 0
    """Of all runs; Gensim's threads differ from run to run all the same."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where data sets lie (or JAXEMB_DATA)."""

    def __post_init__(self):
        """Refuses values that can't be measured.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("threads", "epochs", "repeats", "short_repeats", "startup_epochs"):
            checks.check_field(self, name, at_least=1)
        for name in ("sizes", "vocabularies", "quality_epochs"):
            if not all(value > 0 for value in getattr(self, name)):
                raise InputError(f"{name} must be positive")


@dataclasses.dataclass
class Bench:
    """What the parts share.

    Attributes:
      setting: what is measured.
      work: folder of texts, caches and the runs under way.
      words: length of the corpus.
      measured: training runs of this process by name, for parts that look at the same.
    """

    setting: Setting
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
    setting = bench.setting
    options = gensim_options(setting, model) | {"alpha": setting.gensim_learning_rate}
    if wide:
        options["vector_size"] = setting.wide
    plain = bench.work / f"{setting.corpus}.txt"
    return child(
        bench,
        "train_gensim",
        text=texts.write_plain(corpus_file(bench, setting.corpus), plain),
        data_dir=None if wide else setting.data_dir,
        epochs=epochs,
        corpus_file=setting.gensim_corpus_file,
        **options,
    )


def gensim_options(setting: Setting, model: Model) -> dict[str, Any]:
    """Returns the options of Gensim's Word2Vec."""
    return {
        "sg": int(model == "skipgram"),
        "vector_size": setting.dim,
        "window": setting.window,
        "negative": setting.negatives,
        "min_count": setting.min_count,
        "sample": setting.subsample,
        "workers": setting.threads,
        "seed": setting.seed,
    }


def train_jaxemb(bench: Bench, model: Model, epochs: int, **flags: Any) -> Figures:
    """Trains jaxemb by its command; `flags` replace those that the configuration sets."""
    return run_jaxemb(bench, partial(jaxemb_command, bench.setting, model, epochs, **flags))


def train_glove(bench: Bench) -> Figures:
    """Trains jaxemb's GloVe by its command, with its defaults."""
    return run_jaxemb(bench, partial(glove_command, bench.setting))


def run_jaxemb(bench: Bench, command: Callable[..., list[str]]) -> Figures:
    """Runs a training command, given out = its folder, and returns its summary."""
    out = bench.work / "run"
    shutil.rmtree(out, ignore_errors=True)
    processes.run(command(out=out), log=bench.log, environment=bench.environment)
    summary = json.loads((out / "summary.json").read_text())
    shutil.rmtree(out)  # vectors of a large vocabulary fill a disk
    names = {"train_seconds": "seconds", "train_peak_memory_mb": "peak_mb"}
    return {names.get(name, name): value for name, value in summary.items()}


def jaxemb_command(setting: Setting, model: Model, epochs: int, **flags: Any) -> list[str]:
    """Returns the command that trains jaxemb."""
    asked = {
        "corpus": setting.corpus,
        "data_dir": setting.data_dir,
        "model": model,
        "epochs": epochs,
        "dim": setting.dim,
        "window": setting.window,
        "negatives": setting.negatives,
        "min_count": setting.min_count,
        "subsample": setting.subsample,
        "seed": setting.seed,
    } | flags
    return processes.python("experiments.word2vec", *_words(asked))


def glove_command(setting: Setting, *, out: Path) -> list[str]:
    """Returns the command that trains GloVe."""
    asked = {name: getattr(setting, name) for name in ("corpus", "data_dir", "dim", "min_count")}
    return processes.python(
        "experiments.glove", *_words(asked | {"seed": setting.seed, "out": out})
    )


def _words(asked: dict[str, Any]) -> list[str]:
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in asked.items())
    return [word for pair in pairs for word in pair]


def start(bench: Bench, *, first: bool = False) -> Figures:
    """Times a training command from its start to its first call's end, then kills it.

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
    arguments = jaxemb_command(bench.setting, "skipgram", bench.setting.startup_epochs, out=out)
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
    (path,) = open_corpus([corpus], bench.setting.data_dir).files
    return path


def bare_folder(bench: Bench, corpus: CorpusName) -> Path:
    """Returns a data folder without word sets, so that a run isn't scored."""
    return texts.link(corpus_file(bench, corpus), bench.work / "bare")


def prefix_folder(bench: Bench, millions: float) -> tuple[CorpusName, Path]:
    """Returns a corpus and a data folder that holds only its first words."""
    words = round(millions * 1e6)
    corpus: CorpusName = bench.setting.corpus if words <= bench.words else "enwiki"
    source = corpus_file(bench, corpus)
    target = bench.work / f"{corpus}_{words}" / source.name
    return corpus, texts.write_prefix(source, target, words=words).parent
