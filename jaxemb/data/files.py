"""Where data sets lie, and checksums of their files."""

import functools
import hashlib
import os
from pathlib import Path

import pooch


def default_data_dir() -> Path:
    """Returns where data sets lie: JAXEMB_DATA, or a folder in the user's cache."""
    if folder := os.environ.get("JAXEMB_DATA"):
        return Path(folder)
    return pooch.os_cache("jaxemb") / "data"


def file_sha256(path: Path) -> str:
    """Returns a file's checksum in hexadecimal, computed once while size and time stay the same."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@functools.cache
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
