"""Hierarchical softmax: `losses.hierarchical_softmax` on Huffman's tree."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb.kernels.grouped import GroupedGradients
from jaxemb.kernels.hierarchical_softmax import hierarchical_softmax_gradients
from jaxemb.methods.word2vec.grouped import in_groups
from jaxemb.methods.word2vec.prediction import hidden_vectors, observed, roles
from jaxemb.methods.word2vec.settings import (
    Defaults,
    Example,
    Gradients,
    Params,
    Scale,
    Scales,
    Settings,
)
from jaxemb.models.huffman import HuffmanTree, huffman_tree
from jaxemb.models.word2vec import with_inner_nodes

# Of a group's scores only those within windows count, so that groups, whose paths are long, are
# small.
DEFAULTS = {"skipgram": Defaults(0.07, size=8), "cbow": Defaults(0.15, size=8)}
FIELDS: tuple[str, ...] = ()


def init(params: Params, counts: np.ndarray) -> Params:
    """Replaces the words of the output table by the tree's inner nodes."""
    return with_inner_nodes(params)


def source(settings: Settings, counts: np.ndarray, noise_power: float) -> HuffmanTree:
    """Returns the tree."""
    return huffman_tree(counts)


def chance_loss(settings: Settings, words: int) -> float:
    """Returns the loss of a guess among all words."""
    return math.log(words)


def example(
    key: jax.Array,
    settings: Settings,
    source: HuffmanTree,
    words: jax.Array,
    left: jax.Array,
    right: jax.Array,
) -> Example:
    """Looks up the path of each word that is predicted: nodes [G, C * L] and codes [G, C, L]."""
    # Of few different words, because paths are long.
    inputs, seen, predicted = roles(settings, words, reverse=True)
    nodes = jnp.asarray(source.nodes)[predicted].reshape(settings.groups, -1)
    counted = {"input": seen, "output": nodes}
    codes = jnp.asarray(source.codes)[predicted]
    return Example(inputs, nodes, left, right, counted, targets=codes)


def gradients(settings: Settings, example: Example, tables: Params, scale: Scale) -> Gradients:
    """Computes the gradients of a step."""
    return in_groups(_of_groups, settings, example, tables, scale)


def _of_groups(
    settings: Settings, example: Example, tables: Params, scales: Scales
) -> tuple[jax.Array, GroupedGradients]:
    inputs, outputs = tables["input"][example.inputs], tables["output"][example.outputs]
    hidden, to_inputs = hidden_vectors(settings, example, inputs, scales.inputs)
    found = hierarchical_softmax_gradients(
        hidden,
        outputs,
        example.targets,
        observed(settings, example.left, example.right, reverse=True),
        scales.outputs,
    )
    return to_inputs(found.hidden), found._replace(held=(inputs, outputs, hidden))
