"""Training of an encoder by a matching loss."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.fields import documented
from jaxemb.methods.matching.losses import Loss, check_loss
from jaxemb.methods.matching.step import Embed, LossTerms, objective, refuse_collapse
from jaxemb.sampling.balanced import BalancedBatches
from jaxemb.training import loop, network, network_checks
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training

# (random key, inputs [B, ...]) -> inputs as the encoder sees them while it is trained
Augment = Callable[[jax.Array, Any], Any]
# (start, stop) -> [stop - start, B] rows of the data in the batches of these steps
Rows = Callable[[int, int], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Steps:
    """The numbers of every training by a matching loss."""

    iterations: int = 2000
    """Steps of the training."""
    learning_rate: float = 1e-3
    """Of Adam, at the start; it falls to 0 along a cosine. Wide layers begin with less, t / their
    inputs in step t, and it is halved where the loss rises beyond twice that at chance level."""
    weight_decay: float = 0.0
    """Share of a weight, times the learning rate, taken off it each step."""
    validate_every: int = 100
    """Steps from one validation to the next, if there are validation data; a validation waits for
    the end of a compiled call."""
    patience: int = 0
    """Validations in a row without a better score that end the training; 0 never does."""
    parts: int = 4
    """Parts of a batch that are embedded side by side, at most; changes speed alone, but for
    rounding."""
    call_steps: int = 25
    """Steps of a compiled call; changes speed and memory alone."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("iterations", "validate_every", "parts", "call_steps"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "learning_rate", above=0, at_most=10)
        checks.check_field(self, "weight_decay", at_least=0, at_most=10)
        checks.check_field(self, "patience", at_least=0)


