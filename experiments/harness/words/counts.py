"""What the experiments on co-occurrence counts share: where the counts lie."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def folder(out: Path) -> Iterator[Path]:
    """Makes a folder for counts, and removes it.

    Args:
      out: the run's folder: the system's for temporary files may be too small.

    Yields:
      The folder; what a killed run left there is written over.
    """
    path = out / "counts"
    path.mkdir(exist_ok=True)
    try:
        yield path
    finally:
        shutil.rmtree(path)
