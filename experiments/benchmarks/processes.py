"""Measurements in child processes, one at a time, and the machine that they ran on."""

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxemb.errors import InputError

from ..harness.commit import commit

Figures = dict[str, float]

_BEGAN = time.perf_counter()
_SHOWN = ("seconds", "words_per_second", "peak_mb")


def say(text: str) -> None:
    """Prints a line of progress with the seconds since the start."""
    print(f"[{time.perf_counter() - _BEGAN:7.1f} s] {text}", flush=True)


def take_turns(repeats: int, measures: Mapping[str, Callable[[], Figures]]) -> dict[str, Figures]:
    """Measures each in turn, several times over.

    Args:
      repeats: how often.
      measures: the measurements, by name.

    Returns:
      By name: the median of each of its figures.
    """
    found: dict[str, list[Figures]] = {name: [] for name in measures}
    for _ in range(repeats):
        for name, measure in measures.items():
            figures = measure()
            found[name].append(figures)
            shown = (f"{key} {figures[key]:,.5g}" for key in _SHOWN if key in figures)
            say(f"{name}: {', '.join(shown)}")
    return {
        name: {key: float(np.median([figures[key] for figures in rounds])) for key in rounds[0]}
        for name, rounds in found.items()
    }


def run(arguments: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> str:
    """Runs a program to its end.

    Args:
      arguments: the program and its arguments.
      log: file for its standard error.
      environment: added to that of this process.

    Returns:
      Its standard output.

    Raises:
      InputError: with its last line, if it refuses its input (status 2).
      RuntimeError: if it fails otherwise.
    """
    with log.open("w") as errors:
        ran = subprocess.run(
            arguments,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **environment},
            text=True,
            check=False,
        )
    if ran.returncode:
        fail(arguments, ran.returncode, log)
    return ran.stdout


def time_until(
    pattern: str, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str]
) -> tuple[float, re.Match[str]]:
    """Times a program from its start to a line that it prints, and kills it there.

    Args:
      pattern: regular expression that the line contains.
      arguments: the program and its arguments.
      log: file for its standard error.
      environment: added to that of this process.

    Returns:
      The seconds and the match.

    Raises:
      InputError, RuntimeError: as `run`, if the line doesn't come.
    """
    # Unbuffered: else the line would wait for others.
    environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
    with log.open("w") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            arguments, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True
        )
        try:
            for line in process.stdout or ():
                if match := re.search(pattern, line):
                    return time.perf_counter() - began, match
        finally:
            process.kill()
            process.communicate()
    return fail(arguments, process.returncode, log)


def fail(arguments: Sequence[str], status: int, log: Path) -> Any:
    """Raises what fits a child's failure."""
    lines = log.read_text().splitlines() or [""]
    if status == 2 and lines[-1].startswith("error: "):
        raise InputError(lines[-1].removeprefix("error: "))
    told = "\n".join(lines[-20:])
    raise RuntimeError(f"{' '.join(arguments)} ended with status {status}:\n{told}")


def child(
    module: str,
    task: str,
    arguments: Mapping[str, Any],
    *,
    log: Path,
    environment: Mapping[str, str],
) -> Any:
    """Runs a task of a module in a process of its own, and returns the JSON it prints last."""
    words = python(module, task, json.dumps(arguments, default=str))
    return json.loads(run(words, log=log, environment=environment).splitlines()[-1])


def keep_to_cores(count: int) -> None:
    """Keeps this process and its children to so many cores.

    Raises:
      InputError: if there are fewer.
    """
    if not hasattr(os, "sched_setaffinity"):  # only Linux has it
        cores = os.cpu_count() or 1
        if cores != count:
            print(f"warning: processes can't be kept to {count} of {cores} cores here")
        return
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < count:
        raise InputError(f"--threads {count} is more than the {len(allowed)} cores here")
    os.sched_setaffinity(0, allowed[:count])


def describe_machine(packages: Sequence[str]) -> dict[str, str | int | None]:
    """Returns processor, cores, commit and versions."""
    processor, info = platform.processor() or platform.machine(), Path("/proc/cpuinfo")
    if info.exists() and (model := re.search(r"model name\s*: (.*)", info.read_text())):
        processor = model[1]
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "commit": commit(),
        "python": platform.python_version(),
        **versions,
    }


def python(module: str, *words: str) -> list[str]:
    """Returns the command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *words]
