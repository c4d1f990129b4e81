"""What the experiments that train word vectors share: a training watched, and its figures."""

import dataclasses
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from jaxemb.data import Text
from jaxemb.training.run import Run
from jaxemb.training.state import Metrics

from .. import command, run_folder
from ..peak_memory import peak_mb

# Calls of a training, its last ones, whose mean loss is the final one.
LAST = 10


def watched(
    fit: Callable[[Run], Any], common: command.Common, text: Text, began: float
) -> tuple[Any, dict[str, Any]]:
    """Runs a training with checkpoints, lines of metrics and a progress bar.

    Args:
      fit: how to run it -> the method's Fitted.
      common: the run's.
      text: what it is trained on.
      began: when the run began, by `time.perf_counter`.

    Returns:
      The Fitted, and figures for the summary.

    Raises:
      InputError: if the loss explodes or no checkpoint can be used.
      SystemExit: after a signal.
    """
    ready: list[float] = []

    def report(done: int, metrics: Metrics, seconds: float) -> None:
        if not ready:
            ready.append(time.perf_counter() - began - seconds)
            tqdm.write(f"ready after {ready[0]:.1f} s")

    how = run_folder.engine_run(common)
    fitted = fit(dataclasses.replace(how, report=report))
    history = fitted.history
    run_folder.stop_if_asked(history)
    lines = read_log(common.out / "metrics.jsonl")
    speed = {name: value for name, value in lines[-1].items() if name.endswith("_per_second")}
    if not len(history.loss):
        # All was trained before.
        speed = dict.fromkeys(speed, math.nan)
    loss = float(np.mean([line["loss"] for line in lines[-LAST:]]))
    figures = {
        "words": text.corpus.words,
        "vocabulary": len(text.vocabulary),
        "steps": history.steps,
        "ready_seconds": ready[0] if ready else time.perf_counter() - began,
        "train_seconds": history.seconds,
        **speed,
        "final_loss": loss,
        "train_peak_memory_mb": peak_mb(),
    }
    rates = [
        f", {value:,.0f} {name.removesuffix('_per_second')}/s"
        for name, value in speed.items()
        if not math.isnan(value)
    ]
    print(f"\nloss {loss:.4g} after {history.steps:,} steps{''.join(rates)}")
    return fitted, figures


def read_log(path: Path) -> list[dict[str, float]]:
    """Returns the lines of a run's metrics.jsonl."""
    return [json.loads(line) for line in path.read_text().splitlines()]
