"""Progress of long work, with rate and time left."""

import contextlib
import logging
import math
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

_logger = logging.getLogger("jaxemb")

# Seconds between two looks of a terminal's line at the clock, and between two lines of a log.
_TICK, _LINE = 1.0, 10.0


class _PlainLines:
    """Makes lines for a log of what tqdm writes over and over on a terminal's last line."""

    def write(self, text: str) -> None:
        if line := text.strip("\r\n "):
            print(line, file=sys.stderr)

    def flush(self) -> None:
        sys.stderr.flush()


def progress_bar(*args: Any, **options: Any) -> tqdm:
    """Returns tqdm's bar on a terminal, and elsewhere a plain line every ten seconds.

    On a terminal its clock goes on while the work under way has nothing to tell.

    Args:
      *args: as tqdm takes them.
      **options: likewise.
    """
    if sys.stderr.isatty():
        return _ticking(tqdm(*args, mininterval=0.2, **options), _TICK)
    return tqdm(*args, mininterval=_LINE, file=_PlainLines(), **options)


def told() -> bool:
    """Returns whether progress is to be told: by commands, and if the logger "jaxemb" has infos."""
    return _logger.isEnabledFor(logging.INFO)


@contextlib.contextmanager
def phase(what: str) -> Iterator[None]:
    """Tells what is going on, and for how long.

    Commands show it, and whoever lets the logger "jaxemb" show infos: on a terminal as a line that
    is gone when the work is done, elsewhere as a line every ten seconds.

    Args:
      what: the work, e.g. "searching for neighbors".
    """
    options: dict[str, Any] = {
        "desc": what,
        "bar_format": "{desc}, {elapsed}",
        "leave": False,
        "disable": not told(),
    }
    if sys.stderr.isatty():
        bar = progress_bar(**options)
    else:
        # Work of a second needs no line in a log.
        bar = _ticking(tqdm(file=_PlainLines(), delay=math.inf, **options), _LINE)
    with bar:
        yield


def _ticking(bar: tqdm, seconds: float) -> tqdm:
    """Shows a bar again every so many seconds, until it is closed."""

    def tick() -> None:
        time.sleep(seconds)
        # A closed bar is disabled.
        while not bar.disable:
            bar.refresh()
            time.sleep(seconds)

    if not bar.disable:
        threading.Thread(target=tick, daemon=True).start()
    return bar
