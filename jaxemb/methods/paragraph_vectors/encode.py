"""Vectors of new documents, by words that are trained already."""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.data.tokenize import as_tokenizer
from jaxemb.errors import InputError
from jaxemb.methods.paragraph_vectors import objective
from jaxemb.methods.paragraph_vectors.fit import Fitted
from jaxemb.methods.paragraph_vectors.step import update_documents
from jaxemb.methods.word2vec.options import choose
from jaxemb.methods.word2vec.settings import Settings
from jaxemb.models import word2vec as model
from jaxemb.sampling.noise import NoiseDistribution
from jaxemb.sampling.subsampling import keep_probability
from jaxemb.sampling.text import TextBatch
from jaxemb.training.state import TrainState

# Words of a batch, each document's filled up to those of the longest.
BATCH_WORDS = 1 << 15


def encode(
    fitted: Fitted,
    documents: Iterable[str | Iterable[str]],
    *,
    epochs: int | None = None,
    key: jax.Array | int = 0,
    tokenizer: str | Callable[[str], Iterable[str]] = "words",
    keep_case: bool = False,
) -> np.ndarray:
    """Infers the vectors of documents that training didn't see; all words stay as they are.

    A document's vector doesn't depend on those beside it, up to rounding.

    Args:
      fitted: from `fit`.
      documents: N strings, which are split into words as `data.from_texts` does, or lists of words.
        Words that training didn't know are left out.
      epochs: passes over each document; None takes as many as in training.
      key: random key or seed; the same one gives the same bits.
      tokenizer: of strings, as for `data.from_texts`; the one of training.
      keep_case: of strings, as in training.

    Returns:
      [N, dim] float32.

    Raises:
      InputError: if a document has no known word, or documents are one string.

    Reference:
      Le and Mikolov 2014, arXiv:1405.4053, section 2.2 (the inference stage).
    """
    key = checks.as_key(key)
    options = fitted.options
    epochs = options.epochs if epochs is None else epochs
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise InputError(f"epochs must be a whole number of at least 1, found {epochs!r}")
    ids = _ids(fitted, documents, as_tokenizer(tokenizer, keep_case=keep_case).split)
    found = np.zeros((len(ids), options.dim), np.float32)
    settings = choose(options, objective, fitted.words)._replace(parts=1)
    words_help = options.model == "dm"
    if not words_help:
        settings = settings._replace(model="dbow", dtype="float32")
    noise = objective.source(settings, fitted.counts, options.noise_power)
    tables = {"output": jnp.asarray(fitted.params["output"])}
    words = jnp.asarray(fitted.vectors.vectors[: None if words_help else 0])
    keep = keep_probability(fitted.counts, words=fitted.words, threshold=options.subsample)
    draw_key, step_key, init_key = jax.random.split(key, 3)
    seed = [int(part) for part in jax.random.key_data(draw_key).ravel()]
    begin = model.init(init_key, vocabulary=1, dim=options.dim)["input"]
    rate = options.learning_rate or objective.DEFAULTS[options.model].learning_rate
    for chosen, length in _batches([len(some) for some in ids]):
        size = min(settings.size, length)
        one = settings._replace(size=size, block=min(settings.block, size))
        groups = _power(len(chosen))
        batches = _steps([ids[i] for i in chosen], keep, seed, epochs, one, length, groups)
        rows = range(len(words), len(words) + groups)
        inputs = jnp.concatenate([words, jnp.repeat(begin, groups, axis=0)])
        vectors = _infer(
            step_key,
            tables | {"input": inputs},
            noise,
            batches,
            rate,
            settings=one._replace(groups=groups),
            rows=rows,
            document_means=options.document_means,
        )
        found[chosen] = np.asarray(vectors)[: len(chosen)]
    return found


