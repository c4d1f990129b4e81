"""Progress of long work, with rate and time left."""

import sys
from typing import Any

from tqdm import tqdm


class _PlainLines:
    """Makes lines for a log of what tqdm writes over and over on a terminal's last line."""

    def write(self, text: str) -> None:
        if line := text.strip("\r\n "):
            print(line, file=sys.stderr)

    def flush(self) -> None:
        sys.stderr.flush()


def progress_bar(*args: Any, **options: Any) -> tqdm:
    """Returns tqdm's bar on a terminal, and elsewhere a plain line every ten seconds.

    Args:
      *args: as tqdm takes them.
      **options: likewise.
    """
    if sys.stderr.isatty():
        return tqdm(*args, mininterval=0.2, **options)
    return tqdm(*args, mininterval=10, file=_PlainLines(), **options)
