"""Ordinary classifiers: an encoder and an output layer with a column for each class.

Example:
    import numpy as np

    from jaxemb.methods import classifier
    from jaxemb.models.encoders import MlpEncoder

    labels = np.repeat(np.arange(3), 10)  # [N] classes, numbered from 0
    noise = np.random.default_rng(0).normal(size=(33, 4)).astype(np.float32)
    points = noise[labels] + 0.1 * noise[3:]  # [N, ...] as the encoder takes them
    options = classifier.Options(iterations=50, learning_rate=0.01)
    fitted = classifier.fit(0, MlpEncoder(8), points, labels, options)
    classes = classifier.predict(fitted.model, points)  # [N]

Classes that come later need training again, with `params` and room left for them; an embedding
(`jaxemb.methods.matching`) does without.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.losses.softmax_classifier import softmax_classifier_loss
from jaxemb.losses.terms import mean_of_terms
from jaxemb.models import output_layer
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training import loop, network, network_checks
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training

# The logit of a class that isn't there.
_BARRED = -1e9


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """Every number of the training; those of the encoder are with it."""

    iterations: int = 2000
    """Steps of the training."""
    batch: int = 64
    """Examples of a step."""
    learning_rate: float = 1e-3
    """Of Adam, at the start; it falls to 0 along a cosine. Wide layers begin with less, t / their
    inputs in step t, and it is halved where the loss rises beyond twice that at chance level."""
    weight_decay: float = 0.0
    """Share of a weight, times the learning rate, taken off it each step."""
    scale: float = 16.0
    """Factor of the output layer's products: vectors of length 1 need one for a confident
    softmax."""
    validate_every: int = 100
    """Steps from one validation to the next, if there are validation data; a validation waits for
    the end of a compiled call."""
    patience: int = 0
    """Validations in a row without a better score that end the training; 0 never does."""
    call_steps: int = 25
    """Steps of a compiled call; changes speed and memory alone."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("iterations", "batch", "validate_every", "call_steps"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "learning_rate", above=0, at_most=10)
        checks.check_field(self, "weight_decay", at_least=0, at_most=10)
        checks.check_field(self, "scale", above=0, at_most=1e6)
        checks.check_field(self, "patience", at_least=0)


class Model(NamedTuple):
    """A trained classifier.

    Attributes:
      module: the encoder.
      params: "encoder" and "output", which may have room for more classes.
      classes: C, how many there are.
      scale: factor of the output layer's products.
    """

    module: nn.Module
    params: Any
    classes: int
    scale: float


class Fitted(NamedTuple):
    """What a training gives.

    Attributes:
      model: for `predict`.
      options: of the training.
      history: how it went.
    """

    model: Model
    options: Options
    history: History = History()


def fit(
    key: jax.Array | int,
    encoder: nn.Module,
    inputs: np.ndarray,
    labels: np.ndarray,
    options: Options | None = None,
    *,
    classes: int | None = None,
    augment: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    params: Mapping[str, Any] | None = None,
    run: Run | None = None,
) -> Fitted:
    """Trains encoder and output layer, with Adam.

    Args:
      key: random key, or a seed.
      encoder: Flax module, [B, ...] to [B, D] of length 1.
      inputs: [N, ...] examples.
      labels: [N] int in [0, classes).
      options: None takes the defaults.
      classes: C; those that `params` has room for beyond it are barred. None takes one more than
        the largest label.
      augment: (random key, [B, ...]) -> changed examples; None leaves them as they are.
      validation: inputs and labels [M] to judge by: the score is accuracy, the share of them that
        is classified right. The parameters with the best score are kept.
      params: to start from, as `Fitted.model.params`: "encoder", and "output", which may have room
        for more classes, so that one compiled program serves as classes come. What is missing is
        drawn. They are not changed.
      run: checkpoints, log and progress.

    Returns:
      The model; the same bits for the same arguments on the same machine, interrupted or not.

    Raises:
      InputError: if a label is out of range, arrays don't belong together, the loss explodes, or no
        checkpoint can be used.
    """
    training = start(
        key,
        encoder,
        inputs,
        labels,
        options,
        classes=classes,
        augment=augment,
        validation=validation,
        params=params,
    )
    return loop.fit(training, run)


