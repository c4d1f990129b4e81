"""Word vectors by GloVe: weighted least squares on the logarithms of counts (README row glove)."""

import dataclasses
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.sparse import csr_array

from jaxemb import memory
from jaxemb.data import cooccurrence
from jaxemb.data.sparse_counts import Pairs
from jaxemb.losses.glove import glove_loss
from jaxemb.methods.glove import step as training
from jaxemb.models import glove as model
from jaxemb.optim.rowwise import row_wise
from jaxemb.sampling.counted_pairs import PairStream
from jaxemb.training.state import TrainState

from .harness import command
from .harness.words import before_training as word_training
from .harness.words import counts as word_counts
from .harness.words import vectors as word_vectors

# Pairs at a time, of the loss of zeros.
BLOCK = 1 << 20
# Squared gradients that AdaGrad begins with, so that rare words, whose gradients are small, learn
# slowly; with a learning rate of 1, training explodes from 2 downwards. In the authors' program it
# is 1 of gradients that were multiplied by the learning rate, 0.05, before: 400 of their own, but
# of single pairs, which make more steps.
FIRST_SQUARES = 3.0


@dataclasses.dataclass(frozen=True)
class Config(word_training.Config):
    """Trains word vectors on co-occurrence counts; the defaults need no data.

    Writes vectors.txt, vocabulary.txt, map.html, map.png, metrics.jsonl, summary.json and
    checkpoints/ to --out. The same command again goes on where it was stopped.
    """

    window: int = 10
    """Neighbors that count, at most, to each side; one at distance d counts 1/d. Rarer words than
    --min-count are dropped first."""
    epochs: int = 8
    """Passes over the pairs."""
    x_max: float = 100.0
    """Pairs counted more often than this matter alike."""
    alpha: float = 0.75
    """Pairs counted less often matter in proportion to this power of their count."""
    learning_rate: float | None = None
    """Of AdaGrad, on the rows that a step touches; by default 1, or 100 / --dim if that is less,
    since a step changes a score by as many numbers as vectors are wide."""
    memory_limit: int = 1000
    """Megabytes that counting may take."""
    out: Path = Path("runs/glove")
    """Folder of the run."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "window", at_least=1, at_most=40)
        command.check_field(self, "x_max", above=0, at_most=1e12)
        command.check_field(self, "alpha", at_least=0, at_most=10)
        if self.learning_rate is not None:
            command.check_field(self, "learning_rate", above=0, at_most=10)
        command.check_field(self, "memory_limit", at_least=1)


def run(config: Config) -> None:
    """Counts, trains, evaluates and draws."""
    began = time.perf_counter()
    text = word_vectors.prepare(config, check=lambda text: check(config, text))
    if text is None:
        return
    vectors, figures = train(config, text, began)
    memory.give_back()
    title = f"{' + '.join(config.corpus)}: GloVe, {config.dim} wide"
    word_vectors.write(config, text.vocabulary, vectors, figures, title=title)


def pairs_of(config: Config, text: word_vectors.Text) -> Pairs:
    """Returns what is counted."""
    return cooccurrence.windows(text.corpus, text.vocabulary, window=config.window)


def check(config: Config, text: word_vectors.Text) -> None:
    """Refuses text that cannot be counted, and too small a memory."""
    word_counts.check_memory(pairs_of(config, text), config.memory_limit)


def train(
    config: Config, text: word_vectors.Text, began: float
) -> tuple[np.ndarray, dict[str, float]]:
    """Counts and trains.

    Returns:
      [V, D] the vectors, and figures for the summary.
    """
    counting = time.perf_counter()
    with word_counts.counted(pairs_of(config, text), config.out, config.memory_limit) as counts:
        counted = time.perf_counter() - counting
        print(f"{counts.nnz:,} different pairs of words counted in {counted:.1f} s")
        stream_key, base_key, init_key = jax.random.split(jax.random.key(config.seed), 3)
        step = training.Step(config.x_max, config.alpha)
        stream = PairStream(
            stream_key, counts, epochs=config.epochs, pieces=step.pieces, length=step.length
        )
        rate = config.learning_rate or min(1.0, 100 / config.dim)
        schedule = optax.constant_schedule(rate)
        optimizer = row_wise(optax.adagrad(schedule, initial_accumulator_value=FIRST_SQUARES))
        words = len(text.vocabulary)
        params = model.init(init_key, vocabulary=words, dim=config.dim)
        state = TrainState(
            jnp.zeros((), jnp.int32), base_key, params, optimizer.init(params["vectors"])
        )
        params, figures = word_training.train(
            config,
            text,
            state,
            training.prepare(vocabulary=words),
            training.update(step, optimizer, schedule),
            stream,
            first_loss=loss_of_zeros(config, counts),
            began=began,
            pairs=counts.nnz,
        )
        figures |= {"pairs": counts.nnz, "count_seconds": counted}
    return np.asarray(model.vectors(params)), figures


def loss_of_zeros(config: Config, counts: csr_array) -> float:
    """Returns the cost of vectors and biases that are 0."""

    @jax.jit
    def total(some: jax.Array) -> jax.Array:
        zeros = jnp.zeros((len(some), 1))
        return glove_loss(
            zeros, zeros, zeros[:, 0], zeros[:, 0], some, x_max=config.x_max, alpha=config.alpha
        ).sum()

    blocks = (counts.data[at : at + BLOCK] for at in range(0, counts.nnz, BLOCK))
    padded = (np.pad(block, (0, BLOCK - len(block))).astype(np.float32) for block in blocks)
    return sum(float(total(jnp.asarray(block))) for block in padded) / counts.nnz


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
