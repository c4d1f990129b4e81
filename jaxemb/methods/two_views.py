"""Two views of one object, such as a picture and its caption, brought to nearby points.

Example:
    import numpy as np

    from jaxemb import matching, two_views
    from jaxemb.models.encoders import MlpEncoder

    rng = np.random.default_rng(0)
    objects = rng.normal(size=(200, 4))
    pictures = (objects @ rng.normal(size=(4, 16))).astype(np.float32)  # [N, ...] of your own
    captions = (objects @ rng.normal(size=(4, 9))).astype(np.float32)  # row i belongs to row i
    towers = MlpEncoder(8, (32,)), MlpEncoder(8, (32,))
    loss = matching.losses.info_nce(temperature=0.1)
    options = two_views.Options(iterations=50, batch=32)
    fitted = two_views.fit(0, towers, loss, (pictures, captions), options)
    seen = two_views.encode(fitted.model, pictures, side="first")  # [N, 8], of length 1
    read = two_views.encode(fitted.model, captions, side="second")  # near to it

One tower instead of two encodes both views: captions of one picture. A tower that must not change
is `Options(frozen=...)`; for a projection on vectors that exist already give these as that view,
with a tower such as `MlpEncoder(dim, ())`, or `Given()` to take them as they are.
`jaxemb.methods.matching.losses` has the losses.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.evaluation.retrieval import retrieval
from jaxemb.fields import documented
from jaxemb.losses.terms import Terms
from jaxemb.methods import matching
from jaxemb.methods.matching.losses import Loss, check_loss
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training import loop, network, network_checks
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training

Side = Literal["first", "second"]
# (start, stop) -> [stop - start, B, 2] rows of first and second view in the pairs of these steps
Rows = Callable[[int, int], np.ndarray]
# (random key, first view, second view) -> both as the towers see them while they are trained
Augment = Callable[[jax.Array, Any, Any], tuple[Any, Any]]

_SIDES: tuple[Side, Side] = ("first", "second")


@documented
@dataclasses.dataclass(frozen=True)
class Options(matching.Steps):
    """Every number of the training; those of towers and loss are with these."""

    batch: int = 256
    """Pairs in a batch; each is told from the others."""
    frozen: tuple[Side, ...] = ()
    """Towers whose parameters, which must be given, don't change."""

    def __post_init__(self):
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        checks.check_field(self, "batch", at_least=2)
        if isinstance(self.frozen, str) or not set(self.frozen) <= set(_SIDES):
            raise InputError(f'frozen must be of ("first", "second"), found {self.frozen!r}')
        if len(set(self.frozen)) == 2:
            raise InputError("frozen must leave one tower to train, found both")


class Model(NamedTuple):
    """Trained towers.

    Attributes:
      first: of the first view.
      second: of the second; the same if one tower encodes both.
    """

    first: matching.Model
    second: matching.Model


class Fitted(NamedTuple):
    """What a training gives.

    Attributes:
      model: for `encode`.
      loss_params: what the loss itself learned; {} if nothing.
      options: of the training.
      history: how it went.
    """

    model: Model
    loss_params: Any
    options: Options
    history: History = History()


def fit(
    key: jax.Array | int,
    towers: nn.Module | tuple[nn.Module, nn.Module],
    loss: Loss,
    pairs: tuple[Any, Any],
    options: Options | None = None,
    *,
    labels: Any = None,
    augment: Augment | None = None,
    validation: tuple[Any, ...] | None = None,
    params: Mapping[str, Any] | None = None,
    rows: Rows | None = None,
    run: Run | None = None,
) -> Fitted:
    """Trains two towers, or one for both views, with Adam.

    Args:
      key: random key, or a seed.
      towers: Flax modules of the first and second view, each inputs [B, ...] to [B, D] of length 1;
        one alone, or the same twice, encodes both views.
      loss: from `jaxemb.methods.matching.losses`: `info_nce`, `sigmoid_pairs` and `ranking` compare
        the first views with the second ones, `nt_xent`, `triplet` and others all of both.
      pairs: the first views [N, ...] and the second ones, row i belongs to row i; lists, arrays of
        any kind or data frames, or trees of these.
      options: None takes the defaults.
      labels: [N] whole numbers or names; pairs with the same one are not told from each other. None
        if all differ.
      augment: changes the views of a batch at random, of a frozen tower its vectors; None leaves
        them as they are.
      validation: first views, second views and perhaps labels to judge by: the score is the mean of
        both ways' recall at 1. The parameters with the best score are kept.
      params: to start from: "first" and "second", as `Fitted.model.first.variables`, and "loss".
        What is missing is drawn. One tower for both views is "first".
      rows: which rows of both views are the pairs of each step; then these may differ in length,
        and labels are of the first. None draws each row once an epoch.
      run: checkpoints, log and progress.

    Returns:
      The model; the same bits for the same arguments on the same machine, interrupted or not.

    Raises:
      InputError: if arrays don't belong together, towers differ in width, the loss explodes, the
        embedding collapses to a point, or no checkpoint can be used.
    """
    training = start(
        key,
        towers,
        loss,
        pairs,
        options,
        labels=labels,
        augment=augment,
        validation=validation,
        params=params,
        rows=rows,
    )
    return loop.fit(training, run)


