"""Word vectors by skip-gram or CBOW, with any of five objectives (README row word2vec)."""

import dataclasses
import math
import sys
import time
from pathlib import Path
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxemb.errors import InputError
from jaxemb.methods.subwords import step as subwords
from jaxemb.methods.word2vec import step as training
from jaxemb.methods.word2vec.gradients import Objective, Step
from jaxemb.models import subword_parts
from jaxemb.models import word2vec as model
from jaxemb.models.huffman import HuffmanTree, huffman_tree
from jaxemb.optim.rowwise import row_optimizer
from jaxemb.sampling.noise import NoiseDistribution, noise_distribution
from jaxemb.sampling.subsampling import keep_probability
from jaxemb.sampling.text import TextStream
from jaxemb.training.state import TrainState

from .harness import command
from .harness.words import training as word_training
from .harness.words import vectors as word_vectors


class Defaults(NamedTuple):
    """What suits an objective and a model."""

    shared_noise: int
    learning_rate: float


DEFAULTS = {
    "negative_sampling": {"skipgram": Defaults(32, 0.075), "cbow": Defaults(8, 0.2)},
    "nce": {"skipgram": Defaults(32, 0.075), "cbow": Defaults(8, 0.2)},
    "sampled_softmax": {"skipgram": Defaults(64, 0.07), "cbow": Defaults(32, 0.15)},
    "hierarchical_softmax": {"skipgram": Defaults(0, 0.07), "cbow": Defaults(0, 0.15)},
    "full_softmax": {"skipgram": Defaults(0, 0.03), "cbow": Defaults(0, 0.06)},
}
# The objectives that a flag means something to.
USED_BY = {
    "negatives": ("negative_sampling", "nce"),
    "shared_noise": ("negative_sampling", "nce", "sampled_softmax"),
    "noise_power": ("negative_sampling", "nce", "sampled_softmax"),
}


@dataclasses.dataclass(frozen=True)
class Config(word_training.Config):
    """Trains word vectors; the defaults, skip-gram with negative sampling, need no data.

    Writes vectors.txt, vocabulary.txt, map.html, map.png, metrics.jsonl, summary.json and
    checkpoints/ to --out. The same command again goes on where it was stopped.
    """

    model: Literal["skipgram", "cbow"] = "skipgram"
    """skipgram: a word predicts its neighbors; cbow: they predict it."""
    cbow_mean: bool = True
    """CBOW: average the neighbors rather than add them."""
    objective: Objective = "negative_sampling"
    """What training minimizes. full_softmax costs a score for each word of the vocabulary, so that
    it wants a small one: --max-vocab 2000, say."""
    window: int = 5
    """Neighbors that count, at most, to each side."""
    negatives: int = 5
    """Noise words per prediction, of negative sampling and NCE."""
    shared_noise: int = 0
    """Noise words that 64 neighboring words share to make up for these; 0 takes 32 for skip-gram
    and 8 for CBOW, which predicts less. More are slower and hardly better. Sampled softmax has no
    others, shared by 32 words; there 0 takes 64 and 32."""
    subsample: float = 1e-3
    """Relative frequency from which on occurrences are dropped; 0 keeps all."""
    noise_power: float = 0.75
    """Noise words are drawn in proportion to this power of their counts."""
    learning_rate: float | None = None
    """At the start; it falls linearly to nearly 0. None takes 0.075 for skip-gram and 0.2 for
    CBOW, whose gradients a mean has made smaller; for softmax 0.07 and 0.15, for a full one 0.03
    and 0.06."""
    optimizer: Literal["sgd", "adagrad", "adam"] = "sgd"
    """Applied to the rows that a step touches."""
    out: Path = Path("runs/word2vec")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "negatives", at_least=1)
        for field in dataclasses.fields(self):
            objectives = USED_BY.get(field.name, (self.objective,))
            if self.objective not in objectives and getattr(self, field.name) != field.default:
                raise InputError(
                    f"--{field.name.replace('_', '-')} means nothing to {self.objective}, only to "
                    f"{' and '.join(objectives)}"
                )
        command.check_field(self, "shared_noise", at_least=0)
        # A program's size grows with it: 100 takes a quarter of a minute to compile.
        command.check_field(self, "window", at_least=1, at_most=100)
        command.check_field(self, "subsample", at_least=0, at_most=1)
        # Beyond, powers of large counts overflow.
        command.check_field(self, "noise_power", at_least=0, at_most=10)
        if self.learning_rate is not None:
            command.check_field(self, "learning_rate", above=0, at_most=10)


