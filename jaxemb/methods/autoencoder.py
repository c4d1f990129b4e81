"""Autoencoders: from points to codes and back.

Example:
    import numpy as np
    from jaxemb import autoencoder

    points = np.random.default_rng(0).normal(size=(200, 8))
    options = autoencoder.Options(dim=2, hidden=(16,), iterations=100)
    fitted = autoencoder.fit(0, points, options)
    codes = autoencoder.encode(fitted.model, points)  # [200, 2], of these points or new ones
    given_back = autoencoder.reconstruct(fitted.model, points)  # [200, 8], in their units

Points are centered and divided by a common scale before they go in. Images need no flattening.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb import checks
from jaxemb.data.standardized import (
    as_rows,
    checked_moments,
    checked_rows,
    checked_validation,
    standard,
)
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.losses.reconstruction import reconstruction_loss
from jaxemb.models.autoencoder import ConvAutoencoder, DenseAutoencoder
from jaxemb.sampling.corruption import Kind, corrupt
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training import loop, network
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines an autoencoder, the points given."""

    model: Literal["dense", "conv", "linear"] = "dense"
    """conv is for images; linear has no layers but the code and the output."""
    dim: int = 2
    """Numbers of a code."""
    hidden: tuple[int, ...] = (512, 128)
    """Widths of the layers before the code: dense."""
    features: tuple[int, ...] = (32, 64)
    """Channels, each of which halves the sides of an image: conv."""
    noise: float = 0.0
    """Input noise of a denoising autoencoder, in standard deviations of the data."""
    noise_kind: Kind = "gaussian"
    """masking sets numbers to their mean; then noise is their share."""
    iterations: int = 10_000
    """Steps of the training."""
    batch: int = 256
    """Points a step; all of them if there are fewer."""
    learning_rate: float = 1e-3
    """Adam's, at the start; it falls to 0 along a cosine. Wide layers begin with less, t / their
    inputs in step t, and it is halved where the loss rises beyond twice that at chance level."""
    validate_every: int = 500
    """Steps from one validation to the next, if there are points for it; a validation waits for
    the end of a compiled call, of 25 steps."""
    patience: int = 0
    """Validations in a row without a better score that end the training; 0 never does."""

    def __post_init__(self) -> None:
        """Refuses values that no autoencoder can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("dim", "iterations", "batch", "validate_every"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "patience", at_least=0)
        checks.check_field(self, "learning_rate", above=0, at_most=10)
        most = 1 if self.noise_kind == "masking" else 1000
        checks.check_field(self, "noise", at_least=0, at_most=most)
        checks.check_widths(self, "hidden")
        checks.check_widths(self, "features")


class Model(NamedTuple):
    """What encodes and reconstructs points.

    Attributes:
      module: a Flax module from [B, D] to [B, D] with the method `encode`, to [B, C].
      variables: of the module.
      mean: [D] of the points, subtracted before they go in.
      scale: what they are divided by then, the root of the columns' mean variance.
    """

    module: nn.Module
    variables: Any
    mean: np.ndarray
    scale: float


class Fitted(NamedTuple):
    """A trained network.

    Attributes:
      model: for `encode` and `reconstruct`; of the best parameters, where there was validation.
      options: of the training.
      history: its loss is each batch's squared error as a share of the points' variance: 1 for a
        network that gives back the mean.
    """

    model: Model
    options: Any
    history: History = History()


def fit(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    module: nn.Module | None = None,
    validation: Any = None,
    run: Run | None = None,
) -> Fitted:
    """Trains an autoencoder to give back points, with Adam.

    Args:
      key: random key, or a seed.
      points: [N, D] real numbers, or images [N, H, W] or [N, H, W, channels], of which D is the
        product; N at least 4.
      options: of the network and the training.
      module: a Flax module from [B, D] to [B, D] with the method `encode`, in place of the one
        that the options describe.
      validation: [M, D] points that the network is judged by on the way, by the negated share of
        their variance about the mean that it leaves unexplained; the best parameters are kept.
        None keeps the last.
      run: checkpoints, log and progress.

    Returns:
      The network; the same bits for the same arguments on the same machine, interrupted or not.

    Raises:
      InputError: if an argument is outside its documented range, all points are equal, the loss
        explodes, or no checkpoint can be used.
    """
    return loop.fit(start(key, points, options, module=module, validation=validation), run)


def start(
    key: jax.Array | int,
    points: Any,
    options: Options | None = None,
    *,
    module: nn.Module | None = None,
    validation: Any = None,
) -> Training:
    """Prepares the training; its arguments are those of `fit`.

    Raises:
      InputError: as `fit`.
    """
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    shape = np.shape(points)[1:]
    points = as_rows(points)
    if module is None:
        module = make_module(options, shape)
    mean, scale = checked_moments(points)
    init_key, order_key, base_key = jax.random.split(key, 3)
    choose = minibatches(order_key, rows=len(points), size=min(options.batch, len(points)))

    def batches(start: int, stop: int) -> np.ndarray:
        return standard(points[choose(start, stop)], mean, scale)

    def objective(params: Any, example: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        given, wanted = example
        given_back: Any = module.apply(params, given)
        return reconstruction_loss(wanted, given_back).mean() / wanted.shape[1], {}

    score = None
    if validation is not None:
        score = explained(module, standard(checked_validation(validation, mean), mean, scale))
    return network.start(
        base_key,
        network.initial(module, init_key, jnp.zeros((1, points.shape[1]))),
        objective,
        batches,
        draw=noise_of(options.noise, options.noise_kind),
        finish=lambda params: Fitted(Model(module, params, mean, scale), options),
        iterations=options.iterations,
        learning_rate=options.learning_rate,
        # That of the mean; a random network's is of this size, too.
        chance_loss=1.0,
        validation=network.validation_by(
            score, every=options.validate_every, patience=options.patience
        ),
        about=options,
    )


def encode(model: Model, points: Any) -> np.ndarray:
    """Computes codes.

    Args:
      model: of a Fitted.
      points: [N, D] or images, trained with or new.

    Returns:
      [N, C] float32.
    """
    module, variables, mean, scale = model
    apply = network.compiled(module, "encode")
    rows = checked_rows(points, mean)
    return network.in_blocks(lambda rows: apply(variables, standard(rows, mean, scale)), rows)


def reconstruct(model: Model, points: Any) -> np.ndarray:
    """Computes what becomes of points through their codes.

    Args:
      model: of a Fitted.
      points: [N, D] or images, trained with or new.

    Returns:
      float32 of the points' shape, in their units.
    """
    module, variables, mean, scale = model
    apply = network.compiled(module)
    rows = checked_rows(points, mean)
    given_back = network.in_blocks(lambda rows: apply(variables, standard(rows, mean, scale)), rows)
    return (given_back * scale + mean).astype(np.float32).reshape(np.shape(points))


def make_module(options: Options, shape: tuple[int, ...]) -> nn.Module:
    """Returns the network for points of a shape.

    Raises:
      InputError: if convolution is asked for and the points are no images.
    """
    if options.model == "conv":
        if len(shape) not in (2, 3):
            raise InputError(
                'model "conv" needs images [N, H, W] or [N, H, W, channels], found points of shape '
                f"{list(shape)}; reshape them, or take dense"
            )
        return ConvAutoencoder(shape, options.dim, features=options.features)
    hidden = options.hidden if options.model == "dense" else ()
    return DenseAutoencoder(math.prod(shape), options.dim, hidden=hidden)


def noise_of(amount: float, kind: Kind) -> Callable[[jax.Array, jax.Array], tuple[Any, Any]]:
    """Returns the function that draws a step's noise.

    Args:
      amount: of noise.
      kind: of noise.

    Returns:
      The function: (the step's key, points [B, D]) -> what goes in and what should come out.
    """
    if amount == 0:
        return lambda key, points: (points, points)
    return lambda key, points: (corrupt(key, points, amount=amount, kind=kind), points)


def explained(module: nn.Module, values: np.ndarray) -> Callable[[Any], float]:
    """Returns the score of parameters: the negated share of the variance left unexplained.

    Args:
      module: from [B, D] to [B, D].
      values: [M, D] points as networks see them.

    Returns:
      The function: variables -> the score, 0 for a perfect reconstruction.
    """
    apply = network.compiled(module)
    spread = np.square(values, dtype=np.float64).sum()

    def score(params: Any) -> float:
        given_back = network.in_blocks(lambda rows: apply(params, rows), values)
        return -float(np.square(values - given_back, dtype=np.float64).sum() / spread)

    return score
