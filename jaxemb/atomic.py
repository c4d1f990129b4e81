"""Replaces a file as a whole, so that a full disk or a kill leaves the old one."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a path to write beside `path`; it takes the place of `path` if the block succeeds.

    Args:
      path: The file to replace or create; its folder must exist. Of a link, the file that it leads
        to is replaced; the new file has the permissions of the old one.

    Yields:
      A path in the same folder (renaming is atomic only within one file system). It is removed
      when the block raises; a killed process leaves it behind, named `.NAME.PID.part`.

    Raises:
      OSError: if the folder is missing, `path` is one, or the old file must not be written.
    """
    path = path.resolve() if path.is_symlink() else path
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    old = path.stat() if path.exists() else None
    if old is not None and not old.st_mode & stat.S_IWUSR:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        if old is not None:
            part.chmod(stat.S_IMODE(old.st_mode))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
