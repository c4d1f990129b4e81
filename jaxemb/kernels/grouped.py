"""What the gradients of word objectives return: those of groups of neighboring words."""

from typing import NamedTuple

import jax

# The loss is only logged, and costs more than the gradient: each group's first word stands for it.
MEASURED = slice(0, 1)


class GroupedGradients(NamedTuple):
    """Gradients of the summed loss of G groups of neighboring words.

    Attributes:
      hidden: [G, S, D] with respect to the vectors that predict.
      outputs: [G, C, D] with respect to the output vectors, scaled.
      loss: [G] loss of the predictions of each group's first word, summed, in nats.
      predictions: [G] how many those are.
      noise: [G, K, D] with respect to noise words that are no columns of `outputs`, scaled; ()
        where there are none.
      held: what the products read, of any shapes, for `kernels.parts.keep_alive`.
    """

    hidden: jax.Array
    outputs: jax.Array
    loss: jax.Array
    predictions: jax.Array
    noise: jax.Array | tuple[()] = ()
    held: tuple[jax.Array, ...] = ()
