"""Gradients of groups of words, in parts that are computed side by side."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxemb.kernels.grouped import GroupedGradients
from jaxemb.kernels.parts import in_parts
from jaxemb.methods.word2vec.settings import Example, Gradients, Params, Scale, Scales, Settings

# (settings, example of some groups, tables, scales) -> [G, M, D] the scaled gradient with respect
# to the inputs, and the rest.
OfGroups = Callable[[Settings, Example, Params, Scales], tuple[jax.Array, GroupedGradients]]


def in_groups(
    of_groups: OfGroups, settings: Settings, example: Example, tables: Params, scale: Scale
) -> Gradients:
    """Computes the gradients of an objective whose groups are independent.

    Args:
      of_groups: its gradients.
      settings: of the step.
      example: its input.
      tables: "input" and "output".
      scale: of the gradients.

    Returns:
      The gradients.
    """
    scales = Scales(
        scale("input", example.inputs),
        scale("output", example.outputs),
        scale("output", example.noise) if isinstance(example.noise, jax.Array) else (),
    )
    found = in_parts(
        lambda part, scales: of_groups(settings, part, tables, scales),
        settings.parts,
        (example._replace(seen={}), scales),
    )
    outputs = [(example.outputs, [rest.outputs for _, rest in found])]
    if isinstance(example.noise, jax.Array):
        outputs.append((example.noise, [rest.noise for _, rest in found]))
    return Gradients(
        {"input": [(example.inputs, [to_inputs for to_inputs, _ in found])], "output": outputs},
        sum((rest.loss.sum() for _, rest in found), jnp.zeros(())),
        sum((rest.predictions.sum() for _, rest in found), jnp.zeros((), jnp.int32)),
        [rest.held for _, rest in found],
    )
