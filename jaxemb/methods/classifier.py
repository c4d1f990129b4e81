"""Ordinary classifiers: an encoder and an output layer with a column for each class.

Example:
    import numpy as np

    from jaxemb.methods import classifier
    from jaxemb.models.encoders import MlpEncoder

    kinds = np.repeat(np.arange(3), 10)
    noise = np.random.default_rng(0).normal(size=(33, 4))
    points = noise[kinds] + 0.1 * noise[3:]  # [N, ...] as the encoder takes them
    labels = np.array(["ash", "elm", "oak"])[kinds]  # [N] names, or numbers from 0
    options = classifier.Options(iterations=50, learning_rate=0.01)
    fitted = classifier.fit(0, MlpEncoder(8), points, labels, options)
    classes = classifier.predict(fitted.model, points)  # [N] names

Classes that come later need training again, with `params` and room left for them; an embedding
(`jaxemb.methods.matching`) does without.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
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
      names: [C] of the classes; empty where they are numbers.
    """

    module: nn.Module
    params: Any
    classes: int
    scale: float
    names: tuple[str, ...] = ()


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
    inputs: Any,
    labels: Any,
    options: Options | None = None,
    *,
    classes: int | Sequence[str] | None = None,
    augment: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
    validation: tuple[Any, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    run: Run | None = None,
) -> Fitted:
    """Trains encoder and output layer, with Adam.

    Args:
      key: random key, or a seed.
      encoder: Flax module, [B, ...] to [B, D] of length 1.
      inputs: [N, ...] real examples, as lists, arrays of any kind or a data frame.
      labels: [N] names, or whole numbers in [0, classes).
      options: None takes the defaults.
      classes: C, or the C names in the order of the outputs; those that `params` has room for
        beyond it are barred. None takes one more than the largest label, or the names in
        alphabetical order.
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
    inputs: Any,
    labels: Any,
    options: Options | None = None,
    *,
    classes: int | Sequence[str] | None = None,
    augment: Callable[[jax.Array, jax.Array], jax.Array] | None = None,
    validation: tuple[Any, Any] | None = None,
    params: Mapping[str, Any] | None = None,
) -> Training:
    """Prepares a training; arguments and errors as in `fit`."""
    options = checks.as_options(options, Options)
    network_checks.check_encoder(encoder)
    inputs = _examples(inputs)
    labels = checks.as_labels(labels, len(inputs))
    names = _names(labels, classes)
    if classes is None:
        classes = len(names) or int(labels.max()) + 1
    classes = classes if isinstance(classes, int) else len(names)
    labels = _numbered(labels, names, classes)
    order_key, base_key, init_key = jax.random.split(checks.as_key(key), 3)
    given = dict(params or {})
    if strange := given.keys() - {"encoder", "output"}:
        raise InputError(f'params must have the keys "encoder" and "output", found {strange}')
    if "encoder" not in given:
        with network_checks.taking(encoder, inputs):
            given["encoder"] = network.initial(encoder, init_key, inputs[:1])
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
        return Fitted(Model(encoder, params, classes, options.scale, names), options)

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


def predict(model: Model, inputs: Any, *, at_a_time: int = network.AT_A_TIME) -> np.ndarray:
    """Classifies examples.

    Args:
      model: from `fit`.
      inputs: [N, ...], N at least 1.
      at_a_time: examples at a time; changes speed and memory alone.

    Returns:
      [N] the likeliest class of each among those there are: its name, or its number.

    Raises:
      InputError: if there are none, or the network cannot take them.
    """
    inputs = _examples(inputs)
    with network_checks.taking(model.module, inputs):
        found = _likeliest(model, inputs, at_a_time)
    return np.array(model.names)[found] if model.names else found


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
    found = network_checks.as_inputs(inputs)
    if getattr(found, "ndim", 0) < 2 or not len(found):
        shape = list(np.shape(found)) if hasattr(found, "shape") else type(found).__name__
        raise InputError(f"inputs must be one example or more, [N, ...], found {shape}")
    return found


def _names(labels: np.ndarray, classes: int | Sequence[str] | None) -> tuple[str, ...]:
    """Returns the names of the classes in the order of the outputs; none where they are numbers.

    Raises:
      InputError: if labels or `classes` are names and the other are numbers, or a name is twice.
    """
    known = classes is None or isinstance(classes, (int, np.integer))
    if labels.dtype.kind != "U":
        if not known:
            raise InputError(f"classes are names, but labels are numbers of {labels.dtype}")
        return ()
    if classes is None:
        return tuple(np.unique(labels).tolist())
    names = () if known else tuple(map(str, classes))  # type: ignore[arg-type]
    if not names or len(set(names)) < len(names):
        raise InputError(
            f"classes must be the different names that labels may have, in the order of the "
            f"outputs, found {classes!r:.80}"
        )
    return names


def _numbered(labels: np.ndarray, names: tuple[str, ...], classes: int) -> np.ndarray:
    """Returns labels [N] as numbers in [0, classes).

    Raises:
      InputError: naming one that is outside.
    """
    if names and labels.dtype.kind == "U":
        places = {name: place for place, name in enumerate(names)}
        if strange := sorted(set(labels.tolist()) - places.keys()):
            raise InputError(f"label {strange[0]!r} is none of the classes {', '.join(names):.200}")
        return np.array([places[label] for label in labels.tolist()], np.int32)
    if names:
        raise InputError(f"labels must be names, as those trained on, found {labels.dtype}")
    checks.check_labels(labels, len(labels), classes=classes)
    return labels


def _accuracy(
    encoder: nn.Module, variables: Any, finish: Callable[[Any], Fitted], validation: Any
) -> Callable[[Any], float]:
    inputs, labels = network_checks.validation_pair(validation)
    inputs = _examples(inputs)
    labels = checks.as_labels(labels, len(inputs))
    model = finish(variables).model
    if model.names:
        labels = _numbered(labels, model.names, model.classes)
    network_checks.output_of(encoder, variables, inputs[:1])

    def score(params: Any) -> float:
        found = _likeliest(finish(params).model, inputs, network.AT_A_TIME)
        return float((found == labels).mean())

    return score
