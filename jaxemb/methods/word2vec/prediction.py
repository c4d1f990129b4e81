"""Skip-gram and CBOW: which words of a group predict which. No other file tells the two apart."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxemb.kernels.blocks import cut_blocks
from jaxemb.kernels.context_weights import context_weights
from jaxemb.kernels.grouped import GroupedGradients
from jaxemb.kernels.negative_sampling import cbow_gradients, skipgram_gradients
from jaxemb.kernels.products import multiply, scaled_transpose
from jaxemb.methods.word2vec.settings import Example, Params, Scales, Settings
from jaxemb.sampling.windows import in_window


class Roles(NamedTuple):
    """What the words of each group do.

    Attributes:
      inputs: [G, M] words that predict: skip-gram's centers, or CBOW's contexts in blocks.
      seen: [G, M'] the same, each occurrence once.
      predicted: [G, C] words that are predicted.
    """

    inputs: jax.Array
    seen: jax.Array
    predicted: jax.Array


def roles(settings: Settings, words: jax.Array, *, reverse: bool = False) -> Roles:
    """Tells which words predict which.

    Args:
      settings: of the step.
      words: [G, S + 2W].
      reverse: let skip-gram's contexts predict their center. Windows are symmetric, so that it is
        as good, and fewer different words are predicted.
    """
    center = words[:, settings.window : settings.window + settings.size]
    if settings.model == "cbow":
        return Roles(blocks(settings, words), words, center)
    return Roles(words, words, center) if reverse else Roles(center, center, words)


def blocks(settings: Settings, words: jax.Array) -> jax.Array:
    """Cuts groups into the blocks that products are made of."""
    return cut_blocks(words, margin=settings.window, block=settings.block)


def predicted_blocks(settings: Settings, predicted: jax.Array) -> jax.Array:
    """Returns the rows that `noise_gradients` wants for the words that are predicted."""
    return predicted if settings.model == "cbow" else blocks(settings, predicted)


def observed(
    settings: Settings, left: jax.Array, right: jax.Array, *, reverse: bool = False
) -> jax.Array:
    """Returns how often each of a group's vectors, last axis, predicts each of its words."""
    if settings.model == "cbow":
        present = (left + right > 0).astype(jnp.float32)
        return present[:, None, :] * jnp.eye(settings.size)[None]
    columns = settings.size + 2 * settings.window
    inside = in_window(left, right, margin=settings.window, columns=columns).astype(jnp.float32)
    return inside if reverse else jnp.swapaxes(inside, 1, 2)


def hidden_vectors(
    settings: Settings, example: Example, inputs: jax.Array, input_scale: jax.Array
) -> tuple[jax.Array, Callable[[jax.Array], jax.Array]]:
    """Returns the vectors that predict, and how their gradient becomes the scaled one of inputs.

    Args:
      settings: of the step.
      example: its input.
      inputs: [G, M, D] rows of `example.inputs`.
      input_scale: [G, M] factor on the gradient of each.
    """
    if settings.model == "skipgram":
        return inputs, lambda to_hidden: to_hidden * input_scale[..., None]

    def by_block(of_group: jax.Array) -> jax.Array:
        count = settings.size // settings.block
        return of_group.reshape(count * len(of_group), -1, *of_group.shape[2:])

    left, right = by_block(example.left), by_block(example.right)
    weights = jax.lax.optimization_barrier(
        context_weights(left, right, margin=settings.window, mean=settings.cbow_mean)
    )

    def to_inputs(to_hidden: jax.Array) -> jax.Array:
        by_context = scaled_transpose(weights, by_block(input_scale)[..., None], settings.dtype)
        to_hidden = by_block(to_hidden).astype(settings.dtype)
        return multiply("gcs,gsd->gcd", by_context, to_hidden).reshape(inputs.shape)

    hidden = multiply("gsc,gcd->gsd", weights.astype(settings.dtype), by_block(inputs))
    return hidden.reshape(*example.left.shape, -1), to_inputs


def noise_gradients(
    settings: Settings,
    example: Example,
    tables: Params,
    scales: Scales,
    bias: jax.Array | None = None,
) -> tuple[jax.Array, GroupedGradients]:
    """Computes the gradients of negative sampling.

    Args:
      settings: of the step.
      example: its input, with noise words.
      tables: "input" and "output".
      scales: of the gradients.
      bias: [G, C + K] added to the last column of the output rows, which a vector that predicts
        meets with 1; None if the tables have no biases.

    Returns:
      [G, M, D] the scaled gradient with respect to the inputs, and the rest.
    """
    inputs = tables["input"][example.inputs].astype(settings.dtype)
    outputs, noise = tables["output"][example.outputs], tables["output"][example.noise]
    if settings.model == "skipgram":
        # Too few of CBOW's products read them to repay the conversion.
        outputs, noise = outputs.astype(settings.dtype), noise.astype(settings.dtype)
    hidden, to_inputs = hidden_vectors(settings, example, inputs, scales.inputs)
    if bias is not None:
        hidden = with_one(hidden)
        columns = outputs.shape[1]
        outputs = outputs.at[..., -1].add(bias[:, :columns])
        noise = noise.at[..., -1].add(bias[:, columns:])
    width = inputs.shape[-1]
    if settings.model == "cbow":
        found = cbow_gradients(
            hidden,
            outputs,
            noise,
            example.left + example.right > 0,
            scales.outputs,
            scales.noise,
            negatives=settings.negatives,
        )
        changes = to_inputs(found.hidden[..., :width])
    else:
        found = skipgram_gradients(
            hidden,
            outputs,
            noise,
            example.left,
            example.right,
            scales.inputs,
            scales.outputs,
            scales.noise,
            margin=settings.window,
            negatives=settings.negatives,
        )
        changes = found.hidden[..., :width]
    return changes, found._replace(held=(inputs, outputs, noise, hidden, *found.held))


def with_one(hidden: jax.Array) -> jax.Array:
    """Appends what the biases are multiplied with."""
    return jnp.concatenate([hidden, jnp.ones((*hidden.shape[:-1], 1))], axis=-1)
