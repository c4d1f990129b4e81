"""Word vectors by skip-gram or CBOW with negative sampling (README row word2vec)."""

import contextlib
import ctypes
import dataclasses
import json
import math
import resource
import sys
import time
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import tyro

from experiments import command, run_folder
from jaxemb.data import vocabulary as vocabularies
from jaxemb.data.corpora import default_data_dir, open_corpus
from jaxemb.data.encode import encode
from jaxemb.data.encoded_corpus import EncodedCorpus
from jaxemb.data.vocabulary import Vocabulary
from jaxemb.errors import InputError
from jaxemb.models import word2vec as model
from jaxemb.optim.rowwise import row_optimizer
from jaxemb.progress import progress_bar
from jaxemb.sampling.noise import noise_distribution
from jaxemb.sampling.subsampling import keep_probability
from jaxemb.sampling.text import TextStream
from jaxemb.training import checkpoint, loop
from jaxemb.training import word2vec as training
from jaxemb.training.state import TrainState

# Steps of a compiled call: long enough to hide its start, short enough for a live progress bar.
CALL_STEPS = 128
MAP_WORDS = 5000
MAP_NEIGHBOURS = 10
# The first of these that the vocabulary has are shown with their neighbours.
SHOWN = ("array", "sin", "mean", "red", "thread", "json", "frog", "france", "king", "music")


class Defaults(NamedTuple):
    """What suits a model."""

    shared_noise: int
    learning_rate: float


DEFAULTS = {"skipgram": Defaults(32, 0.07), "cbow": Defaults(8, 0.15)}


@dataclasses.dataclass(frozen=True)
class Config:
    """Trains word vectors with negative sampling; the defaults need no data.

    Writes vectors.txt, vocabulary.txt, map.html, map.png, metrics.jsonl, summary.json and
    checkpoints/ to --out. The same command again goes on where it was stopped.
    """

    corpus: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME|PATH")] = ("pydocs",)
    """pydocs, text8, simplewiki, enwiki, or text files or folders (a document a line)."""
    model: Literal["skipgram", "cbow"] = "skipgram"
    """skipgram: a word predicts its neighbours; cbow: they predict it."""
    cbow_mean: bool = True
    """CBOW: average the neighbours rather than add them."""
    objective: Literal["negative_sampling"] = "negative_sampling"
    """What training minimises."""
    dim: int = 100
    """Width of the vectors."""
    window: int = 5
    """Neighbours that count, at most, to each side."""
    negatives: int = 5
    """Noise words per prediction."""
    shared_noise: int = 0
    """Noise words that 32 neighbouring words share to make up for these; 0 takes 32 for skip-gram
    and 8 for CBOW, which predicts less."""
    epochs: int = 10
    """Passes over the corpus."""
    min_count: int = 5
    """Rarer words are left out."""
    max_vocab: int = 0
    """Words at most; 0 for no limit."""
    subsample: float = 1e-3
    """Relative frequency from which on occurrences are dropped; 0 keeps all."""
    noise_power: float = 0.75
    """Noise words are drawn in proportion to this power of their counts."""
    learning_rate: float | None = None
    """At the start; it falls linearly to nearly 0. None takes 0.07 for skip-gram and 0.15 for CBOW,
    whose gradients a mean has made smaller."""
    optimizer: Literal["sgd", "adagrad", "adam"] = "sgd"
    """Applied to the rows that a step touches."""
    seed: int = 0
    """Same seed, same bits."""
    checkpoint_every: int = 0
    """Training steps between checkpoints; 0: at the end only."""
    data_dir: Path = dataclasses.field(default_factory=default_data_dir)
    """Where data sets lie (or JAXEMB_DATA)."""
    out: Path = Path("runs/word2vec")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        for name in ("negatives", "epochs", "min_count"):
            command.check_field(self, name, at_least=1)
        for name in ("shared_noise", "max_vocab", "checkpoint_every"):
            command.check_field(self, name, at_least=0)
        # A map has two dimensions.
        command.check_field(self, "dim", at_least=2, at_most=1 << 20)
        # A program's size grows with it: 100 takes a quarter of a minute to compile.
        command.check_field(self, "window", at_least=1, at_most=100)
        command.check_field(self, "subsample", at_least=0, at_most=1)
        # Beyond, powers of large counts overflow.
        command.check_field(self, "noise_power", at_least=0, at_most=10)
        # JAX drops further bits silently.
        command.check_field(self, "seed", at_least=0, at_most=(1 << 32) - 1)
        if self.learning_rate is not None:
            command.check_field(self, "learning_rate", above=0, at_most=10)
        if not self.corpus:
            raise InputError("--corpus needs at least one name or path")


