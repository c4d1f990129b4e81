"""Reads files out of what people fetch: archives, folders or single files; nothing is unpacked."""

import contextlib
import gzip
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from jaxemb.data.compressed import DAMAGE, ZIP
from jaxemb.errors import InputError

# Of all that is read of one data set: no named one is as large.
_MOST = 2 << 30
_TAR = re.compile(r"\.(tar|tgz|tar\.\w+)$")


class Member(NamedTuple):
    """A file that was asked for.

    Attributes:
      name: its path, which begins with the name of the archive or folder; without .gz.
      found: where the pattern asked for matched.
      data: its content, decompressed if it ended in .gz.
    """

    name: str
    found: re.Match[str]
    data: bytes


def list_files(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """Lists files, and those in folders to any depth but hidden ones.

    Args:
      paths: files and folders.

    Returns:
      Name and path of each; the name begins with that of the folder it was found in.

    Raises:
      InputError: if there is no such file or folder.
    """
    files = []
    for path in paths:
        if path.is_dir():
            below = sorted(file for file in path.rglob("*") if file.is_file())
            inside = [(file.relative_to(path).as_posix(), file) for file in below]
            top = path.resolve().name
            files += [(f"{top}/{name}", file) for name, file in inside if _is_shown(name)]
        elif path.exists():
            files.append((path.name, path))
        else:
            raise InputError(f"{path}: no such file or folder")
    return files


def read_members(
    paths: Sequence[Path], pattern: re.Pattern[str], *, most: int = 1 << 28
) -> Iterator[Member]:
    """Reads the files whose names match, from folders, zip and tar archives and as they are.

    Args:
      paths: files and folders.
      pattern: searched for in the names.
      most: bytes that a file may have, decompressed.

    Yields:
      The files, in the order of each archive.

    Raises:
      InputError: if a file is missing, damaged or too large.
    """
    left = _MOST
    for name, path in list_files(paths):
        try:
            for inner, stream in _open(name, path):
                found = pattern.search(inner.removesuffix(".gz"))
                if found is None:
                    continue
                with stream() as opened:
                    source = gzip.GzipFile(fileobj=opened) if inner.endswith(".gz") else opened
                    data = source.read(min(most, left) + 1)
                left -= len(data)
                if len(data) > most or left < 0:
                    raise InputError(f"{path}: {inner} is larger than any file of this data set")
                yield Member(inner.removesuffix(".gz"), found, data)
        except InputError:
            raise
        except (*DAMAGE, tarfile.TarError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path}: cannot be read or is damaged: {reason}") from error


def _open(name: str, path: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yields the names of the files in one, and what opens each."""
    with path.open("rb") as file:
        start = file.read(len(ZIP))
        file.seek(0)
        if start == ZIP:
            with zipfile.ZipFile(file) as packed:
                for info in packed.infolist():
                    if not info.is_dir() and _is_shown(info.filename):
                        yield f"{name}/{info.filename}", partial(packed.open, info)
        elif _TAR.search(name):
            with tarfile.open(fileobj=file) as tape:
                # In the archive's order: to go back in a compressed one is to start again.
                for entry in tape:
                    # Links, devices and the like are left alone.
                    if entry.isreg() and _is_shown(entry.name):
                        yield f"{name}/{entry.name}", partial(tape.extractfile, entry)
        else:
            yield name, lambda: contextlib.nullcontext(file)


def _is_shown(name: str) -> bool:
    """Tells files from hidden ones and from what macOS adds to archives."""
    parts = name.split("/")
    return "__MACOSX" not in parts and not any(re.match(r"\.[^./]", part) for part in parts)
