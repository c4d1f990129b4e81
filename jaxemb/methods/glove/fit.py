"""GloVe: counting, the start, and the whole training."""

import sys
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy.sparse import csr_array

from jaxemb import checks
from jaxemb.data import Text, cooccurrence, sparse_counts
from jaxemb.data.pairs import Pairs
from jaxemb.data.text import check_text
from jaxemb.errors import InputError
from jaxemb.io import WordVectors
from jaxemb.kernels.parts import PARTS
from jaxemb.losses.glove import glove_loss
from jaxemb.methods.glove.options import Options
from jaxemb.methods.glove.step import update
from jaxemb.models import glove as model
from jaxemb.optim.rowwise import row_wise
from jaxemb.sampling.counted_pairs import PairStream
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training, TrainState, Unit

# Pairs at a time of the loss at chance level.
_BLOCK = 1 << 20
# Pairs to train on above which a step in parts repays its compilation.
_LONG = 10_000_000
# Steps of a compiled call: long enough to hide its start, short enough for a live progress bar.
_CALL_STEPS = 128


class Fitted(NamedTuple):
    """What a training gives.

    Attributes:
      vectors: of the words, the sum of both tables without the biases (section 4.2 of the paper).
      params: {"vectors": [2V, dim + 1]}, rows of words, then rows of contexts; the bias is last.
      pairs: different pairs of words with a count.
      options: of the training.
      history: how it went.
    """

    vectors: WordVectors
    params: dict[str, np.ndarray]
    pairs: int
    options: Options
    history: History = History()


def check(text: Text, options: Options | None = None) -> None:
    """Refuses text that cannot be counted with these options.

    Raises:
      InputError: if the text is shorter than a window, or memory_limit too small.
    """
    options = checks.as_options(options, Options)
    sparse_counts.check_memory(_pairs(text, options), options.memory_limit * 1_000_000)


def count(
    text: Text,
    options: Options | None = None,
    *,
    folder: Path | None = None,
    progress: bool = False,
) -> csr_array:
    """Counts which words come together how often, for one training or several.

    Args:
      text: the text.
      options: window, weighting and memory_limit matter.
      folder: existing one that gets the counts' files; they must stay as long as the counts are
        used. None takes one among the system's temporary files, removed with the counts.
      progress: whether to show a bar on standard error.

    Returns:
      [V, V] float64 symmetric, on disk.

    Raises:
      InputError: as `check` does.
      OSError: if the files cannot be written.
    """
    options = checks.as_options(options, Options)
    pairs = _pairs(text, options)
    limit = options.memory_limit * 1_000_000
    return sparse_counts.count(pairs, folder, memory_limit=limit, progress=progress)


def start(
    key: Any, text: Text, options: Options | None = None, *, counts: csr_array | None = None
) -> Training:
    """Prepares a training.

    Args:
      key: random key, or a seed.
      text: the text.
      options: the defaults if None.
      counts: [V, V] symmetric, from `count` or one's own; None counts the text.

    Returns:
      The training.

    Raises:
      InputError: if the text cannot be counted, or counts are not symmetric or not of the
        vocabulary's size.
    """
    options = checks.as_options(options, Options)
    check_text(text)
    words = len(text.vocabulary)
    counts = count(text, options) if counts is None else counts
    if counts.shape != (words, words):
        raise InputError(
            f"counts must be of {words:,} x {words:,} words, those of the vocabulary, found "
            f"{counts.shape[0]:,} x {counts.shape[1]:,}"
        )
    stream_key, base_key, init_key = jax.random.split(checks.as_key(key), 3)
    stream = PairStream(
        stream_key, counts, epochs=options.epochs, pieces=options.pieces, length=options.length
    )
    steps = int(stream.epoch_steps.sum())
    schedule = optax.constant_schedule(options.rate)
    squares = jnp.asarray(np.tile(first_squares(counts, options), 2)[:, None], jnp.float32)
    optimizer = row_wise(optax.adagrad(schedule, initial_accumulator_value=squares))
    params = model.init(init_key, vocabulary=words, dim=options.dim, scale=options.init_scale)

    def finish(state: TrainState) -> Fitted:
        vectors = WordVectors(text.vocabulary.words, np.asarray(model.vectors(state.params)))
        params = jax.tree.map(np.asarray, state.params)
        return Fitted(vectors, params, int(counts.nnz), options)

    return Training(
        TrainState(jnp.zeros((), jnp.int32), base_key, params, optimizer.init(params["vectors"])),
        steps,
        stream.batches,
        update(
            options,
            vocabulary=words,
            optimizer=optimizer,
            learning_rate=schedule,
            parts=PARTS if counts.nnz * options.epochs > _LONG else 1,
        ),
        finish,
        chance_loss=loss_of_zeros(counts, options),
        call_steps=_CALL_STEPS,
        unit=Unit("pairs", counts.nnz * options.epochs / steps),
        about=options,
    )


def fit(
    key: Any,
    text: Text,
    options: Options | None = None,
    *,
    run: Run | None = None,
    counts: csr_array | None = None,
) -> Fitted:
    """Trains word vectors by weighted least squares on the logarithms of counts.

    Args:
      key: random key, or a seed.
      text: the text.
      options: the defaults if None.
      run: checkpoints, log and progress; None has none.
      counts: [V, V] symmetric, from `count` or one's own; None counts the text.

    Returns:
      Vectors and tables.

    Raises:
      InputError: as `start` does, and if the training diverges or no checkpoint can be used.
      OSError: if a file cannot be written.

    Reference:
      Pennington, Socher & Manning 2014, "GloVe: Global Vectors for Word Representation".
    """
    if counts is None:
        shown = None if run is None else run.progress
        progress = sys.stderr.isatty() if shown is None else shown
        counts = count(text, options, progress=progress)
    return loop.fit(start(key, text, options, counts=counts), run)


def loss_of_zeros(counts: csr_array, options: Options) -> float:
    """Computes the cost of vectors and biases that are 0, the loss at chance level."""

    @jax.jit
    def total(some: jax.Array) -> jax.Array:
        zeros = jnp.zeros((len(some), 1))
        return glove_loss(
            zeros, zeros, zeros[:, 0], zeros[:, 0], some, x_max=options.x_max, alpha=options.alpha
        ).sum()

    blocks = (counts.data[at : at + _BLOCK] for at in range(0, counts.nnz, _BLOCK))
    padded = (np.pad(block, (0, _BLOCK - len(block))).astype(np.float32) for block in blocks)
    return sum(float(total(jnp.asarray(block))) for block in padded) / counts.nnz


def first_squares(counts: csr_array, options: Options) -> np.ndarray:
    """Returns the sums of squared gradients [V] with which AdaGrad starts, as the options say."""
    words = counts.shape[0]
    if options.first_squares is not None:
        return np.full(words, options.squares)
    weight = np.zeros(words)
    for at in range(0, counts.nnz, _BLOCK):
        some = counts.data[at : at + _BLOCK]
        # How many of these pairs each row has.
        share = np.diff(np.clip(counts.indptr, at, at + len(some)))
        weights = np.where(some > 0, np.minimum(1, (some / options.x_max) ** options.alpha), 0)
        weight += np.bincount(np.repeat(np.arange(words), share), weights, minlength=words)
    steps = -(-np.diff(counts.indptr) // options.length)  # of an epoch that a row is in
    return np.maximum(options.squares, (weight / np.maximum(steps, 1)) ** 2)


def _pairs(text: Text, options: Options) -> Pairs:
    check_text(text)
    return cooccurrence.windows(
        text.corpus, text.vocabulary, window=options.window, weighting=options.weighting
    )
