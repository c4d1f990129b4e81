"""Training of networks with Adam, and their use on many examples."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn

from jaxemb.errors import InputError
from jaxemb.training.state import Metrics, Training, TrainState, Update

# Examples that a finished network is applied to at a time.
AT_A_TIME = 4096

# (parameters, example) -> (loss [], what else to look at)
Objective = Callable[[Any, Any], tuple[jax.Array, dict[str, jax.Array]]]


class Validation(NamedTuple):
    """How a network is judged while it is trained; the best parameters are kept.

    Attributes:
      score: parameters -> their score on validation data; higher is better.
      every: steps from one judgment to the next; judged at the end of the call under way.
      patience: judgments in a row without a better score that end the training; 0 never does.
    """

    score: Callable[[Any], float]
    every: int
    patience: int


def validation_by(
    score: Callable[[Any], float] | None, *, every: int, patience: int
) -> Validation | None:
    """Returns how a network is to be judged, None without a score.

    Raises:
      InputError: if there is patience, but nothing to wait for.
    """
    if score is not None:
        return Validation(score, every, patience)
    if patience:
        raise InputError(
            f"patience needs validation data to judge by, found {patience} without; give "
            "`validation`, or leave it at 0"
        )
    return None


class Pace(NamedTuple):
    """How steps have adapted.

    Attributes:
      factor: [] of the learning rate; 1 as long as all goes well.
      loss: [] of the step before.
      chance: [] that at chance level, or of the first step if that is more.
    """

    factor: jax.Array
    loss: jax.Array
    chance: jax.Array

    def after(self, loss: jax.Array) -> "Pace":
        """Halves the factor if the loss is still rising beyond twice that at chance level."""
        # Before the first step, that of the step before is infinite.
        chance = jnp.where(jnp.isinf(self.loss), jnp.maximum(loss, self.chance), self.chance)
        rising = (loss > 2 * chance) & (loss > self.loss)
        return Pace(jnp.where(rising, self.factor / 2, self.factor), loss, chance)


class Best(NamedTuple):
    """The best parameters so far."""

    params: Any
    score: jax.Array  # [] float32
    since: jax.Array  # [] int32, judgments since then


def start(
    key: jax.Array,
    params: Any,
    objective: Objective,
    batches: Callable[[int, int], Any],
    *,
    draw: Callable[[jax.Array, Any], Any] = lambda key, batch: batch,
    finish: Callable[[Any], Any],
    iterations: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    chance_loss: float | None = None,
    call_steps: int = 25,
    judge: Callable[[TrainState, Metrics], TrainState] = lambda state, metrics: state,
    validation: Validation | None = None,
    about: Any = (),
) -> Training:
    """Prepares a training with Adam, its learning rate falling to 0 along a cosine.

    The first steps of wide layers have lower ones (`gentle`). Where the loss rises beyond twice
    that at chance level all the same, the rates of this and all later steps are halved (`Pace`).

    Args:
      key: random key of what `draw` draws.
      params: to start from.
      objective: (parameters, example) -> (loss [], metrics {name: []}).
      batches: (start, stop) -> the data of these steps, stacked along a new first axis.
      draw: (the step's key, the step's data) -> its example: augmentation, noise.
      finish: the last parameters, or the best of a validation -> the method's Fitted.
      iterations: steps.
      learning_rate: at the start, after the first steps of wide layers.
      weight_decay: share of a weight, times the learning rate, taken off it each step; biases and
        other vectors keep theirs (Loshchilov & Hutter 2019, arXiv:1711.05101).
      chance_loss: as in `Training`.
      call_steps: steps of a compiled call; fewer take less memory.
      judge: as in `Training`.
      validation: how to judge the network on the way; None keeps the last parameters.
      about: as in `Training`.

    Returns:
      The training.

    Raises:
      InputError: if a number is outside its documented range.
    """
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, found {iterations}")
    if not 0 < learning_rate < float("inf"):
        raise InputError(f"learning_rate must be finite and more than 0, found {learning_rate}")
    schedule = gentle(optax.cosine_decay_schedule(learning_rate, iterations), params)
    # Without the learning rate, which the pace changes.
    optimizer = optax.scale_by_adam()
    if weight_decay:
        matrices = jax.tree.map(lambda leaf: leaf.ndim > 1, params)
        decay = optax.add_decayed_weights(weight_decay, mask=matrices)
        optimizer = optax.chain(optimizer, decay)

    def take(state: TrainState, example: Any) -> tuple[TrainState, dict[str, jax.Array]]:
        adam, pace = state.opt_state if validation is None else state.opt_state[0]
        differentiate = jax.value_and_grad(objective, has_aux=True)
        (loss, metrics), gradient = differentiate(state.params, example)
        directions, adam = optimizer.update(gradient, adam, state.params)
        pace = pace.after(jnp.asarray(loss, jnp.float32))
        rate = schedule(state.step) * pace.factor
        changes = jax.tree.map(lambda leaf: (-rate).astype(leaf.dtype) * leaf, directions)
        params = optax.apply_updates(state.params, changes)
        metrics = {"loss": loss, "learning_rate": rate, **metrics}
        opt_state: Any = (adam, pace)
        if validation is not None:
            opt_state = (opt_state, state.opt_state[1])
        return TrainState(state.step + 1, state.key, params, opt_state), metrics

    # The loop donates its state; the caller keeps what is theirs.
    key, params = jax.tree.map(jnp.copy, (key, params))
    chance = -jnp.inf if chance_loss is None else chance_loss
    # Arrays of their own: the state is donated.
    pace = Pace(*(jnp.asarray(number, jnp.float32) for number in (1, jnp.inf, chance)))
    opt_state = (optimizer.init(params), pace)
    if validation is None:
        state = TrainState(jnp.zeros((), jnp.int32), key, params, opt_state)
        return Training(
            state,
            iterations,
            batches,
            Update(draw, take),
            lambda state: finish(state.params),
            chance_loss=chance_loss,
            call_steps=call_steps,
            judge=judge,
            about=about,
        )
    none_yet = Best(jax.tree.map(jnp.copy, params), jnp.float32(-jnp.inf), jnp.int32(0))
    state = TrainState(jnp.zeros((), jnp.int32), key, params, (opt_state, none_yet))
    return Training(
        state,
        iterations,
        batches,
        Update(draw, take),
        lambda state: finish(state.opt_state[1].params),
        chance_loss=chance_loss,
        call_steps=call_steps,
        judge=lambda state, metrics: _keep_best(
            judge(state, metrics), len(metrics["loss"]), iterations, validation
        ),
        stopped=lambda state: _out_of_patience(state, validation),
        about=about,
    )


def gentle(schedule: optax.Schedule, params: Any) -> optax.Schedule:
    """Lowers Adam's first learning rates where layers are wide.

    Adam's first step moves every weight by the learning rate, however small its gradient. The moves
    of all weights of a unit add up, so that a rate that suits later steps throws a wide layer far
    off. Step t, from 1, has at most the rate t / the most inputs of a layer: the usual rate of 1e-3
    is that of the first step already, unless a layer has more than a thousand inputs.

    Args:
      schedule: step -> learning rate.
      params: of the network; a layer's weights are called "kernel", as Flax does, outputs last.

    Returns:
      The schedule.
    """
    inputs = [
        leaf.size // leaf.shape[-1]
        for path, leaf in jax.tree.leaves_with_path(params)
        if getattr(path[-1], "key", "") == "kernel"
    ]
    widest = max(inputs, default=1)

    def rate(step: jax.Array) -> jax.Array:
        usual = jnp.asarray(schedule(step))
        return jnp.minimum(usual, ((step + 1) / widest).astype(usual.dtype))

    return rate


def _keep_best(
    state: TrainState, steps: int, iterations: int, validation: Validation
) -> TrainState:
    """Judges the parameters if it is time to, and keeps them if they are the best."""
    done = int(state.step)
    if done < iterations and done // validation.every == (done - steps) // validation.every:
        return state
    opt_state, best = state.opt_state
    score = np.float32(validation.score(state.params))
    if not np.isfinite(score):
        raise InputError(f"the validation score is {score} after {done} steps; is a label missing?")
    if score > float(best.score):
        best = Best(jax.tree.map(jnp.copy, state.params), jnp.asarray(score), jnp.int32(0))
    else:
        best = best._replace(since=best.since + 1)
    return state._replace(opt_state=(opt_state, best))


def _out_of_patience(state: TrainState, validation: Validation) -> str:
    since = int(state.opt_state[1].since)
    if validation.patience and since >= validation.patience:
        return f"no better for {since} validations"
    return ""


def initial(module: nn.Module, key: jax.Array, inputs: Any) -> Any:
    """Draws a network's first parameters; equal networks share one compiled program.

    Args:
      module: the network.
      key: random key.
      inputs: arrays [B, ...], for their shapes.

    Returns:
      What `module.init` returns.
    """
    if _told_apart(module):
        return _initial(module, key, inputs)
    return jax.jit(module.init)(key, inputs)


def compiled(module: nn.Module, method: str | None = None) -> Callable[[Any, Any], Any]:
    """Returns a network's function of parameters and inputs; equal networks share one program.

    Args:
      module: the network.
      method: of the network; None calls it.

    Returns:
      The function: (variables, arrays [B, ...]) -> what the network makes of them.
    """
    if _told_apart(module):
        return functools.partial(_apply, module, method)
    return jax.jit(functools.partial(module.apply, method=method))


def _told_apart(module: nn.Module) -> bool:
    """Tells whether networks like this can be compared: not if a field is an array."""
    try:
        hash(module)
    except TypeError:
        return False
    return True


@functools.partial(jax.jit, static_argnames="module")
def _initial(module: nn.Module, key: jax.Array, inputs: Any) -> Any:
    return module.init(key, inputs)


@functools.partial(jax.jit, static_argnames=("module", "method"))
def _apply(module: nn.Module, method: str | None, variables: Any, inputs: Any) -> Any:
    return module.apply(variables, inputs, method=method)


def in_blocks(
    apply: Callable[..., jax.Array], *examples: np.ndarray, at_a_time: int = AT_A_TIME
) -> np.ndarray:
    """Applies a function to many examples in bounded memory.

    Args:
      apply: arrays of [B, ...] -> [B, ...], each row by itself.
      examples: [N, ...] each, N at least 1.
      at_a_time: B, at most.

    Returns:
      [N, ...].
    """
    return np.concatenate(
        [
            np.asarray(apply(*(part[start : start + at_a_time] for part in examples)))
            for start in range(0, len(examples[0]), at_a_time)
        ]
    )
