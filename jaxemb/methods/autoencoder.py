"""Training of autoencoders: from points to codes and back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb.errors import InputError
from jaxemb.losses.reconstruction import reconstruction_loss
from jaxemb.projections.neighbors import check_points
from jaxemb.sampling.corruption import Kind, corrupt
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training import before_network as network
from jaxemb.training.before_network import AT_A_TIME


class Fitted(NamedTuple):
    """A trained autoencoder.

    Attributes:
      params: of the module.
      mean: [D] of the points, taken off before they go in.
      scale: what they are divided by then, the root of the columns' mean variance.
      loss: [steps] of each step of this call, the batch's squared error as a share of the points'
        variance: 1 for a network that gives back the mean.
      stopped_because: "iterations done" or the name of the signal.
      rejected: a sentence for each checkpoint that was found damaged and passed over.
    """

    params: Any
    mean: np.ndarray
    scale: float
    loss: np.ndarray
    stopped_because: str
    rejected: tuple[str, ...] = ()


def fit(
    key: jax.Array,
    module: nn.Module,
    points: np.ndarray,
    *,
    iterations: int = 5000,
    batch: int = 256,
    learning_rate: float = 1e-3,
    noise: float = 0.0,
    kind: Kind = "gaussian",
    checkpoints: Path | None = None,
    checkpoint_every: int = 0,
    report: network.Report | None = None,
) -> Fitted:
    """Trains an autoencoder to give back points, with Adam.

    Args:
      key: the parameters, the order of the points and the noise are drawn from here.
      module: a Flax module from [B, D] to [B, D].
      points: [N, D] finite float, N at least 4.
      iterations: steps; goes on from the last checkpoint if there is one.
      batch: points a step; at most N, which is taken if it is less.
      learning_rate: at the start; it falls to 0 along a cosine.
      noise: of what goes in, in units of `Fitted.scale`, or the share of numbers set to their mean;
        what should come out has none.
      kind: of the noise.
      checkpoints: folder of the checkpoints; None keeps none.
      checkpoint_every: steps between them; 0 saves at the end only.
      report: called with (steps done, metrics of the latest, seconds so far).

    Returns:
      The network; the same bits for the same arguments on the same machine, interrupted or not.

    Raises:
      InputError: if an argument is none of the above, all points are equal, the loss explodes, or
        no checkpoint can be used.
    """
    check_points(points)
    if batch < 1:
        raise InputError(f"batch must be at least 1, found {batch}")
    if not 0 <= noise <= (1 if kind == "masking" else 1e6):
        raise InputError(f"noise must be at least 0, a share at most 1, found {noise}")
    mean, scale = moments(points)
    if scale == 0:
        raise InputError(
            f"all {len(points):,} points are at the same place, so there is nothing to learn; were "
            "the right columns read?"
        )
    init_key, order_key, base_key = jax.random.split(key, 3)
    choose = minibatches(order_key, rows=len(points), size=min(batch, len(points)))

    def batches(start: int, stop: int) -> np.ndarray:
        return standard(points[choose(start, stop)], mean, scale)

    def objective(params: Any, example: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        given, wanted = example
        given_back: Any = module.apply(params, given)
        return reconstruction_loss(wanted, given_back).mean() / wanted.shape[1], {}

    trained = network.fit(
        base_key,
        jax.jit(module.init)(init_key, jnp.zeros((1, points.shape[1]))),
        objective,
        batches,
        prepare=prepare(noise, kind),
        iterations=iterations,
        learning_rate=learning_rate,
        # That of the mean; a random network's is of this size too.
        first_loss=1.0,
        checkpoints=checkpoints,
        checkpoint_every=checkpoint_every,
        report=report,
    )
    return Fitted(
        trained.params, mean, scale, trained.loss, trained.stopped_because, trained.rejected
    )


def prepare(noise: float, kind: Kind) -> Callable[[jax.Array, jax.Array], tuple[Any, Any]]:
    """Returns the function that draws a step's noise.

    Args:
      noise: its amount.
      kind: of it.

    Returns:
      The function: (the step's key, points [B, D]) -> what goes in and what should come out.
    """
    if noise == 0:
        return lambda key, points: (points, points)
    return lambda key, points: (corrupt(key, points, amount=noise, kind=kind), points)


def encode(module: nn.Module, fitted: Fitted, points: np.ndarray) -> np.ndarray:
    """Returns the codes [N, C] of points [N, D], trained with or new."""
    apply = jax.jit(lambda params, rows: module.apply(params, rows, method="encode"))
    return network.in_blocks(
        lambda rows: apply(fitted.params, standard(rows, fitted.mean, fitted.scale)), points
    )


def reconstruct(module: nn.Module, fitted: Fitted, points: np.ndarray) -> np.ndarray:
    """Returns what becomes of points [N, D] through their codes, [N, D] in their units."""
    apply = jax.jit(module.apply)
    given_back = network.in_blocks(
        lambda rows: apply(fitted.params, standard(rows, fitted.mean, fitted.scale)), points
    )
    return (given_back * fitted.scale + fitted.mean).astype(np.float32)


def moments(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Returns the mean, and the root of the columns' mean variance; 0 only if all are equal."""
    mean = points.mean(axis=0, dtype=np.float64)
    if not np.any(points != points[:1]):
        return mean, 0.0
    variance = [
        np.square(points[start : start + AT_A_TIME] - mean).sum()
        for start in range(0, len(points), AT_A_TIME)
    ]
    return mean, float(np.sqrt(np.sum(variance) / points.size))


def standard(points: np.ndarray, mean: np.ndarray, scale: float) -> np.ndarray:
    """Returns points [N, D] as networks see them, less the mean and divided by the scale."""
    return ((points - mean) / scale).astype(np.float32)
