"""Memory: asked for before long work starts, and given back after."""

import contextlib
import ctypes
import sys
from pathlib import Path

import jax

from jaxemb.errors import InputError


def require_memory(size: int, what: str, remedy: str) -> None:
    """Refuses work for which the default device has too little memory now.

    Args:
      size: bytes needed beside what is held already.
      what: needs them, for the message.
      remedy: what to do instead.

    Raises:
      InputError: if they are not there. Where a system doesn't tell, none is raised.
    """
    there = available_memory()
    if there is not None and size > there:
        raise InputError(
            f"{what}: about {size / 1e9:,.1f} GB of memory are needed, {there / 1e9:,.1f} GB are "
            f"free; {remedy}"
        )


def available_memory() -> int | None:
    """Returns the bytes free for arrays of the default device, None if nobody tells."""
    device = jax.devices()[0]
    statistics = device.memory_stats() or {}
    if "bytes_limit" in statistics:
        return statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)
    if device.platform != "cpu":
        return None
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:  # not Linux
        return None
    entries = dict(line.split(":", 1) for line in lines)
    # In kB; what files are cached in can be had.
    found = entries.get("MemAvailable")
    return None if found is None else int(found.split()[0]) * 1024


def give_back() -> None:
    """Returns to the system what was freed, some 100 MB after compiling; glibc has to be asked."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
