"""What a method gives to the engine, and what the engine gives back."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

Metrics = dict[str, np.ndarray]


class TrainState(NamedTuple):
    """Everything a run needs to continue: save this and nothing else.

    Attributes:
      step: [] int32, updates done so far.
      key: [] base key; never consumed, only folded with the step.
      params: what is trained.
      opt_state: the optimizer's.
      numbers: plain numbers that may differ between runs of one compiled program.
    """

    step: jax.Array
    key: jax.Array
    params: Any
    opt_state: Any
    numbers: Any = ()


@dataclasses.dataclass(frozen=True)
class Update:
    """A step, as a function (state, batch) -> (the next state, metrics).

    The engine calls its two halves in programs of their own: random numbers are drawn for many
    steps at once. Called as a whole it gives the same bits.

    Attributes:
      draw: (the step's key, the step's batch) -> its example, with all that is random drawn.
      take: (state, example) -> (the next state, metrics, "loss" and "learning_rate" among them).
    """

    draw: Callable[[jax.Array, Any], Any]
    take: Callable[[TrainState, Any], tuple[TrainState, dict[str, jax.Array]]]

    def __call__(self, state: TrainState, batch: Any) -> tuple[TrainState, dict[str, jax.Array]]:
        """Takes one step; pure and traceable."""
        example = self.draw(jax.random.fold_in(state.key, state.step), batch)
        return self.take(state, example)


class History(NamedTuple):
    """How a run went.

    Attributes:
      steps: updates done in all, those before a restart included.
      loss: [K] of each step since the last start.
      seconds: wall time since the last start, without compilation.
      stopped_because: "done", "converged", "no better for ...", or the name of a signal.
      rejected: a sentence for each checkpoint that was found damaged and passed over.
    """

    steps: int = 0
    loss: np.ndarray = np.zeros(0, np.float32)
    seconds: float = 0.0
    stopped_because: str = ""
    rejected: tuple[str, ...] = ()


class Unit(NamedTuple):
    """What speed is told in."""

    name: str = "steps"
    a_step: float = 1.0  # how many of them a step works through


class Training(NamedTuple):
    """A training that is ready to run: `start` of every iterative method returns it.

    A loop of one's own takes the same steps as `fit`, to the same bits:

        training = word2vec.start(0, text, options)
        state, update = training.state, jax.jit(training.update)
        for step in range(training.steps):
            state, metrics = update(state, training.batch(step))
        fitted = training.finish(state)  # without a history: that is the loop's own

    t-SNE's update alone is called as it is, without `jax.jit`: the host picks its programs.

    Attributes:
      state: to start from. The engine donates it: its arrays are changed in place.
      steps: of the whole training.
      batches: (start, stop) -> the host's part of these steps, stacked along a new first axis.
      update: the step.
      finish: the last state -> the method's Fitted.
      chance_loss: the loss at chance level, against which an exploding one is judged; that of the
        first step if that is more, or if this is None.
      call_steps: steps of a compiled call, at most: long enough to hide its start, short enough
        for a live progress bar.
      call: (state, batches, how many of them) -> (state, metrics), where the host must pick a
        program; None compiles one from `update`.
      judge: (state, metrics of the call) -> state, after each call: scores on validation data,
        convergence. It may raise an InputError.
      stopped: the reason why a state is the last, "" if it isn't.
      unit: of speed.
      about: options, and data that the batches don't show: checkpoints of others are refused.
    """

    state: TrainState
    steps: int
    batches: Callable[[int, int], Any]
    update: Update
    finish: Callable[[TrainState], Any]
    chance_loss: float | None = None
    call_steps: int = 25
    call: Callable[[TrainState, Any, int], tuple[TrainState, Any]] | None = None
    judge: Callable[[TrainState, Metrics], TrainState] = lambda state, metrics: state
    stopped: Callable[[TrainState], str] = lambda state: ""
    unit: Unit = Unit()
    about: Any = ()

    def batch(self, step: int) -> Any:
        """Returns the host's part of a step."""
        return jax.tree.map(lambda leaf: leaf[0], self.batches(step, step + 1))
