"""The command line that commands and experiments share: flags in, status out."""

import atexit
import contextlib
import dataclasses
import io
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any, NoReturn, TypeVar, get_type_hints

import jax
import tyro
from tqdm import tqdm

from jaxemb.commands import flag_help
from jaxemb.errors import InputError, StoppedEarly
from jaxemb.training.loop import gives_way

Config = TypeVar("Config")

_SUGGESTIONS = ("Perhaps you meant", "Available subcommands")

# Seconds after which a stop that was dropped is tried again.
_AGAIN = 2.0
# Exit status of what SIGINT or SIGTERM stopped.
STOPPED = (130, 143)
# How files of vectors are read; a command without these flags names the one that has them.
CONVERTS = ("format", "encoding", "errors", "lenient")


class _Stopped(BaseException):
    """A signal asked to stop; no Exception, so that nothing on the way takes it for an error."""

    def __init__(self, number: int):
        self.status = 128 + number


def main(
    config_type: type[Config],
    run: Callable[[Config], object],
    argv: Sequence[str] | None = None,
    *,
    prog: str | None = None,
) -> int:
    """Runs a command with the configuration that the command line asks for.

    A bad flag, file or value ends in one line `error: ...` on standard error. Other exceptions
    are faults of ours and pass through, for Python to report with exit status 1.

    Args:
      config_type: frozen dataclass; its fields and those of the dataclasses among them are the
        flags, its docstring and theirs the help.
      run: the command.
      argv: the words after the program's name; None takes those of this process.
      prog: the program's name, for the help; None takes how Python starts this module.

    Returns:
      Exit status: 0 when done, 2 when the user's input is at fault, 130 or 143 when SIGINT or
      SIGTERM stopped it.

    Raises:
      SystemExit: with status 0 after `--help`.
    """
    if prog is None:
        # Known by its module even under `python -m`, where __name__ is "__main__".
        module = sys.modules[config_type.__module__].__spec__
        prog = None if module is None else f"python -m {module.name.removeprefix('jaxemb.')}"
    words = sys.argv[1:] if argv is None else list(argv)
    commands = flag_help.subcommands(config_type)
    if commands:
        words = _command_first(words, commands, flag_help.switches(config_type))
    asked = {"-h", "--help", "--help-all"} & set(words)
    if asked and not commands:
        print(flag_help.text(config_type, prog or "", every="--help-all" in asked))
        raise SystemExit(0)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            flat = tyro.conf.OmitArgPrefixes[config_type]  # type: ignore[valid-type]
            config = tyro.cli(flat, prog=prog, args=words)
    except SystemExit as stop:
        if stop.code != 2:
            raise
        return _fail(with_flag(_one_line(complaint.getvalue()), config_type))
    try:
        with _stop_on_signals(), _log_on_console(config), warnings.catch_warnings():
            # The run tells of it, with the way on.
            warnings.simplefilter("ignore", StoppedEarly)
            run(config)
    except InputError as error:
        return _fail(with_flag(str(error), config))
    except OSError as error:
        # A failed write doesn't know its file, a full disk say; the run's folder is likely.
        place = error.filename or f"writing to {flat_fields(config).get('out', 'a file')}"
        return _fail(f"{place}: {error.strerror or error}")
    except (MemoryError, jax.errors.JaxRuntimeError) as error:
        if isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" not in str(error):
            raise
        return _fail(f"not enough memory: {str(error) or 'an array is too large'}")
    except _Stopped as stopped:
        print("stopped; the same command starts again")
        if argv is None:
            leave(stopped.status)
        return stopped.status
    return 0


