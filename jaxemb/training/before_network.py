"""Training of networks with Adam, and their use on many examples."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxemb.errors import InputError
from jaxemb.training import before_loop as loop
from jaxemb.training import checkpoint
from jaxemb.training.state import TrainState

# Steps of a compiled call, and examples that a finished network is applied to at a time.
CALL_STEPS = 25
AT_A_TIME = 4096

Report = Callable[[int, loop.Metrics, float], None]
# (parameters, example) -> (loss [], what else to look at)
Objective = Callable[[Any, Any], tuple[jax.Array, dict[str, jax.Array]]]


class Trained(NamedTuple):
    """A trained network.

    Attributes:
      params: of it.
      loss: [steps] of each step of this call.
      seconds: wall time of the loop of this call, without compilation.
      stopped_because: "iterations done" or the name of the signal.
      rejected: a sentence for each checkpoint that was found damaged and passed over.
    """

    params: Any
    loss: np.ndarray
    seconds: float
    stopped_because: str
    rejected: tuple[str, ...]


def fit(
    key: jax.Array,
    params: Any,
    objective: Objective,
    batches: Callable[[int, int], Any],
    *,
    prepare: Callable[[jax.Array, Any], Any] = lambda key, batch: batch,
    iterations: int,
    learning_rate: float,
    weight_decay: float = 0.0,
    first_loss: float,
    call_steps: int = CALL_STEPS,
    checkpoints: Path | None = None,
    checkpoint_every: int = 0,
    report: Report | None = None,
) -> Trained:
    """Trains with Adam, its learning rate falling to 0 along a cosine.

    Args:
      key: of the random numbers that `prepare` draws.
      params: to start from.
      objective: (parameters, example) -> (loss [], metrics {name: []}).
      batches: (start, stop) -> the data of these steps, stacked along a new first axis.
      prepare: (the step's key, the step's data) -> its example: augmentation, noise.
      iterations: steps; goes on from the last checkpoint if there is one.
      learning_rate: at the start.
      weight_decay: share of a weight, times the learning rate, taken off it each step; biases and
        other vectors keep theirs (Loshchilov & Hutter 2019, arXiv:1711.05101).
      first_loss: of a network that knows nothing, against which an exploding one is judged.
      call_steps: steps of a compiled call; fewer take less memory.
      checkpoints: folder of the checkpoints; None keeps none.
      checkpoint_every: steps between them; 0 saves at the end only.
      report: called with (steps done, metrics of the latest, seconds so far).

    Returns:
      The network; the same bits for the same arguments on the same machine, interrupted or not.

    Raises:
      InputError: if a number is none of the above, the loss explodes, or no checkpoint can be used.
    """
    if iterations < 1:
        raise InputError(f"iterations must be at least 1, found {iterations}")
    if not 0 < learning_rate < float("inf"):
        raise InputError(f"learning_rate must be finite and more than 0, found {learning_rate}")
    schedule = optax.cosine_decay_schedule(learning_rate, iterations)
    optimizer = optax.adam(schedule)
    if weight_decay:
        matrices = jax.tree.map(lambda leaf: leaf.ndim > 1, params)
        optimizer = optax.adamw(schedule, weight_decay=weight_decay, mask=matrices)
    # The loop donates its state; the caller keeps what is his.
    key, params = jax.tree.map(jnp.copy, (key, params))
    state = TrainState(jnp.zeros((), jnp.int32), key, params, optimizer.init(params))
    rejected: tuple[str, ...] = ()
    if checkpoints is not None and (held := checkpoint.restore(checkpoints, state)) is not None:
        state, rejected = held.state, held.rejected

    def update(state: TrainState, example: Any) -> tuple[TrainState, dict[str, jax.Array]]:
        differentiate = jax.value_and_grad(objective, has_aux=True)
        (loss, metrics), gradient = differentiate(state.params, example)
        changes, opt_state = optimizer.update(gradient, state.opt_state, state.params)
        params = optax.apply_updates(state.params, changes)
        metrics = {"loss": loss, "learning_rate": jnp.asarray(schedule(state.step)), **metrics}
        return TrainState(state.step + 1, state.key, params, opt_state), metrics

    losses: list[np.ndarray] = []

    def note(done: int, metrics: loop.Metrics, seconds: float) -> None:
        losses.append(metrics["loss"])
        if report is not None:
            report(done, metrics, seconds)

    size = min(call_steps, iterations)
    outcome = loop.train(
        state,
        loop.compile_steps(prepare, update, state, batches(0, size)),
        batches,
        steps=iterations,
        call_steps=size,
        checkpoints=checkpoints,
        checkpoint_every=checkpoint_every,
        report=note,
        first_loss=first_loss,
    )
    because = "iterations done" if outcome.stopped is None else signal.Signals(outcome.stopped).name
    trace = np.concatenate(losses) if losses else np.empty(0, np.float32)
    return Trained(outcome.state.params, trace, outcome.seconds, because, rejected)


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