def _ids(fitted: Fitted, documents: Any, split: Callable[[str], Sequence[str]]) -> list[np.ndarray]:
    """Returns the known words of each document.

    Raises:
      InputError: naming documents without any.
    """
    if isinstance(documents, (str, bytes)):
        raise InputError("documents must be a list, found one string; [string] is a list of one")
    index = fitted.vectors.index
    found, lost = [], []
    for place, document in enumerate(documents):
        try:
            words = split(document) if isinstance(document, str) else list(document)
        except TypeError as error:
            raise InputError(
                f"document {place} must be a string or a list of words, found "
                f"{type(document).__name__}"
            ) from error
        found.append(np.array([index[word] for word in words if word in index], np.int32))
        if not found[-1].size:
            lost.append((place, " ".join(map(str, words))[:60]))
    if lost:
        raise InputError(
            f"{len(lost):,} of {len(found):,} documents have no word of the {len(index):,} that "
            f"training knew, so they have no vector; the first is document {lost[0][0]}, "
            f"{lost[0][1]!r}. Leave them out. Are tokenizer and case those of training?"
        )
    return found


def _power(number: int) -> int:
    """Returns the next power of two, so that few shapes are compiled."""
    return 1 << (number - 1).bit_length()


def _batches(lengths: Sequence[int]) -> Iterator[tuple[np.ndarray, int]]:
    """Yields documents of about the same length, and the length that they are filled up to."""
    filled = np.array([max(16, _power(length)) for length in lengths], int)
    for length in np.unique(filled):
        some = np.flatnonzero(filled == length)
        most = max(1, BATCH_WORDS // int(length))
        for start in range(0, len(some), most):
            yield some[start : start + most], int(length)


def _steps(
    ids: Sequence[np.ndarray],
    keep: np.ndarray,
    seed: Sequence[int],
    epochs: int,
    settings: Settings,
    length: int,
    groups: int,
) -> TextBatch:
    """Returns the batches of all steps: each document is a group, or several one after another."""
    known = np.full((groups, length), len(keep) - 1, np.int32)
    for row, some in zip(known, ids, strict=False):
        row[: len(some)] = some
    # The same draw for the same place in every document.
    draws = np.array(
        [
            np.random.Generator(np.random.SFC64([*seed, epoch])).random(length, np.float32)
            for epoch in range(epochs)
        ]
    )
    kept = draws[:, None] < keep[known]
    # Who has frequent words alone, and none of them in any pass, would stay where it began.
    kept |= ~kept.any(axis=(0, 2), keepdims=True) & (known < len(keep) - 1)
    order = np.argsort(~kept, axis=2, kind="stable")
    packed = np.take_along_axis(np.where(kept, known, len(keep) - 1), order, axis=2)
    margin = settings.window
    words = np.pad(packed, [(0, 0), (0, 0), (margin, margin)], constant_values=len(keep) - 1)
    parts = [
        words[:, :, start : start + settings.size + 2 * margin]
        for start in range(0, length, settings.size)
    ]
    every = np.stack(parts, axis=1).reshape(-1, groups, settings.size + 2 * margin)
    numbers = np.where(every < len(keep) - 1, np.arange(1, groups + 1)[:, None], -1)
    return TextBatch(every, numbers.astype(np.int32))


@functools.partial(jax.jit, static_argnames=("settings", "rows", "document_means"))
def _infer(
    key: jax.Array,
    tables: dict[str, jax.Array],
    noise: NoiseDistribution,
    batches: TextBatch,
    rate: float,
    *,
    settings: Settings,
    rows: range,
    document_means: float,
) -> jax.Array:
    """Returns the documents' vectors after all steps."""
    steps = len(batches.words)
    update = update_documents(
        settings,
        noise,
        lambda step: rate * (1 - (1 - 1e-4) * step.astype(jnp.float32) / steps),
        rows=rows,
        document_means=document_means,
    )
    zero = jnp.zeros((), jnp.int32)
    state = TrainState(zero, key, tables, dict.fromkeys(tables, zero))

    def take(step: jax.Array, state: TrainState) -> TrainState:
        return update(state, jax.tree.map(lambda leaf: leaf[step], batches))[0]

    return jax.lax.fori_loop(0, steps, take, state).params["input"][rows.start :]
