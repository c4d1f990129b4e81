"""PV-DBOW and PV-DM: what a document and its words predict, and the gradients of that.

Rows of the table "input" are the V words, then the D documents: a document is one more vector that
predicts. "output" has the words alone.
"""

import jax
import jax.numpy as jnp

from jaxemb.kernels.grouped import GroupedGradients
from jaxemb.kernels.negative_sampling import cbow_gradients, skipgram_gradients
from jaxemb.methods.word2vec.grouped import in_groups
from jaxemb.methods.word2vec.objectives.negative_sampling import chance_loss, source
from jaxemb.methods.word2vec.prediction import blocks, hidden_vectors
from jaxemb.methods.word2vec.settings import (
    Defaults,
    Example,
    Gradients,
    Params,
    Scale,
    Scales,
    Settings,
)
from jaxemb.methods.word2vec.step import damping
from jaxemb.sampling.noise import NoiseDistribution, sample_noise
from jaxemb.sampling.text import TextBatch
from jaxemb.sampling.windows import window_reach

__all__ = ["DEFAULTS", "chance_loss", "example", "gradients", "source"]

DEFAULTS = {
    "dbow": Defaults(0.075, noise=8),
    "dbow_words": Defaults(0.075, noise=32, dtype="bfloat16"),
    "dm": Defaults(0.2, noise=8, dtype="bfloat16"),
}


def example(
    key: jax.Array,
    settings: Settings,
    source: NoiseDistribution,
    batch: TextBatch,
    rows: range,
    most_means: float,
) -> Example:
    """Draws windows and noise words for a step.

    Args:
      key: random key.
      settings: of the step.
      source: of the noise words.
      batch: text; documents are numbered from 1.
      rows: of the documents in the table "input", its last ones.
      most_means: multiple of its mean gradient by which a document moves in a step at most.

    Returns:
      The input of the step. The last S inputs of a group are the document of each of its words;
      `targets` is a factor on the damped gradients of these.
    """
    window_key, noise_key = jax.random.split(key)
    words, numbers = jnp.asarray(batch.words), jnp.asarray(batch.documents)
    middle = slice(settings.window, settings.window + settings.size)
    center, number = words[:, middle], numbers[:, middle]
    vocabulary = source.share.size
    document = jnp.where(number > 0, rows.start - 1 + number, rows.stop)
    left, right = window_reach(window_key, numbers, window=settings.window)
    known = jnp.where(words < vocabulary, words, rows.stop)
    predicted = center
    if settings.model == "dbow":
        inputs, seen = document, document
    elif settings.model == "dbow_words":
        inputs = jnp.concatenate([known[:, middle], document], axis=1)
        seen, predicted = inputs, words
    else:
        inputs = jnp.concatenate([blocks(settings, known), document], axis=1)
        seen = jnp.concatenate([known, document], axis=1)
    noise = sample_noise(noise_key, source, (settings.groups, settings.noise))
    # A short document has all of its gradients of an epoch in one step: damped as words are, it
    # would hardly move. One that lies in several groups moves no further.
    often = jnp.sum(number[:, :, None] == number[:, None, :], axis=-1)
    undamped = damping(settings, often) * jnp.minimum(1, most_means / often.astype(jnp.float32))
    return Example(
        inputs,
        blocks(settings, words) if settings.model == "dbow_words" else center,
        left,
        right,
        {"input": seen, "output": jnp.concatenate([predicted, noise], axis=1)},
        noise,
        undamped,
    )


def gradients(settings: Settings, example: Example, tables: Params, scale: Scale) -> Gradients:
    """Computes the gradients of a step."""
    return in_groups(_of_groups, settings, example, tables, scale)


def _of_groups(
    settings: Settings, example: Example, tables: Params, scales: Scales
) -> tuple[jax.Array, GroupedGradients]:
    """Computes the gradients of some groups, as `word2vec.grouped` wants them."""
    size = settings.size
    inputs = tables["input"][example.inputs]
    words, documents = inputs[:, :-size].astype(settings.dtype), inputs[:, -size:]
    to_words, to_documents = scales.inputs[:, :-size], scales.inputs[:, -size:] * example.targets
    outputs, noise = tables["output"][example.outputs], tables["output"][example.noise]
    present = example.inputs[:, -size:] < len(tables["input"])
    if settings.model == "dm":
        summed, to_inputs = hidden_vectors(
            settings._replace(cbow_mean=False),
            example._replace(inputs=example.inputs[:, :-size]),
            words,
            to_words,
        )
        share = 1 / (1 + (example.left + example.right)[..., None].astype(jnp.float32))
        share = share if settings.cbow_mean else jnp.ones_like(share)
        hidden = (summed + documents) * share
        found = cbow_gradients(
            hidden,
            outputs,
            noise,
            present,
            scales.outputs,
            scales.noise,
            negatives=settings.negatives,
        )
        to_hidden = found.hidden * share
        changes = jnp.concatenate(
            [to_inputs(to_hidden), to_hidden * to_documents[..., None]], axis=1
        )
        return changes, found._replace(held=(inputs, outputs, noise, hidden, *found.held))
    alone = settings.model == "dbow"
    # A document predicts each word once, so that few noise words do, as of CBOW.
    few = slice(None if alone else DEFAULTS["dbow"].noise)
    found = cbow_gradients(
        documents,
        outputs if alone else _middle(settings, outputs),
        noise[:, few],
        present,
        scales.outputs if alone else _middle(settings, scales.outputs),
        scales.noise[:, few],
        negatives=settings.negatives,
    )
    changes = found.hidden * to_documents[..., None]
    if alone:
        return changes, found._replace(held=(documents, outputs, noise, *found.held))
    near, far = outputs.astype(settings.dtype), noise.astype(settings.dtype)
    beside = skipgram_gradients(
        words,
        near,
        far,
        example.left,
        example.right,
        to_words,
        scales.outputs,
        scales.noise,
        margin=settings.window,
        negatives=settings.negatives,
    )
    around = settings.window
    to_center = found.outputs.reshape(-1, settings.block, found.outputs.shape[-1])
    to_center = jnp.pad(to_center, [(0, 0), (around, around), (0, 0)]).reshape(outputs.shape)
    return jnp.concatenate([beside.hidden, changes], axis=1), GroupedGradients(
        beside.hidden,
        beside.outputs + to_center,
        beside.loss + found.loss,
        beside.predictions + found.predictions,
        jax.tree.map(lambda all, some: all.at[:, few].add(some), beside.noise, found.noise),
        (inputs, outputs, noise, near, far, words, *beside.held, *found.held),
    )


def _middle(settings: Settings, of_blocks: jax.Array) -> jax.Array:
    """Returns what belongs to a group's own words, [G, S, ...], of blocks with their margins."""
    words = settings.block + 2 * settings.window
    cut = of_blocks.reshape(len(of_blocks), -1, words, *of_blocks.shape[2:])
    cut = cut[:, :, settings.window : settings.window + settings.block]
    return cut.reshape(len(of_blocks), settings.size, *of_blocks.shape[2:])