def leave(status: int) -> NoReturn:
    """Ends this process, which a signal stopped.

    A compilation that the signal cut short is still under way in JAX, and would crash if Python
    took down what it needs.
    """
    atexit._run_exitfuncs()  # temporary files are removed
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def _command_first(words: list[str], commands: set[str], switches: set[str]) -> list[str]:
    """Puts the command before all flags, as tyro wants it before its own."""
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        takes_it = before.startswith("--") and "=" not in before and before not in switches
        if word in commands and not takes_it:
            return [word, *words[:place], *words[place + 1 :]]
    return words


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[None]:
    """Raises _Stopped at SIGINT and SIGTERM, so that half-written files are cleaned up.

    Python drops what is raised within a callback of the garbage collector, and JAX has one that
    runs often: until it arrives, the exception is raised again.
    """
    asked: list[int] = []

    @gives_way
    def stop(number: int, frame: FrameType | None) -> None:
        if number != signal.SIGALRM:
            asked.append(number)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        raise _Stopped(asked[0])

    def tell(dropped: Any) -> None:
        if not isinstance(dropped.exc_value, _Stopped):
            hook(dropped)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.signal(number, stop) for number in numbers}
    hook, sys.unraisablehook = sys.unraisablehook, tell
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


class _BesideBars(logging.StreamHandler):
    """Writes lines above the bars of a terminal, not into them, with flags for fields."""

    def __init__(self, stream: Any, config: Any):
        super().__init__(stream)
        self.config = config

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(with_flag(self.format(record), self.config), file=self.stream)


@contextlib.contextmanager
def _log_on_console(config: Any) -> Iterator[None]:
    """Prints what the library logs: information on standard output, the rest on standard error."""
    logger = logging.getLogger("jaxemb")
    handlers = [_BesideBars(stream, config) for stream in (sys.stdout, sys.stderr)]
    handlers[0].addFilter(lambda record: record.levelno < logging.WARNING)
    handlers[1].setLevel(logging.WARNING)
    level = logger.level
    logger.setLevel(logging.INFO)
    # Some library may have given the root a handler, too.
    propagate, logger.propagate = logger.propagate, False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def flat_fields(config: Any) -> dict[str, Any]:
    """Returns the fields of a configuration, those of its dataclass fields in their place.

    Args:
      config: a dataclass instance, or a dataclass, whose fields then stand for themselves.
    """
    flat: dict[str, Any] = {}
    hints = get_type_hints(config) if isinstance(config, type) else {}
    for field in dataclasses.fields(config):
        value = hints[field.name] if isinstance(config, type) else getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            flat |= flat_fields(value)
        else:
            flat[field.name] = value
    return flat


def with_flag(message: str, config: Any) -> str:
    """Writes fields as flags: the one that a message begins with, `field` and field=value in it.

    A message may begin with a file that is called as a field is, titles.csv: that is no flag.
    """
    fields = flat_fields(config)
    elsewhere = []

    def flag(found: re.Match[str]) -> str:
        alone, quoted, name, value = found.groups()
        field = alone or quoted or name
        if field not in fields:
            if value is None or field not in CONVERTS:
                return found[0]
            elsewhere.append(field)
        told = "--" + field.replace("_", "-")
        return told if value in (None, "True") else told + " " + value.strip("'")

    message = re.sub(r"^(\w+)\b(?!=|[./\\]\S)|`(\w+)`|\b(\w+)=(True|'[^']+')", flag, message)
    if elsewhere:
        return f"{message.rstrip('.')}. These are flags of `jaxemb convert`, which writes it anew"
    return message


def _fail(message: str) -> int:
    print("error:", " ".join(message.split()), file=sys.stderr)
    return 2


def _one_line(box: str) -> str:
    """Takes the message out of the box that tyro draws around it.

    tyro 1.0 has no public way to get the bare message. A box holds sections between rules: the
    message, then suggestions, then where to find help; help texts are indented by eight.
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", box)
    # The frame is a title, two characters on the left and, where standard output is in UTF-8,
    # as many on the right and a bottom.
    lines = [line[2:].rstrip(" │╯") for line in plain.splitlines()[1:]]
    told = [
        " ".join(line.strip() for line in section.splitlines() if not line.startswith(" " * 8))
        for section in re.split(r"^[─-]+$", "\n".join(lines), flags=re.MULTILINE)
    ]
    message, *others = (text.strip().rstrip(".") for text in told if text.strip())
    # A value that the configuration itself refuses; the message names the flag.
    message = re.sub(r"^Error parsing [\w.]+: ", "", message)
    kept = [message, *(text for text in others if text.startswith(_SUGGESTIONS))]
    return f"{'; '.join(kept)}; --help lists the flags"