def start(
    key: jax.Array | int,
    encoder: nn.Module,
    inputs: np.ndarray,
    labels: np.ndarray,
    options: Options | None = None,
    *,
    classes: int | None = None,
    augment: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
    params: Mapping[str, Any] | None = None,
) -> Training:
    """Prepares a training; arguments and errors as in `fit`."""
    options = checks.as_options(options, Options)
    network_checks.check_encoder(encoder)
    inputs, labels = _examples(inputs), np.asarray(labels)
    checks.check_labels(labels, len(inputs))
    classes = int(labels.max()) + 1 if classes is None else classes
    checks.check_labels(labels, len(inputs), classes=classes)
    order_key, base_key, init_key = jax.random.split(checks.as_key(key), 3)
    given = dict(params or {})
    if strange := given.keys() - {"encoder", "output"}:
        raise InputError(f'params must have the keys "encoder" and "output", found {strange}')
    if "encoder" not in given:
        with network_checks.taking(encoder, inputs):
            given["encoder"] = jax.jit(encoder.init)(init_key, inputs[:1])
    dim = network_checks.output_of(encoder, given["encoder"], inputs[:1]).shape[-1]
    if "output" not in given:
        given["output"] = output_layer.init(dim=dim, classes=classes)
    room = given["output"]["bias"].size
    if classes > room:
        raise InputError(f"params have outputs for {room} classes, {classes} are needed")
    # Fewer examples than a batch stand in it several times.
    times = -(-options.batch // len(inputs))
    choose = minibatches(order_key, rows=times * len(inputs), size=options.batch)
    there = np.arange(room) < classes

    def batches(start: int, stop: int) -> Any:
        rows = choose(start, stop) % len(inputs)
        return inputs[rows], labels[rows], np.broadcast_to(there, (stop - start, there.size))

    def draw(key: jax.Array, batch: Any) -> Any:
        return batch if augment is None else (augment(key, batch[0]), *batch[1:])

    def objective(params: Any, example: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
        examples, own, open_ = example
        logits = scores(encoder, params, examples, open_, options.scale)
        return mean_of_terms(softmax_classifier_loss(logits, own)), {}

    def finish(params: Any) -> Fitted:
        return Fitted(Model(encoder, params, classes, options.scale), options)

    return network.start(
        base_key,
        given,
        objective,
        batches,
        draw=draw,
        finish=finish,
        iterations=options.iterations,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        # A start that knows other classes may be surer of itself than one that knows nothing.
        chance_loss=math.log(classes) + options.scale,
        call_steps=options.call_steps,
        validation=network.validation_by(
            None
            if validation is None
            else _accuracy(encoder, given["encoder"], finish, validation),
            every=options.validate_every,
            patience=options.patience,
        ),
        about=options,
    )


def predict(model: Model, inputs: np.ndarray, *, at_a_time: int = network.AT_A_TIME) -> np.ndarray:
    """Classifies examples.

    Args:
      model: from `fit`.
      inputs: [N, ...], N at least 1.
      at_a_time: examples at a time; changes speed and memory alone.

    Returns:
      [N] int, the likeliest class of each among those there are.

    Raises:
      InputError: if there are none, or the network cannot take them.
    """
    inputs = _examples(inputs)
    with network_checks.taking(model.module, inputs):
        return _likeliest(model, inputs, at_a_time)


@functools.partial(jax.jit, static_argnames=("module", "scale"))
def scores(
    module: nn.Module, params: Any, inputs: jax.Array, there: jax.Array, scale: float
) -> jax.Array:
    """Returns the logits [B, C] of examples [B, ...], those of classes not there [C] barred."""
    vectors: Any = module.apply(params["encoder"], inputs)
    logits = output_layer.logits(params["output"], vectors, scale=scale)
    return jnp.where(there[None, :], logits, _BARRED)


def _likeliest(model: Model, inputs: np.ndarray, at_a_time: int) -> np.ndarray:
    there = jnp.arange(model.params["output"]["bias"].size) < model.classes
    return network.in_blocks(
        lambda part: scores(model.module, model.params, part, there, model.scale),
        inputs,
        at_a_time=at_a_time,
    ).argmax(axis=1)


def _examples(inputs: Any) -> np.ndarray:
    """Returns inputs [N, ...] as an array of finite numbers, N at least 1."""
    found = np.asarray(inputs)
    if found.ndim < 2 or not len(found):
        raise InputError(f"inputs must be one example or more, [N, ...], found {list(found.shape)}")
    network_checks.check_numbers(found)
    return found


def _accuracy(
    encoder: nn.Module, variables: Any, finish: Callable[[Any], Fitted], validation: Any
) -> Callable[[Any], float]:
    inputs, labels = network_checks.validation_pair(validation)
    inputs, labels = _examples(inputs), np.asarray(labels)
    checks.check_labels(labels, len(inputs))
    network_checks.output_of(encoder, variables, inputs[:1])

    def score(params: Any) -> float:
        found = _likeliest(finish(params).model, inputs, network.AT_A_TIME)
        return float((found == labels).mean())

    return score