def start(
    key: jax.Array | int,
    towers: nn.Module | tuple[nn.Module, nn.Module],
    loss: Loss,
    pairs: tuple[Any, Any],
    options: Options | None = None,
    *,
    labels: Any = None,
    augment: Augment | None = None,
    validation: tuple[Any, ...] | None = None,
    params: Mapping[str, Any] | None = None,
    rows: Rows | None = None,
) -> Training:
    """Prepares a training; arguments and errors as in `fit`."""
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    modules = _modules(towers)
    check_loss(loss)
    views = _views(pairs, aligned=rows is None)
    count = len(jax.tree.leaves(views[0])[0])
    names = np.arange(count) if labels is None else checks.as_labels(labels, count)
    numbers = np.unique(names, return_inverse=True)[1].astype(np.int32)
    if rows is None and count < options.batch:
        raise InputError(f"batch must be at most the {count} pairs, found {options.batch}")
    owners = ("first", "first") if modules[0] is modules[1] else _SIDES
    # The steps fold the key with their numbers, of which this is one more.
    keys = jax.random.split(jax.random.fold_in(key, options.iterations), 4)
    variables, seen, dim = _towers(keys, modules, views, augment, params or {}, options)
    given = {name: one for name, one in variables.items() if name not in options.frozen}
    learned = (params or {}).get("loss")
    given["loss"] = loss.init(keys[2], 0, dim) if learned is None else learned
    drawn = rows or _aligned(minibatches(keys[3], rows=count, size=options.batch))

    def batches(start: int, stop: int) -> Any:
        chosen = drawn(start, stop)
        first, second = (
            jax.tree.map(lambda leaf, own=own: leaf[chosen[..., own]], view)
            for own, view in enumerate(seen)
        )
        return first, second, numbers[chosen[..., 0]]

    def draw(key: jax.Array, batch: Any) -> Any:
        first, second, own = batch
        if augment is None:
            return (first, second), key, own
        augment_key, loss_key = jax.random.split(key)
        return augment(augment_key, first, second), loss_key, own

    def embed(params: Any, inputs: Any) -> jax.Array:
        vectors = [
            jnp.asarray(module.apply(params[name], view)) if name in params else view
            for name, module, view in zip(owners, modules, inputs, strict=True)
        ]
        return jnp.stack(vectors, axis=1).reshape(-1, dim)  # both of a pair side by side

    def terms(params: Any, key: jax.Array, vectors: jax.Array, own: jax.Array) -> Terms:
        return loss.terms(params["loss"], key, vectors, jnp.repeat(own, 2))

    def finish(params: Any) -> Fitted:
        final = variables | params
        towers = (matching.Model(*one) for one in zip(modules, map(final.get, owners), strict=True))
        return Fitted(Model(*towers), params["loss"], options)

    size = drawn(0, 1).shape[1]
    return matching.start_on(
        key,
        given,
        embed,
        terms,
        batches,
        options,
        draw=draw,
        finish=finish,
        chance_loss=None if loss.chance is None else loss.chance(2 * size, size),
        score=None if validation is None else _recall_at_1(finish, validation),
    )


def encode(model: Model, inputs: Any, *, side: Side) -> np.ndarray:
    """Embeds one view of things, trained on or new.

    Args:
      model: from `fit`.
      inputs: [N, ...] as its tower sees them, or a tree of such arrays; N at least 1.
      side: "first" or "second".

    Returns:
      [N, D].

    Raises:
      InputError: if there are none, arrays differ in length, or the side is neither.
    """
    if not isinstance(model, Model):
        raise InputError(f"model must be that of a Fitted, found {type(model).__name__}")
    if side not in _SIDES:
        raise InputError(f"side must be 'first' or 'second', found {side!r}")
    return matching.encode(getattr(model, side), inputs)


def _modules(towers: Any) -> tuple[nn.Module, nn.Module]:
    modules = towers if isinstance(towers, (tuple, list)) else (towers, towers)
    if len(modules) != 2:
        raise InputError(f"towers must be two Flax modules or one for both, found {len(modules)}")
    for module in modules:
        network_checks.check_encoder(module)
    return modules[0], modules[1]


