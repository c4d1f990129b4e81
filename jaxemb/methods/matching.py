"""Training of encoders that bring examples of one individual or class together."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxemb.evaluation.collapse import check_spread, spread
from jaxemb.kernels.parts import in_parts, join
from jaxemb.losses.terms import Terms, mean_of_terms
from jaxemb.training import before_loop as loop
from jaxemb.training.before_network import Objective, Report

# Parts of a batch that are embedded side by side, at most.
PARTS = 4


def objective(
    embed: Callable[[Any, Any], jax.Array], loss: Callable[[Any, jax.Array, Any], Terms]
) -> Objective:
    """Makes of an encoder and a loss of a batch what `training.network.fit` takes.

    Args:
      embed: (parameters, inputs [B, ...]) -> [B, D], each example's vector of itself alone.
      loss: (parameters, [B, D], labels [B]) -> its terms; parameters for what a loss learns itself,
        proxies, say. Labels are what stands beside the inputs, with a key of mining, say.

    Returns:
      The function: (parameters, (inputs, labels)) -> (mean of the terms, metrics: "terms", how many
      there were, and "spread", how far the vectors lie apart).
    """

    def evaluate(params: Any, example: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        inputs, labels = example
        parts = math.gcd(PARTS, len(jax.tree.leaves(inputs)[0]))
        vectors = join(in_parts(functools.partial(embed, params), parts, (inputs,)))
        terms = loss(params, vectors, labels)
        count = jnp.sum(terms.counts).astype(jnp.float32)
        apart = spread(jax.lax.stop_gradient(vectors))
        return mean_of_terms(terms), {"terms": count, "spread": apart}

    return evaluate


def refuse_collapse(report: Report) -> Report:
    """Makes a report that ends a training whose embedding has collapsed to a point.

    Args:
      report: called first.

    Returns:
      The report, for `training.network.fit` with metrics of `objective`. It raises an InputError
      that says what to try.
    """

    def check(done: int, metrics: loop.Metrics, seconds: float) -> None:
        report(done, metrics, seconds)
        check_spread(float(metrics["spread"][-1]), step=done)

    return check