@documented
@dataclasses.dataclass(frozen=True)
class Options(Steps):
    """Every number of the training; those of encoder and loss are with these."""

    identities: int = 32
    """Individuals or classes in a batch."""
    samples: int = 4
    """Examples of each in a batch."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        for name in ("identities", "samples"):
            checks.check_field(self, name, at_least=2)


class Model(NamedTuple):
    """A trained encoder.

    Attributes:
      module: the Flax module.
      variables: its parameters.
    """

    module: nn.Module
    variables: Any


class Fitted(NamedTuple):
    """What a training gives.

    Attributes:
      model: for `encode`.
      loss_params: what the loss itself learned, such as proxies; {} if nothing.
      options: of the training.
      history: how it went.
      threshold: a distance chosen afterwards, beyond which an example is of nobody known:
        `fitted._replace(threshold=..., threshold_from="...")` keeps it with the encoder, for
        galleries. None if none was.
      threshold_from: what it was chosen by, in words.
    """

    model: Model
    loss_params: Any
    options: Options
    history: History = History()
    threshold: float | None = None
    threshold_from: str = ""


def fit(
    key: jax.Array | int,
    encoder: nn.Module,
    loss: Loss,
    inputs: Any,
    labels: Any,
    options: Options | None = None,
    *,
    augment: Augment | None = None,
    validation: tuple[Any, np.ndarray] | None = None,
    params: Mapping[str, Any] | None = None,
    rows: Rows | None = None,
    run: Run | None = None,
) -> Fitted:
    """Trains an encoder, with Adam.

    Args:
      key: random key, or a seed.
      encoder: Flax module, inputs [B, ...] to [B, D]; the vectors are expected to have length 1.
      loss: from `jaxemb.methods.matching.losses`, or one of your own.
      inputs: [N, ...] real examples, as lists, arrays of any kind or a data frame, or a tree of
        these.
      labels: [N] whole numbers or names, individuals or classes, of which each has at least two
        examples. Where the loss understands other rows, a tree of arrays [N, ...]; then `rows` is
        needed.
      options: None takes the defaults.
      augment: changes a batch at random; None leaves it as it is.
      validation: inputs and labels [M] to judge by, best of other individuals: the score is
        recall at 1, the share of these examples whose nearest other one, by Euclidean distance,
        has their label. The parameters with the best score are kept.
      params: to start from: "encoder", as `Fitted.model.variables`, and "loss", as
        `Fitted.loss_params`. What is missing is drawn.
      rows: which rows of the data each batch has. None draws `identities` classes and `samples` of
        each (`jaxemb.sampling.balanced`).
      run: checkpoints, log and progress.

    Returns:
      The model; the same bits for the same arguments on the same machine, interrupted or not.

    Raises:
      InputError: if arrays don't belong together, there are too few classes or samples, the loss
        explodes, the embedding collapses to a point, or no checkpoint can be used.
    """
    training = start(
        key,
        encoder,
        loss,
        inputs,
        labels,
        options,
        augment=augment,
        validation=validation,
        params=params,
        rows=rows,
    )
    return loop.fit(training, run)


def start(
    key: jax.Array | int,
    encoder: nn.Module,
    loss: Loss,
    inputs: Any,
    labels: Any,
    options: Options | None = None,
    *,
    augment: Augment | None = None,
    validation: tuple[Any, np.ndarray] | None = None,
    params: Mapping[str, Any] | None = None,
    rows: Rows | None = None,
) -> Training:
    """Prepares a training; arguments and errors as in `fit`."""
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    network_checks.check_encoder(encoder)
    check_loss(loss)
    inputs = network_checks.as_inputs(inputs)
    labels, classes = _numbered(labels, _count(inputs), by_class=rows is None)
    # The steps fold the key with their numbers, of which this is one more; `split` alone would give
    # keys of the first steps again.
    encoder_key, loss_key, batch_key = jax.random.split(
        jax.random.fold_in(key, options.iterations), 3
    )
    if rows is None:
        drawn = BalancedBatches(
            batch_key, labels, identities=options.identities, samples=options.samples
        )
        rows = drawn.batches

    def batches(start: int, stop: int) -> Any:
        chosen = rows(start, stop)
        return jax.tree.map(lambda leaf: leaf[chosen], (inputs, labels))

    def draw(key: jax.Array, batch: Any) -> Any:
        inputs, labels = batch
        if augment is None:
            return inputs, key, labels
        augment_key, loss_key = jax.random.split(key)
        return augment(augment_key, inputs), loss_key, labels

    def embed(params: Any, inputs: Any) -> jax.Array:
        return jnp.asarray(encoder.apply(params["encoder"], inputs))

    def terms(params: Any, key: jax.Array, vectors: jax.Array, labels: Any) -> Any:
        return loss.terms(params["loss"], key, vectors, labels)

    first = jax.tree.map(lambda leaf: leaf[np.arange(1)], inputs)
    shapes = jax.eval_shape(augment or (lambda key, inputs: inputs), key, first)
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    given = dict(params or {})
    if strange := given.keys() - {"encoder", "loss"}:
        raise InputError(f'params must have the keys "encoder" and "loss", found {strange}')
    if "encoder" not in given:
        with network_checks.taking(encoder, nothing):
            given["encoder"] = network.initial(encoder, encoder_key, nothing)
    dim = network_checks.output_of(encoder, given["encoder"], nothing).shape[-1]
    if "loss" not in given:
        given["loss"] = loss.init(loss_key, classes, dim)
    chance = None if loss.chance is None else loss.chance(rows(0, 1).shape[1], classes)
    return start_on(
        key,
        given,
        embed,
        terms,
        batches,
        options,
        draw=draw,
        finish=lambda params: Fitted(Model(encoder, params["encoder"]), params["loss"], options),
        chance_loss=chance,
        score=None if validation is None else _recall_at_1(encoder, given["encoder"], validation),
    )


def start_on(
    key: jax.Array,
    params: Any,
    embed: Embed,
    terms: LossTerms,
    batches: Callable[[int, int], Any],
    options: Steps,
    *,
    draw: Callable[[jax.Array, Any], Any],
    finish: Callable[[Any], Any],
    chance_loss: float | None = None,
    score: Callable[[Any], float] | None = None,
) -> Training:
    """Prepares a training on batches of one's own.

    Args:
      key: random key of what `draw` draws.
      params: to start from.
      embed: (parameters, inputs) -> [B, D].
      terms: (parameters, random key, vectors [B, D], labels) -> the terms of the loss.
      batches: (start, stop) -> the data of these steps, stacked along a new first axis.
      options: of the training.
      draw: (the step's key, the step's data) -> (inputs, random key of the loss, labels).
      finish: the last parameters, or the best by the score -> the result.
      chance_loss: about the loss of an untrained encoder; None takes that of the first step.
      score: parameters -> their score on validation data; higher is better.

    Returns:
      The training. It refuses an embedding that collapses to a point.
    """
    return network.start(
        key,
        params,
        objective(embed, terms, parts=options.parts),
        batches,
        draw=draw,
        finish=finish,
        iterations=options.iterations,
        learning_rate=options.learning_rate,
        weight_decay=options.weight_decay,
        chance_loss=chance_loss,
        call_steps=options.call_steps,
        judge=refuse_collapse,
        validation=network.validation_by(
            score, every=options.validate_every, patience=options.patience
        ),
        # A loss's own numbers are seen in what it is at chance level.
        about=(options, chance_loss),
    )


def encode(model: Model, inputs: Any, *, at_a_time: int = network.AT_A_TIME) -> np.ndarray:
    """Embeds examples, trained on or new.

    Args:
      model: from `fit`.
      inputs: [N, ...] as the encoder sees them, or a tree of such arrays; N at least 1.
      at_a_time: examples at a time; changes speed and memory alone.

    Returns:
      [N, D].

    Raises:
      InputError: if there are none, or arrays differ in length.
    """
    if not isinstance(model, Model):
        raise InputError(f"model must be that of a Fitted, found {type(model).__name__}")
    inputs = network_checks.as_inputs(inputs)
    leaves, tree = jax.tree.flatten(inputs)
    if not _count(inputs):
        raise InputError("inputs must be at least one example, found none")
    apply = network.compiled(model.module)
    with network_checks.taking(model.module, inputs):
        return network.in_blocks(
            lambda *part: apply(model.variables, jax.tree.unflatten(tree, part)),
            *leaves,
            at_a_time=at_a_time,
        )


def _count(inputs: Any) -> int:
    """Returns how many examples there are.

    Raises:
      InputError: if arrays differ in length, or there are none.
    """
    lengths = {len(leaf) for leaf in jax.tree.leaves(inputs)}
    if len(lengths) != 1:
        raise InputError(f"inputs must be arrays of one length, found {sorted(lengths)}")
    return lengths.pop()


def _numbered(labels: Any, rows: int, *, by_class: bool) -> tuple[Any, int]:
    """Returns labels as the loss gets them, classes numbered from 0, and how many there are.

    Raises:
      InputError: if they don't belong to the inputs, or no batch can be drawn by them.
    """
    tree = isinstance(labels, (tuple, dict))
    if tree and by_class:
        raise InputError(
            f"labels must be one array of whole numbers or names, found {type(labels).__name__}; "
            "with labels of another kind say by `rows` which examples a batch has"
        )
    if not tree:
        array = np.asarray(labels)
        # Of batches of one's own they may be other numbers, which the loss understands.
        tree = not by_class and (array.ndim != 1 or array.dtype.kind not in "iuUO")
    if not tree:
        names, numbers = np.unique(checks.as_labels(labels, rows), return_inverse=True)
        return numbers.astype(np.int32), len(names)
    labels = jax.tree.map(np.asarray, labels)
    if (there := _count(labels)) != rows:
        raise InputError(f"labels must be one for each of {rows} inputs, found {there}")
    return labels, 0


def _recall_at_1(encoder: nn.Module, variables: Any, validation: Any) -> Callable[[Any], float]:
    inputs, labels = network_checks.validation_pair(validation)
    inputs = network_checks.as_inputs(inputs)
    labels = checks.as_labels(labels, _count(inputs))
    one = jax.tree.map(lambda leaf: leaf[np.arange(1)], inputs)
    network_checks.output_of(encoder, variables, one)

    def score(params: Any) -> float:
        vectors = encode(Model(encoder, params["encoder"]), inputs)
        return retrieval(vectors, labels, ks=(1,)).recall[1]

    return score