def _views(pairs: Any, *, aligned: bool) -> tuple[Any, Any]:
    if not isinstance(pairs, (tuple, list)) or len(pairs) != 2:
        raise InputError(
            f"pairs must be two, all first views and all second views, found "
            f"{f'{len(pairs)}' if isinstance(pairs, (tuple, list)) else type(pairs).__name__}"
        )
    first, second = (
        network_checks.as_inputs(view, name=f"{side} views")
        for side, view in zip(_SIDES, pairs, strict=True)
    )
    for side, view in zip(_SIDES, (first, second), strict=True):
        leaves = jax.tree.leaves(view)
        if not all(hasattr(leaf, "__len__") and getattr(leaf, "ndim", 1) for leaf in leaves):
            raise InputError(f"{side} views must be arrays, an example a row, found a number")
    counts = [{len(leaf) for leaf in jax.tree.leaves(view)} for view in (first, second)]
    for side, found in zip(_SIDES, counts, strict=True):
        if len(found) != 1:
            raise InputError(f"{side} views must be arrays of one length, found {sorted(found)}")
    if aligned and counts[0] != counts[1]:
        raise InputError(
            f"pairs must be as many first views as second ones, found {counts[0].pop()} and "
            f"{counts[1].pop()}; row i of one belongs to row i of the other"
        )
    return first, second


def _aligned(rows: Callable[[int, int], np.ndarray]) -> Rows:
    return lambda start, stop: np.repeat(rows(start, stop)[..., None], 2, axis=-1)


def _towers(
    keys: jax.Array,
    modules: tuple[nn.Module, nn.Module],
    views: tuple[Any, Any],
    augment: Augment | None,
    params: Mapping[str, Any],
    options: Options,
) -> tuple[dict[str, Any], list[Any], int]:
    """Returns each tower's parameters, the views as training sees them, and D."""
    sides = _SIDES[:1] if modules[0] is modules[1] else _SIDES
    if strange := params.keys() - {*sides, "loss"}:
        raise InputError(f"params must have the keys {', '.join(sides)} and loss, found {strange}")
    if options.frozen and len(sides) == 1:
        raise InputError("frozen must be empty where one tower encodes both views")
    if missing := set(options.frozen) - params.keys():
        raise InputError(
            f"params must hold the {missing.pop()} tower's parameters, which is frozen"
        )
    seen = [
        matching.encode(matching.Model(module, params[side]), view)
        if side in options.frozen
        else view
        for side, module, view in zip(_SIDES, modules, views, strict=True)
    ]
    one = jax.tree.map(lambda leaf: leaf[np.arange(1)], tuple(seen))
    shapes = one if augment is None else jax.eval_shape(augment, keys[0], *one)
    variables: dict[str, Any] = {}
    widths = []
    for side, key, module, shape in zip(_SIDES, keys, modules, shapes, strict=False):
        if side in options.frozen:
            variables[side] = params[side]
            widths.append(shape.shape[1:])
            continue
        name = side if side in sides else "first"
        if name not in variables:
            variables[name] = params[name] if name in params else _drawn(key, module, shape)
        widths.append(network_checks.output_of(module, variables[name], shape).shape[1:])
    if widths[0] != widths[1] or len(widths[0]) != 1:
        raise InputError(
            f"towers must embed into one space, found vectors of shape {list(widths[0])} and "
            f"{list(widths[1])}"
        )
    return variables, seen, int(widths[0][0])


def _drawn(key: jax.Array, module: nn.Module, shape: Any) -> Any:
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)
    with network_checks.taking(module, nothing):
        return network.initial(module, key, nothing)


def _recall_at_1(
    finish: Callable[[Any], Fitted], validation: tuple[Any, ...]
) -> Callable[[Any], float]:
    if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
        raise InputError(
            f"validation must be (first views, second views) or these with labels, found "
            f"{type(validation).__name__}"
        )
    views = _views(validation[:2], aligned=True)
    count = len(jax.tree.leaves(views[0])[0])
    labels = checks.as_labels(validation[2], count) if len(validation) == 3 else np.arange(count)

    def score(params: Any) -> float:
        model = finish(params).model
        first, second = (
            encode(model, view, side=side) for side, view in zip(_SIDES, views, strict=True)
        )
        there = retrieval(first, labels, others=(second, labels), ks=(1,))
        back = retrieval(second, labels, others=(first, labels), ks=(1,))
        return (there.recall[1] + back.recall[1]) / 2

    return score
