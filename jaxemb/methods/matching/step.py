"""A step of matching: embed a batch, compute the loss, and refuse a collapse."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxemb.evaluation.collapse import check_spread, spread
from jaxemb.kernels.parts import in_parts, join
from jaxemb.losses.terms import Terms, mean_of_terms
from jaxemb.training.network import Objective
from jaxemb.training.state import Metrics, TrainState

# (parameters, inputs [B, ...]) -> [B, D], each example's vector of itself alone
Embed = Callable[[Any, Any], jax.Array]
# (parameters, random key, vectors [B, D], labels) -> the terms of the loss
LossTerms = Callable[[Any, jax.Array, jax.Array, Any], Terms]


def objective(embed: Embed, terms: LossTerms, *, parts: int) -> Objective:
    """Builds the objective of an encoder and a loss.

    Args:
      embed: the encoder.
      terms: the loss; it gets all parameters, the encoder's too.
      parts: of a batch that are embedded side by side, at most.

    Returns:
      The function: (parameters, (inputs, random key, labels)) -> (mean of the terms, metrics:
      "terms", how many there were, and "spread", how far the vectors lie apart).
    """

    def evaluate(params: Any, example: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        inputs, key, labels = example
        count = math.gcd(parts, len(jax.tree.leaves(inputs)[0]))
        vectors = join(in_parts(functools.partial(embed, params), count, (inputs,)))
        found = terms(params, key, vectors, labels)
        total = jnp.sum(found.counts).astype(jnp.float32)
        apart = spread(jax.lax.stop_gradient(vectors))
        return mean_of_terms(found), {"terms": total, "spread": apart}

    return evaluate


def refuse_collapse(state: TrainState, metrics: Metrics) -> TrainState:
    """Ends a training whose embedding has collapsed to a point: `judge` of a `Training`.

    Raises:
      InputError: that says what to try.
    """
    check_spread(float(metrics["spread"][-1]), step=int(state.step))
    return state
