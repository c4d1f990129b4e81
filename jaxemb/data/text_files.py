"""Streams text files as pieces of bounded size, checked and normalized."""

import gzip
import lzma
import os
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple

from jaxemb.data.tokenize import Tokenizer
from jaxemb.errors import InputError

_BLOCK_BYTES = 1 << 20
# What the three libraries raise on damaged data; for zip archives that is a wide choice.
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


class Source(NamedTuple):
    """Files that are read alike."""

    files: tuple[Path, ...]
    tokenize: Tokenizer
    separator: str  # between documents: "\n", or "\n\n" where lines are paragraphs


class Piece(NamedTuple):
    """Part of a file, cut at white space and split into documents.

    Between two texts lies the end of a document; the last text runs on into the first text of the
    file's next piece, so a document of any length passes through in bounded memory.
    """

    texts: list[str]
    position: int  # bytes of the file on disk read so far


def find_files(path: Path) -> list[Path]:
    """Lists the text files that a path stands for.

    Args:
      path: a file, or a folder that is searched to any depth. Hidden files and folders (leading
        dot) in it are left out.

    Returns:
      The file itself, or the folder's files in sorted order.

    Raises:
      InputError: if there is no such path, or no file in the folder.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder")
    files = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(folder, name) for name in names if not name.startswith(".")]
    if not files:
        raise InputError(f"{path}: the folder holds no text files")
    return sorted(files)


def read_pieces(path: Path, separator: str) -> Iterator[Piece]:
    r"""Streams a file as normalized text (Unicode NFC).

    Args:
      path: UTF-8 text, plain or compressed (.gz, .xz, or .zip with one file inside). A byte order
        mark at its start is dropped.
      separator: what ends a document: "\n" (a line is a document) or "\n\n" (a blank line is
        between documents).

    Yields:
      Pieces of about a megabyte.

    Raises:
      InputError: if the file can't be read, is damaged, or isn't text: bytes that aren't UTF-8,
        NUL bytes, or a megabyte without white space between words.
    """
    rest, offset, line, position = b"", 0, 1, 0
    for block, position in _read_blocks(path):
        data = rest + block
        space = max(data.rfind(b" "), data.rfind(b"\n"), data.rfind(b"\t"))
        # Line ends at the cut stay together in the rest: they may be half a separator.
        head = data[: space + 1].rstrip(b"\n")
        rest = data[len(head) :]
        if len(rest.lstrip(b"\n")) > _BLOCK_BYTES:
            long = line + data.count(b"\n", 0, space + 1)
            raise InputError(
                f"{path}: line {long}: more than {_BLOCK_BYTES} bytes without white space between "
                "words; is this text?"
            )
        yield Piece(_normalize(head, path, offset, line).split(separator), position)
        offset, line = offset + len(head), line + head.count(b"\n")
    yield Piece(_normalize(rest, path, offset, line).split(separator), position)


def decode(data: bytes, path: Path, *, offset: int = 0, line: int = 1) -> str:
    """Decodes part of a UTF-8 text file.

    Args:
      data: the bytes; no character is cut at either end.
      path: the file they come from, for messages.
      offset: position of the first byte in the (decompressed) file.
      line: line of the first byte, counted from 1.

    Returns:
      The text.

    Raises:
      InputError: at a byte that isn't UTF-8 and at a NUL byte, naming its position and line.
    """
    bad = data.find(b"\0")
    problem = "a NUL byte, so this is a binary file or UTF-16"
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if bad < 0 or error.start < bad:
            bad, problem = error.start, f"byte 0x{data[error.start]:02x} is not UTF-8"
    if bad >= 0:
        line += data.count(b"\n", 0, bad)
        raise InputError(
            f"{path}: {problem} (byte {offset + bad}, line {line}); only UTF-8 text is read, "
            "plain or as .gz, .xz or .zip"
        )
    return text


def _normalize(data: bytes, path: Path, offset: int, line: int) -> str:
    text = decode(data, path, offset=offset, line=line)
    if offset == 0:
        text = text.removeprefix("\ufeff")
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", text)


def _read_blocks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yields decompressed blocks, each with the position reached in the file on disk."""
    try:
        with path.open("rb") as file:
            for block in _decompress(file, path.suffix):
                yield block, file.tell()
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read or is damaged: {reason}") from error


def _decompress(file: BinaryIO, suffix: str) -> Iterator[bytes]:
    if suffix == ".xz":
        # Decompression drops the interpreter's lock, so it runs beside the tokenizer.
        with ThreadPoolExecutor(max_workers=1) as pool:
            blocks = _decompress_xz(file)
            coming = pool.submit(next, blocks, b"")
            while block := coming.result():
                coming = pool.submit(next, blocks, b"")
                yield block
    elif suffix == ".gz":
        with gzip.open(file) as stream:
            while block := stream.read(_BLOCK_BYTES):
                yield block
    elif suffix == ".zip":
        with zipfile.ZipFile(file) as archive:
            if len(archive.namelist()) != 1:
                raise zipfile.BadZipFile(f"{len(archive.namelist())} files inside, not one")
            with archive.open(archive.namelist()[0]) as member:
                while block := member.read(_BLOCK_BYTES):
                    yield block
    else:
        while block := file.read(_BLOCK_BYTES):
            yield block


def _decompress_xz(file: BinaryIO) -> Iterator[bytes]:
    # Not lzma.open: it takes the lock back for every 8 KB, each time waiting for the tokenizer.
    raw = file.read(_BLOCK_BYTES)
    while True:
        stream = lzma.LZMADecompressor()
        while not stream.eof:
            if stream.needs_input and not raw:
                raise EOFError("the compressed data ends too early")
            block = stream.decompress(raw, max_length=_BLOCK_BYTES)
            raw = file.read(_BLOCK_BYTES) if stream.needs_input else b""
            if block:
                yield block
        # Streams may follow one another, with NUL bytes between them.
        raw = stream.unused_data.lstrip(b"\0")
        while not raw:
            following = file.read(_BLOCK_BYTES)
            if not following:
                return
            raw = following.lstrip(b"\0")
