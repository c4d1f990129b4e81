"""Replaces a file as a whole, so that a full disk or a kill leaves the old one."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a path to write beside `path`; it takes the place of `path` if the block succeeds.

    Args:
      path: The file to replace or create; its folder must exist.

    Yields:
      A path in the same folder (renaming is atomic only within one file system). It is removed
      when the block raises; a killed process leaves it behind, named `.NAME.PID.part`.

    Raises:
      OSError: if the folder is missing or `path` is one.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