def run(config: Config) -> None:
    """Trains, evaluates and draws."""
    began = time.perf_counter()
    text = word_vectors.prepare(config)
    if text is None:
        return
    vocabulary = text.vocabulary
    tables, figures = train(config, text, began)
    del text
    vectors = np.asarray(tables["input"])
    del tables
    word_vectors.give_memory_back()
    title = f"{' + '.join(config.corpus)}: {config.model}, {config.dim} wide"
    word_vectors.write(config, vocabulary, vectors, figures, title=title)


def train(
    config: Config, text: word_vectors.Text, began: float, parts: subword_parts.Parts | None = None
) -> tuple[model.Params, dict[str, float]]:
    """Trains the tables.

    Args:
      config: the experiment's.
      text: the corpus.
      began: when the run began, by `time.perf_counter`.
      parts: what each word's vector is composed of; None if of the word's row alone.

    Returns:
      The tables and the figures of the training.
    """
    corpus, vocabulary = text
    defaults = DEFAULTS[config.objective][config.model]
    # Of the scores of a group's ways only those within windows count.
    size = {"hierarchical_softmax": 8, "sampled_softmax": 32}.get(config.objective, 64)
    step = Step(
        config.model,
        config.window,
        config.negatives,
        mean=config.cbow_mean,
        groups=(4096 if corpus.words > 1_000_000 else 1024) // size,  # a short text has few steps
        size=size,
        block=min(16, size),
        noise=config.shared_noise or defaults.shared_noise,
        objective=config.objective,
        dtype=jnp.bfloat16 if config.objective == "negative_sampling" else jnp.float32,
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
    rate = config.learning_rate or defaults.learning_rate
    schedule = optax.linear_schedule(rate, rate * 1e-4, steps)
    optimizer = row_optimizer(config.optimizer, schedule)
    params, source, first_loss = start(config, step, vocabulary.counts, init_key)
    if parts is None:
        opt_state = {name: optimizer.init(table) for name, table in params.items()}
        update = training.update(step, optimizer, schedule)
    else:
        params["input"] = model.init(init_key, vocabulary=parts.rows, dim=config.dim)["input"]
        opt_state = {}
        update = subwords.update(step, parts, schedule)
    state = TrainState(jnp.zeros((), jnp.int32), base_key, params, opt_state)
    del params
    return word_training.train(
        config,
        text,
        state,
        training.prepare(step, source),
        update,
        stream,
        first_loss=first_loss,
        began=began,
    )


def start(
    config: Config, step: Step, counts: np.ndarray, key: jax.Array
) -> tuple[model.Params, NoiseDistribution | HuffmanTree | None, float]:
    """Returns what an objective begins with: tables, what it draws from, the loss of guessing."""
    params = model.init(key, vocabulary=len(counts), dim=config.dim)
    if config.objective == "hierarchical_softmax":
        return model.with_inner_nodes(params), huffman_tree(counts), math.log(len(counts))
    if config.objective == "full_softmax":
        return model.with_biases(params, counts), None, math.log(len(counts))
    noise = noise_distribution(counts, power=config.noise_power)
    if config.objective == "sampled_softmax":
        return model.with_biases(params, counts), noise, math.log(1 + step.noise)
    # Each word a coin toss.
    tosses = (1 + config.negatives) * math.log(2)
    if config.objective == "nce":
        return model.with_biases(params, counts), noise, tosses
    return params, noise, tosses


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