def run(config: Config) -> None:
    """Trains, evaluates and draws."""
    began = time.perf_counter()
    cache = command.use_cache()
    corpus = encode(open_corpus(config.corpus, config.data_dir), cache / "encoded", progress=True)
    vocabulary = vocabularies.truncate(
        corpus.vocabulary, min_count=config.min_count, max_size=config.max_vocab or None
    )
    if len(vocabulary) < 2:
        raise InputError(
            f"only the word {vocabulary.words[0]!r} is left, two are needed; is min_count = "
            f"{config.min_count} too large, or max_vocab = {config.max_vocab} too small?"
        )
    if len(corpus.documents) == corpus.words:
        raise InputError(
            f"{' + '.join(config.corpus)}: every document is a single word, so none has "
            "neighbours; each line of a text file is a document"
        )
    run_folder.open_run(config.out, config, corpus.sha256)
    if (config.out / "summary.json").exists():
        print(f"{config.out} holds this run, finished:")
        print((config.out / "summary.json").read_text(), end="")
        return
    vocabulary.save(config.out / "vocabulary.txt")

    vectors, figures = train(config, corpus, vocabulary, began)
    del corpus
    _give_memory_back()
    write_results(config, vocabulary, vectors, figures)


def train(
    config: Config, corpus: EncodedCorpus, vocabulary: Vocabulary, began: float
) -> tuple[np.ndarray, dict[str, float]]:
    """Trains the tables.

    Returns:
      [V, D] the input vectors, and the figures of the training.
    """
    step = training.Step(
        config.model,
        config.window,
        config.negatives,
        mean=config.cbow_mean,
        noise=config.shared_noise or DEFAULTS[config.model].shared_noise,
    )
    stream_key, base_key, init_key = jax.random.split(jax.random.key(config.seed), 3)
    keep = keep_probability(vocabulary.counts, words=corpus.words, threshold=config.subsample)
    stream = TextStream(
        stream_key,
        corpus.read,
        corpus.words,
        corpus.documents,
        keep,
        epochs=config.epochs,
        groups=step.groups,
        size=step.size,
        margin=step.window,
    )
    steps = int(stream.epoch_steps.sum())
    if steps == 0:
        raise InputError(
            f"subsampling left none of {corpus.words:,} words; raise --subsample from "
            f"{config.subsample:g} or set it to 0"
        )
    rate = config.learning_rate or DEFAULTS[config.model].learning_rate
    schedule = optax.linear_schedule(rate, rate * 1e-4, steps)
    optimizer = row_optimizer(config.optimizer, schedule)
    params = model.init(init_key, vocabulary=len(vocabulary), dim=config.dim)
    state = TrainState(
        jnp.zeros((), jnp.int32),
        base_key,
        params,
        {name: optimizer.init(table) for name, table in params.items()},
    )
    del params
    checkpoints = config.out / "checkpoints"
    if (held := checkpoint.restore(checkpoints, state)) is not None:
        for complaint in held.rejected:
            print(complaint, file=sys.stderr)
        state = held.state
        print(f"going on from step {held.step:,} of {steps:,}")
    resumed = int(state.step)
    metrics_path = config.out / "metrics.jsonl"
    run_folder.cut_metrics(metrics_path, resumed)

    call_steps = min(CALL_STEPS, steps)
    call = loop.compile_steps(
        training.prepare(
            step,
            noise_distribution(vocabulary.counts, power=config.noise_power),
        ),
        training.update(step, optimizer, schedule),
        state,
        stream.batches(0, call_steps),
    )
    _give_memory_back()
    words_per_step = corpus.words * config.epochs / steps
    ready = time.perf_counter() - began
    print(
        f"{corpus.words:,} words, {len(vocabulary):,} different ones with count >= "
        f"{config.min_count}, {steps:,} steps; ready after {ready:.1f} s"
    )
    with (
        progress_bar(
            total=round(words_per_step * steps),
            initial=round(words_per_step * resumed),
            unit=" words",
            unit_scale=True,
        ) as bar,
        metrics_path.open("a") as metrics_file,
    ):

        def report(done: int, metrics: loop.Metrics, seconds: float) -> None:
            loss = float(metrics["loss"].mean())
            rate = words_per_step * (done - resumed) / seconds
            bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
            bar.update(round(words_per_step * done) - bar.n)
            line = {
                "step": done,
                "loss": loss,
                "learning_rate": float(metrics["learning_rate"][-1]),
                "words_per_second": rate,
            }
            metrics_file.write(json.dumps(line) + "\n")
            metrics_file.flush()

        outcome = loop.train(
            state,
            call,
            stream.batches,
            steps=steps,
            call_steps=call_steps,
            checkpoints=checkpoints,
            checkpoint_every=config.checkpoint_every,
            report=report,
            # Output vectors start as zeros, so that every score is 0.
            first_loss=(1 + config.negatives) * math.log(2),
        )
    if outcome.stopped is not None:
        print(f"stopped at step {int(outcome.state.step):,}; the same command goes on from there")
        sys.exit(128 + outcome.stopped)
    final_loss = [json.loads(line)["loss"] for line in metrics_path.read_text().splitlines()][-10:]
    trained = words_per_step * (steps - resumed)
    figures = {
        "words": corpus.words,
        "vocabulary": len(vocabulary),
        "steps": steps,
        "ready_seconds": ready,
        "train_seconds": outcome.seconds,
        "words_per_second": trained / outcome.seconds if trained else math.nan,
        "final_loss": float(np.mean(final_loss)),
    }
    return np.asarray(outcome.state.params["input"]), figures


