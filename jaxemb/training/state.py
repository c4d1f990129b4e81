"""What a run needs to continue."""

from typing import Any, NamedTuple

import jax


class TrainState(NamedTuple):
    """Everything a run needs to continue: save this and nothing else.

    Attributes:
      step: [] int32, updates done so far.
      key: [] base key; never consumed, only folded with the step.
      params: what is trained.
      opt_state: the optimiser's.
    """

    step: jax.Array
    key: jax.Array
    params: Any
    opt_state: Any
