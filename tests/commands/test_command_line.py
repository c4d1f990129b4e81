import dataclasses
import gc
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from jaxemb import checks
from jaxemb.commands import command_line
from jaxemb.errors import InputError


@dataclasses.dataclass(frozen=True)
class Config:
    """A configuration."""

    width: float = 1
    out: Path = Path("runs/x")

    def __post_init__(self):
        checks.check_field(self, "width", above=0, at_most=20_000)


@dataclasses.dataclass(frozen=True)
class Bare:
    """A configuration without a folder."""


def run(action, capsys, *argv, config=Config):
    status = command_line.main(config, action, argv)
    return status, *capsys.readouterr()


def test_done(capsys):
    seen = []
    assert run(seen.append, capsys, "--width", "2.5") == (0, "", "")
    assert seen == [Config(width=2.5)]


def test_what_the_library_tells_has_flags_for_fields(capsys):
    def action(config):
        logging.getLogger("jaxemb").info("a line, which `width` alters")
        logging.getLogger("jaxemb").warning("too wide, width='2' is usual")

    assert run(action, capsys) == (
        0,
        "a line, which --width alters\n",
        "too wide, --width 2 is usual\n",
    )


@pytest.mark.parametrize("value", ["0", "-1", "nan", "20000.5", "inf"])
def test_a_number_out_of_range(capsys, value):
    expected = (
        f"error: --width must be more than 0 and at most 20,000, found {float(value)}; "
        "--help lists the flags\n"
    )
    assert run(None, capsys, "--width", value) == (2, "", expected)


@pytest.mark.parametrize(
    ("error", "config", "message"),
    [
        (InputError("two\n  lines"), Config, "two lines"),
        (FileNotFoundError(2, "No such file", "a/b"), Config, "a/b: No such file"),
        (OSError(28, "No space left"), Config, "writing to runs/x: No space left"),
        (OSError(28, "No space left"), Bare, "writing to a file: No space left"),
        (OSError("4 requested and 0 written"), Config, "writing to runs/x: 4 requested and 0 w"),
        (MemoryError(), Config, "not enough memory: an array is too large"),
        (MemoryError("7 EiB"), Config, "not enough memory: 7 EiB"),
    ],
)
def test_what_a_user_can_mend_is_one_line(capsys, error, config, message):
    def fail(config):
        raise error

    status, out, err = run(fail, capsys, config=config)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


@dataclasses.dataclass(frozen=True)
class Reads:
    """A configuration with some of io.read's options."""

    lenient: bool = False
    errors: str = "strict"


def test_options_in_a_message_are_written_as_flags():
    message = "a.vec: lenient=True keeps it, errors='skip' or encoding='latin-1' not, where x=True."
    told = command_line.with_flag(message, Reads())
    expected = "a.vec: --lenient keeps it, --errors skip or --encoding latin-1 not, where x=True"
    assert told.partition(". ")[0] == expected
    assert "These are flags of `jaxemb convert`" in told
    assert command_line.with_flag("errors='skip' helps.", Reads()) == "--errors skip helps."
    assert command_line.with_flag("lenient must be", Reads) == "--lenient must be"
    for file in ("lenient.csv: no column", "lenient/a.csv: no column"):
        assert command_line.with_flag(file, Reads) == file


def test_an_array_beyond_the_memory(capsys):
    status, out, err = run(lambda config: jnp.zeros((1 << 30, 1 << 20)).block_until_ready(), capsys)
    assert (status, out) == (2, "")
    assert err.startswith("error: not enough memory: RESOURCE_EXHAUSTED: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("error", [KeyError("x"), jax.errors.JaxRuntimeError("INTERNAL: x")])
def test_other_faults_pass_through(error):
    def fail(config):
        raise error

    with pytest.raises(type(error)):
        command_line.main(Config, fail, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_one_line(capsys, number):
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    cleaned = []

    def wait(config):
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        except Exception:
            pytest.fail("a signal is no error")
        finally:
            cleaned.append(True)

    assert run(wait, capsys) == (128 + number, "stopped; the same command starts again\n", "")
    assert cleaned == [True]
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


COMPILES = """
import dataclasses, sys
import jax, jax.numpy as jnp
from jaxemb.commands import command_line

@dataclasses.dataclass(frozen=True)
class Config:
    \"\"\"Compiles for many seconds.\"\"\"

def run(config):
    def long(x):
        for step in range(1500):
            x = jnp.sin(x @ x + step)
        return x

    print("begun", flush=True)
    jax.jit(long)(jnp.ones((8, 8)))

sys.exit(command_line.main(Config, run, prog="compiles"))
"""


def test_a_signal_while_compiling_ends_the_process_in_order():
    command = [sys.executable, "-c", COMPILES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=60)
    # Python's own end crashes there.
    assert (process.returncode, told) == (130, "stopped; the same command starts again\n")


def test_a_signal_within_a_garbage_collection_ends_it_too(capsys, monkeypatch):
    """Python drops what callbacks of the collector raise."""
    monkeypatch.setattr(command_line, "_AGAIN", 0.05)
    handler = signal.getsignal(signal.SIGALRM)

    def collected(phase, info):
        gc.callbacks.remove(collected)
        os.kill(os.getpid(), signal.SIGINT)

    def collect(config):
        gc.callbacks.append(collected)
        gc.collect()
        assert collected not in gc.callbacks
        signal.pause()

    assert run(collect, capsys) == (130, "stopped; the same command starts again\n", "")
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@dataclasses.dataclass(frozen=True)
class _Steps:
    """A configuration that checks itself."""

    steps: int = 1

    def __post_init__(self):
        if self.steps < 1:
            raise InputError(f"steps: must be at least 1, got {self.steps}")


def test_a_value_refused_by_the_configuration(capsys):
    assert command_line.main(_Steps, lambda config: None, ["--steps", "0"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "must be at least 1, got 0" in err


def test_faults_of_ours_pass_through():
    def fail(config: _Steps) -> None:
        raise RuntimeError("bug")

    with pytest.raises(RuntimeError, match="bug"):
        command_line.main(_Steps, fail, [])
