"""Streams files, decompressed where they are compressed: what they are is told by their content."""

import bz2
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, cast

from jaxemb.errors import InputError

ENDINGS = (".gz", ".xz", ".bz2", ".zst", ".zip")
"""How the names of compressed files end; what they are is told by their content."""
GZIP, XZ, BZIP2, ZSTANDARD = b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd"
"""How such files begin."""
ZIP = b"PK\3\4"
"""How a zip archive begins, which NumPy's are, too."""
BLOCK_BYTES = 1 << 20
DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
"""What the libraries raise on damaged data; for zip archives that is a wide choice."""


def read_blocks(path: Path) -> Generator[tuple[bytes, int]]:
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
    except DAMAGE as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read or is damaged: {reason}") from error


def open_file(path: Path) -> BinaryIO:
    """Opens a file for reading, decompressed; reading raises the errors of `read_blocks`."""
    return cast(BinaryIO, io.BufferedReader(_Stream(path)))


class _Stream(io.RawIOBase):
    def __init__(self, path: Path):
        self._blocks = read_blocks(path)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._blocks, (b"", 0))[0])
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._blocks.close()
        super().close()


def _decompress(file: BinaryIO) -> Iterator[bytes]:
    start = file.read(6)
    file.seek(0)
    if start == XZ:
        yield from _ahead(_decompress_xz(file))
    elif start.startswith(GZIP):
        with gzip.open(file) as stream:
            yield from _blocks(stream)
    elif start.startswith(BZIP2) and start[3:4].isdigit():
        with bz2.open(file) as stream:
            yield from _ahead(_blocks(stream))
    elif start.startswith(ZSTANDARD):
        zstd = _zstd(file.name)
        try:
            with zstd.open(file) as stream:
                yield from _blocks(stream)
        except zstd.ZstdError as error:
            raise OSError(str(error)) from error
    elif start.startswith(ZIP):
        with zipfile.ZipFile(file) as archive:
            if len(archive.namelist()) != 1:
                raise zipfile.BadZipFile(f"{len(archive.namelist())} files inside, not one")
            with archive.open(archive.namelist()[0]) as member:
                yield from _blocks(member)
    else:
        yield from _blocks(file)


def _ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Takes each block before it is asked for.

    The slow decompressors drop the interpreter's lock, so that they run beside the tokenizer.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, blocks, b"")
        while block := coming.result():
            coming = pool.submit(next, blocks, b"")
            yield block


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
