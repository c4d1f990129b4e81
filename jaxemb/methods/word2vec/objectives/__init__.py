"""What training minimizes, an objective a file; this table is the only list of them.

A new one is its formula in `losses/`, its file here and its line in `OBJECTIVES`; a kernel, where
the formula's own gradient is slow, lies in `kernels/`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import jax
import numpy as np

from jaxemb.methods.word2vec.objectives import (
    full_softmax,
    hierarchical_softmax,
    nce,
    negative_sampling,
    sampled_softmax,
)
from jaxemb.methods.word2vec.settings import (
    Defaults,
    Example,
    Gradients,
    Params,
    Scale,
    Settings,
)


class Beginning(Protocol):
    """What a training starts with."""

    @property
    def DEFAULTS(self) -> Mapping[str, Defaults]:  # noqa: N802
        """What suits each model, where the options leave it open."""

    def source(self, settings: Settings, counts: np.ndarray, noise_power: float) -> Any:
        """Returns what examples are drawn from, arrays, or None.

        Raises:
          InputError: if the counts allow no such thing.
        """

    def chance_loss(self, settings: Settings, words: int) -> float:
        """Returns the loss at chance level, in nats a prediction, V words given."""


class Objective(Beginning, Protocol):
    """What each file here has."""

    @property
    def FIELDS(self) -> tuple[str, ...]:  # noqa: N802
        """Options that mean something to this objective, but not to all."""

    def init(self, params: Params, counts: np.ndarray) -> Params:
        """Makes of fresh tables those that training starts with: biases, inner nodes."""

    def example(
        self,
        key: jax.Array,
        settings: Settings,
        source: Any,
        words: jax.Array,
        left: jax.Array,
        right: jax.Array,
    ) -> Example:
        """Draws the input of a step on words [G, S + 2W] and their windows [G, S]."""

    def gradients(
        self, settings: Settings, example: Example, tables: Params, scale: Scale
    ) -> Gradients:
        """Computes the gradients of a step."""


OBJECTIVES: Mapping[str, Objective] = {
    "negative_sampling": negative_sampling,
    "nce": nce,
    "sampled_softmax": sampled_softmax,
    "hierarchical_softmax": hierarchical_softmax,
    "full_softmax": full_softmax,
}

if TYPE_CHECKING:
    Name = str
else:
    Name = Literal[*OBJECTIVES]
