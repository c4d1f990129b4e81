"""Streams files, decompressed where they are compressed: what they are is told by their content."""

import bz2
import gzip
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from jaxemb.errors import InputError

BLOCK_BYTES = 1 << 20
# What the libraries raise on damaged data; for zip archives that is a wide choice.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)


def read_blocks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Reads a file, plain or compressed: gzip, xz, bzip2, Zstandard, or zip with one file inside.

    Args:
      path: the file, whatever its name.

    Yields:
      Blocks of about a megabyte, and the bytes of the file on disk read so far.

    Raises:
      InputError: if the file can't be read or is damaged, or Zstandard is not installed.
    """
    try:
        with path.open("rb") as file:
            for block in _decompress(file):
                yield block, file.tell()
    except InputError:
        raise
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read or is damaged: {reason}") from error


def _decompress(file: BinaryIO) -> Iterator[bytes]:
    start = file.read(6)
    file.seek(0)
    if start == b"\xfd7zXZ\0":
        # Decompression drops the interpreter's lock, so it runs beside the tokenizer.
        with ThreadPoolExecutor(max_workers=1) as pool:
            blocks = _decompress_xz(file)
            coming = pool.submit(next, blocks, b"")
            while block := coming.result():
                coming = pool.submit(next, blocks, b"")
                yield block
    elif start[:2] == b"\x1f\x8b":
        with gzip.open(file) as stream:
            yield from _blocks(stream)
    elif start[:3] == b"BZh" and start[3:4].isdigit():
        with bz2.open(file) as stream:
            yield from _blocks(stream)
    elif start[:4] == b"\x28\xb5\x2f\xfd":
        zstd = _zstd(file.name)
        try:
            with zstd.open(file) as stream:
                yield from _blocks(stream)
        except zstd.ZstdError as error:
            raise OSError(str(error)) from error
    elif start[:4] == b"PK\3\4":
        with zipfile.ZipFile(file) as archive:
            if len(archive.namelist()) != 1:
                raise zipfile.BadZipFile(f"{len(archive.namelist())} files inside, not one")
            with archive.open(archive.namelist()[0]) as member:
                yield from _blocks(member)
    else:
        yield from _blocks(file)


def _blocks(stream: Any) -> Iterator[bytes]:
    while block := stream.read(BLOCK_BYTES):
        yield block


def _zstd(name: str) -> Any:
    try:
        from compression import zstd  # Python 3.14 and newer
    except ImportError:
        try:
            from backports import zstd
        except ImportError as error:
            raise InputError(
                f"{name}: Zstandard is not installed; pip install 'jaxemb[zstd]', or unpack the "
                "file first"
            ) from error
    return zstd


def _decompress_xz(file: BinaryIO) -> Iterator[bytes]:
    # Not lzma.open: it takes the lock back for every 8 KB, each time waiting for the tokenizer.
    raw = file.read(BLOCK_BYTES)
    while True:
        stream = lzma.LZMADecompressor()
        while not stream.eof:
            if stream.needs_input and not raw:
                raise EOFError("the compressed data ends too early")
            block = stream.decompress(raw, max_length=BLOCK_BYTES)
            raw = file.read(BLOCK_BYTES) if stream.needs_input else b""
            if block:
                yield block
        # Streams may follow one another, with NUL bytes between them.
        raw = stream.unused_data.lstrip(b"\0")
        while not raw:
            following = file.read(BLOCK_BYTES)
            if not following:
                return
            raw = following.lstrip(b"\0")
