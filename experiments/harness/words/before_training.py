"""What the experiments that train tables of word vectors share: the run of the training."""

import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import jax
import numpy as np

from jaxemb import memory
from jaxemb.progress import progress_bar
from jaxemb.training import before_loop as loop
from jaxemb.training import checkpoint
from jaxemb.training.state import TrainState

from .. import command, run_folder
from ..peak_memory import peak_mb
from . import vectors as word_vectors

# Steps of a compiled call: long enough to hide its start, short enough for a live progress bar.
CALL_STEPS = 128


@dataclasses.dataclass(frozen=True)
class Config(word_vectors.Config):
    """The fields of all word vectors that are trained; an experiment adds its own."""

    epochs: int = 10
    """Passes over the corpus."""
    checkpoint_every: int = 0
    """Training steps between checkpoints; 0: at the end only."""

    def __post_init__(self):
        """Refuses values that no run can use.

        Raises:
          InputError: naming the field.
        """
        super().__post_init__()
        command.check_field(self, "epochs", at_least=1)
        command.check_field(self, "checkpoint_every", at_least=0)


class Stream(Protocol):
    """Batches of every epoch: `jaxemb.sampling.text.TextStream`, say."""

    @property
    def epoch_steps(self) -> np.ndarray:
        """[E] steps of each epoch."""

    def batches(self, start: int, stop: int) -> Any:
        """Returns the batches of steps [start, stop), stacked along a new first axis."""


def train(
    config: Config,
    text: word_vectors.Text,
    state: TrainState,
    prepare: Callable[[jax.Array, Any], Any],
    update: Callable[[TrainState, Any], tuple[TrainState, dict[str, jax.Array]]],
    stream: Stream,
    *,
    first_loss: float,
    began: float,
    pairs: int | None = None,
) -> tuple[Any, dict[str, float]]:
    """Takes all steps, or those left, with a progress bar, lines of metrics and checkpoints.

    Args:
      config: the experiment's.
      text: the corpus.
      state: to start from, unless there is a checkpoint; donated.
      prepare: (the step's key, the step's batch) -> its example.
      update: (state, example) -> (the next state, metrics).
      stream: the batches of the steps.
      first_loss: of vectors that know nothing, against which an exploding one is judged.
      began: when the run began, by `time.perf_counter`.
      pairs: of words in an epoch, by which speed is then told; None tells it by words of text.

    Returns:
      The trained parameters, and figures for the summary.

    Raises:
      InputError: if the loss explodes or no checkpoint can be used.
      SystemExit: after a signal.
    """
    steps = int(stream.epoch_steps.sum())
    checkpoints = config.out / "checkpoints"
    if (held := checkpoint.restore(checkpoints, state)) is not None:
        for complaint in held.rejected:
            print(complaint, file=sys.stderr)
        state = held.state
        print(f"going on from step {held.step:,} of {steps:,}")
    resumed = int(state.step)
    metrics_path = config.out / "metrics.jsonl"
    run_folder.cut_metrics(metrics_path, resumed)

    call_steps = min(CALL_STEPS, steps)
    call = loop.compile_steps(prepare, update, state, stream.batches(0, call_steps))
    memory.give_back()
    words = text.corpus.words
    unit, epoch = ("words", words) if pairs is None else ("pairs", pairs)
    step_size = epoch * config.epochs / steps
    ready = time.perf_counter() - began
    print(
        f"{words:,} words, {len(text.vocabulary):,} different ones with count >= "
        f"{config.min_count}, {steps:,} steps; ready after {ready:.1f} s"
    )
    with (
        progress_bar(
            total=round(step_size * steps),
            initial=round(step_size * resumed),
            unit=f" {unit}",
            unit_scale=True,
        ) as bar,
        metrics_path.open("a") as metrics_file,
    ):

        def report(done: int, metrics: loop.Metrics, seconds: float) -> None:
            loss = float(metrics["loss"].mean())
            rate = step_size * (done - resumed) / seconds
            bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
            bar.update(round(step_size * done) - bar.n)
            line = {
                "step": done,
                "loss": loss,
                "learning_rate": float(metrics["learning_rate"][-1]),
                f"{unit}_per_second": rate,
            }
            metrics_file.write(json.dumps(line) + "\n")
            metrics_file.flush()

        outcome = loop.train(
            state,
            call,
            stream.batches,
            steps=steps,
            call_steps=call_steps,
            checkpoints=checkpoints,
            checkpoint_every=config.checkpoint_every,
            report=report,
            first_loss=first_loss,
        )
    if outcome.stopped is not None:
        print(f"stopped at step {int(outcome.state.step):,}; the same command goes on from there")
        sys.exit(128 + outcome.stopped)
    final_loss = [json.loads(line)["loss"] for line in metrics_path.read_text().splitlines()][-10:]
    trained = step_size * (steps - resumed)
    figures = {
        "words": words,
        "vocabulary": len(text.vocabulary),
        "steps": steps,
        "ready_seconds": ready,
        "train_seconds": outcome.seconds,
        f"{unit}_per_second": trained / outcome.seconds if trained else math.nan,
        "final_loss": float(np.mean(final_loss)),
        "train_peak_memory_mb": peak_mb(),
    }
    speed = figures[f"{unit}_per_second"]
    told = "" if math.isnan(speed) else f", {speed:,.0f} {unit}/s"
    print(f"\nloss {figures['final_loss']:.4g}{told}")
    return outcome.state.params, figures
