"""The folder of a run: what it was asked, how it went, what came out."""

import importlib.metadata
import json
import math
import platform
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax

from jaxemb.atomic import replacing
from jaxemb.commands.flag_help import flags
from jaxemb.errors import InputError
from jaxemb.training.run import Run
from jaxemb.training.state import History

from .command import Common, flat_fields
from .commit import commit
from .peak_memory import peak_mb

# Where things lie, and what a finished run is asked, is not part of what a run computes.
_PLACES = ("out", "data_dir", "font", "checkpoint_seconds", "query", "recommend")
_BEGAN = time.perf_counter()
# What a start leaves that failed before there was anything to lose.
_STARTED = {"config.json", "rows.npy"}
_PACKAGES = ("jaxemb", "jax", "jaxlib", "numpy", "optax", "flax", "orbax-checkpoint", "scipy")


def open_run(out: Path, config: Any, data_sha256: Mapping[str, str]) -> bool:
    """Makes a run's folder, or goes on with the run that it holds.

    Args:
      out: the folder.
      config: the run's, a dataclass.
      data_sha256: checksum of each data file.

    Returns:
      False if the folder holds this run, finished, which is then shown.

    Raises:
      InputError: if the folder holds a run of another configuration or something else, or the
        font that is asked for is none.
    """
    font = flat_fields(config).get("font")
    if font is not None:
        from jaxemb.plots.fonts import add_font  # Matplotlib loads slowly

        add_font(font)
    asked = {
        "config": {
            name: value
            for name, value in json.loads(json.dumps(flat_fields(config), default=str)).items()
            if name not in _PLACES
        },
        "data_sha256": {Path(name).name: value for name, value in data_sha256.items()},
    }
    path = out / "config.json"
    if path.exists():
        try:
            known = json.loads(path.read_text())
            held = {name: dict(known[name]) for name in asked}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a run's configuration: {error}") from error
        differing = [
            f"{name} is {held[part].get(name)!r} there and {asked[part].get(name)!r} here"
            for part in asked
            for name in sorted(held[part].keys() | asked[part].keys())
            if held[part].get(name) != asked[part].get(name)
        ]
        there = {entry.name for entry in out.iterdir() if entry.suffix != ".part"}
        if differing and there - _STARTED:
            raise InputError(
                f"{out} holds a run of another configuration: {'; '.join(differing)}. Give "
                "another --out, or delete the folder"
            )
        missing = sorted(set(known.get("files", ())) - there)
        if missing:
            print(f"{out} holds this run, finished, but no {', '.join(missing)}: made again")
        # A font is asked for to have the pictures drawn again.
        elif (summary := out / "summary.json").exists() and font is None:
            print(f"{out} holds this run, finished:")
            print(summary.read_text(), end="")
            return False
        if not differing:
            return True
    out.mkdir(parents=True, exist_ok=True)
    # A run killed at its very start leaves a half-written configuration.
    left = {entry.name for entry in out.iterdir() if entry.suffix != ".part"}
    if others := sorted(left - (_STARTED if path.exists() else set())):
        raise InputError(
            f"{out} holds {others[0]!r} but no config.json, so it is no run's folder. Give another "
            "--out"
        )
    device = jax.devices()[0]
    facts = {
        "command": command_of(config),
        "commit": commit(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "device": device.device_kind,
        "devices": jax.device_count(),
    }
    write_json(path, asked | facts)
    return True


def command_of(config: Any) -> str:
    """Returns the command of an experiment, with the flags that differ from their defaults."""
    name = type(config).__module__.rpartition(".")[2]
    if name == "__main__":
        spec = sys.modules["__main__"].__spec__
        name = "" if spec is None else spec.name.rpartition(".")[2]
    words = ["python", "-m", f"experiments.{name}"]
    usual = {flag.field: flag.default for flag in flags(type(config))}
    for field, value in flat_fields(config).items():
        if field in _PLACES or value == usual.get(field):
            continue
        flag = field.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            several = value if isinstance(value, (list, tuple)) else [value]
            words += [f"--{flag}", *map(str, several)]
    return " ".join(words)


def finish(out: Path, figures: Mapping[str, Any]) -> None:
    """Writes summary.json, which says that the run is finished, and tells what there is.

    Args:
      out: the run's folder. Pictures and other files are to be written before.
      figures: flat; beside them go the most memory that the process held and its minutes so far.
    """
    minutes = (time.perf_counter() - _BEGAN) / 60
    write_json(
        out / "summary.json", {**figures, "peak_memory_mb": peak_mb(), "run_minutes": minutes}
    )
    files = sorted(path.name for path in out.iterdir())
    configuration = json.loads((out / "config.json").read_text())
    # What is deleted of these is made again; checkpoints may be deleted to have the room.
    results = [name for name in files if name not in ("checkpoints", "metrics.jsonl")]
    if configuration.get("files") != results:
        write_json(out / "config.json", configuration | {"files": results})
    print("wrote", ", ".join(str(out / name) for name in files))


def engine_run(common: Common, folder: Path | None = None) -> Run:
    """Returns how a training runs: checkpoints, metrics.jsonl and a progress bar.

    Args:
      common: the experiment's.
      folder: of metrics.jsonl and checkpoints/. None takes the run's; an experiment that trains
        several networks needs one for each.
    """
    folder = common.out if folder is None else folder
    return Run(
        checkpoints=folder / "checkpoints",
        seconds=common.checkpoint_seconds,
        log=folder / "metrics.jsonl",
        progress=True,
    )


def stop_if_asked(history: History, *, checkpoints: bool = True) -> None:
    """Ends the program if a signal ended the training.

    Args:
      history: of the training.
      checkpoints: whether it saved any.

    Raises:
      SystemExit: with 128 and the signal's number.
    """
    if history.stopped_because in signal.Signals.__members__:
        way = "goes on from there" if checkpoints else "starts again"
        print(f"stopped at step {history.steps:,}; the same command {way}")
        sys.exit(128 + signal.Signals[history.stopped_because])


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes JSON so that the file is there whole or not at all.

    JSON has no NaN and no infinity: such a number, a score that too few known words allow, say,
    becomes null.
    """
    with replacing(path) as part:
        part.write_text(json.dumps(_without_nan(content), indent=2, allow_nan=False) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