def _give_memory_back() -> None:
    """Returns to the system what the compiler has freed, some 100 MB; glibc has to be asked."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def write_results(
    config: Config, vocabulary: Vocabulary, vectors: np.ndarray, figures: dict[str, float]
) -> None:
    """Writes vectors, scores and maps, and tells about them."""
    # Plotting and evaluation libraries load slowly, and only now are they needed.
    from jaxemb import io
    from jaxemb.evaluation.neighbours import nearest
    from jaxemb.evaluation.word_scores import evaluate
    from jaxemb.plots import word_map

    out = config.out
    io.write(out / "vectors.txt", vocabulary.words, vectors)
    table = jnp.asarray(vectors)
    scores, report = evaluate(vocabulary.words, table, config.data_dir)
    speed = figures["words_per_second"]
    told = "" if math.isnan(speed) else f", {speed:,.0f} words/s"
    print(f"\nloss {figures['final_loss']:.3f}{told}")
    for word in [word for word in SHOWN if word in vocabulary.ids][:6]:
        query = table[vocabulary.ids[word]][None]
        near = nearest(table, query, k=5, exclude=jnp.array([[vocabulary.ids[word]]]))[0]
        print(f"  {word:>10}: {', '.join(vocabulary.words[i] for i in np.asarray(near)[0])}")
    if report:
        print(f"\n{report}")

    jax.clear_caches()  # programs that are done with
    _give_memory_back()
    size = min(MAP_WORDS, len(vocabulary))
    shown = table[:size]
    count = min(MAP_NEIGHBOURS, size - 1)
    ids, cosines = nearest(shown, shown, k=count, exclude=jnp.arange(size)[:, None])
    points = lay_out(jax.random.key(config.seed), vectors[:size])
    words = vocabulary.words[:size]
    word_map.write_html(
        out / "map.html",
        words,
        points,
        np.asarray(ids),
        np.asarray(cosines),
        counts=vocabulary.counts[:size],
        title=f"{' + '.join(config.corpus)}: {config.model}, {config.dim} wide, by t-SNE",
    )
    word_map.write_png(out / "map.png", words, points)
    # Kilobytes on Linux, bytes on macOS.
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    run_folder.write_json(out / "summary.json", figures | scores | {"peak_memory_mb": peak})
    print("wrote", ", ".join(sorted(str(path) for path in out.iterdir())))


def lay_out(key: jax.Array, vectors: np.ndarray) -> np.ndarray:
    """Returns places in a map, [N, 2], near one another where the cosine is large: by t-SNE.

    Fewer than ten words have too few neighbours for it and are laid out by PCA.
    """
    if len(vectors) < 10:
        from jaxemb.factorize import pca

        table = jnp.asarray(vectors)
        return np.asarray(pca.transform(pca.fit(table, components=2), table))
    from jaxemb.training import tsne

    perplexity = min(30.0, (len(vectors) - 1) / 3.5)
    return tsne.fit(key, vectors, metric="cosine", perplexity=perplexity).embedding


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
