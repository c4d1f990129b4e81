"""Streams text files as pieces of bounded size, checked."""

import codecs
import io
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from jaxemb.data import compressed
from jaxemb.data.tokenize import Tokenizer
from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")

Documents = Literal["line", "paragraph", "file"]
Errors = Literal["strict", "replace", "skip"]

_STAND_IN = "jaxemb.stand_in"
_NUL = "a NUL byte, so this is a binary file or UTF-16"
_WAY_ON = (
    "another encoding can be named, such as cp1252, utf-16 or gb18030, and errors set to replace "
    "or skip what is no text"
)
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
# What `_stand_in` makes of bytes that can't be decoded, and NUL, which no text has.
_UNDECODABLE = re.compile("[\0\udc00-\udcff]+")


class Reading(NamedTuple):
    """How files are read.

    Attributes:
      encoding: Python's name of it.
      errors: what happens to bytes that are no text in it: strict refuses them, replace puts the
        replacement character U+FFFD, skip drops them.
      documents: what a document is: a line, a paragraph (blank lines are between them), a file.
      column: where the text is in JSON Lines, CSV and Parquet files, each row a document.
    """

    encoding: str = "utf-8"
    errors: Errors = "strict"
    documents: Documents = "line"
    column: str | None = None


PLAIN = Reading()


class Source(NamedTuple):
    """Files that are read alike."""

    files: tuple[Path, ...]
    tokenizer: Tokenizer
    reading: Reading = PLAIN


class Piece(NamedTuple):
    """Part of a file, cut at white space and split into documents.

    Between two texts lies the end of a document; the last text runs on into the first text of the
    file's next piece, so a document of any length passes through in bounded memory.
    """

    texts: list[str]
    position: int  # bytes of the file on disk read so far
    undecodable: int = 0  # bytes replaced or skipped


def find_files(path: Path) -> list[Path]:
    """Lists the text files that a path stands for.

    Args:
      path: a file, or a folder that is searched to any depth. Hidden files and folders (leading
        dot) in it are left out, and so are folders of runs of experiments, which is told.

    Returns:
      The file itself, or the folder's files in sorted order.

    Raises:
      InputError: if there is no such path, or no file in the folder.
    """
    if not path.is_dir():
        if path.exists():
            return [path]
        raise InputError(f"{path}: no such file or folder")
    files = []
    for folder, folders, names in os.walk(path):
        if _is_run(Path(folder, "config.json")):
            _logger.info(f"{folder} is left out of the text: it holds a run")
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [Path(folder, name) for name in names if not name.startswith(".")]
    if not files:
        raise InputError(f"{path}: the folder holds no text files")
    return sorted(files)


def _is_run(config: Path) -> bool:
    """Tells whether a file is the configuration of an experiment's run."""
    try:
        return {"config", "data_sha256", "command"} <= json.loads(config.read_bytes()).keys()
    except (OSError, ValueError, AttributeError):
        return False


def read_pieces(path: Path, reading: Reading = PLAIN) -> Iterator[Piece]:
    """Streams a text file.

    Args:
      path: text, plain or compressed. A byte order mark at its start is dropped.
      reading: its encoding, and what a document is; a column has no meaning here.

    Yields:
      Pieces of about a megabyte. A document is cut only where it is longer.

    Raises:
      InputError: if the file can't be read, is damaged, or isn't text: bytes that can't be
        decoded, NUL bytes, or a megabyte without white space between words.
    """
    rest, line = "", 1
    for text, position, undecodable in read_decoded(path, reading):
        data = rest + text
        head = _complete(data, reading.documents)
        if not head and len(data) > compressed.BLOCK_BYTES:
            # Not within white space, which may be half of what is between documents.
            space = max(map(data.rfind, " \n\t"))
            head = data[: space + 1].rstrip()
            if not head and len(data.lstrip()) > compressed.BLOCK_BYTES:
                raise InputError(
                    f"{path}: line {line}: more than {compressed.BLOCK_BYTES} bytes without white "
                    "space between words; is this text?"
                )
        rest = data[len(head) :]
        line += head.count("\n")
        yield Piece(_split(head, reading.documents), position, undecodable)
    yield Piece(_split(rest, reading.documents), path.stat().st_size)


def _complete(data: str, documents: Documents) -> str:
    """Returns the documents that end within a text."""
    ends = {"line": "\n", "paragraph": "\n\n"}.get(documents)
    return data[: data.rfind(ends) + len(ends)] if ends and ends in data else ""


def _split(text: str, documents: Documents) -> list[str]:
    if documents == "line":
        return text.split("\n")
    return _BLANK_LINE.split(text) if documents == "paragraph" else [text]


def read_decoded(path: Path, reading: Reading) -> Iterator[tuple[str, int, int]]:
    r"""Streams a file as text of whatever encoding, its lines ended by "\n".

    Args:
      path: the file, plain or compressed.
      reading: its encoding, and what happens to bytes that are no text in it.

    Yields:
      Text, the bytes of the file on disk read so far, and the bytes replaced or skipped.

    Raises:
      InputError: if the file can't be read, and where bytes can't be decoded.
    """
    strict = reading.errors == "strict"
    decoder = codecs.getincrementaldecoder(reading.encoding)("strict" if strict else _STAND_IN)
    lines = io.IncrementalNewlineDecoder(None, translate=True)
    encoding = "UTF-8" if codecs.lookup(reading.encoding).name == "utf-8" else reading.encoding
    stand_in = "\ufffd" if reading.errors == "replace" else ""
    offset, line, size, returns = 0, 1, 0, False
    for block, position in _and_the_end(compressed.read_blocks(path)):
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            # It has the bytes that the decoder kept from earlier blocks, too.
            bytes_ = error.object
            place, problem = error.start, f"byte 0x{bytes_[error.start]:02x} is not {encoding}"
            nul = bytes_.find(b"\0", 0, place) if "\0".encode(reading.encoding) == b"\0" else -1
            if nul >= 0:
                place, problem = nul, _NUL
            number = line + bytes_.count(b"\n", 0, place)
            first = offset + len(block) - len(bytes_)
            raise _no_text(path, problem, first + place, number, _WAY_ON) from error
        undecodable = 0
        if not strict:
            undecodable = sum(map(len, _UNDECODABLE.findall(text)))
            text = _UNDECODABLE.sub(stand_in, text)
        elif "\0" in text:
            number = line + text.count("\n", 0, text.index("\0"))
            raise _no_text(path, _NUL, offset + max(block.find(b"\0"), 0), number, _WAY_ON)
        if offset == 0:
            text = text.removeprefix("\ufeff")
        offset += len(block)
        returns = returns or "\r" in text  # the end of one line end may come with the next block
        if returns:
            text = lines.decode(text, final=not block)
        line += text.count("\n")
        size = position or size
        yield text, size, undecodable


def _and_the_end(blocks: Iterator[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    yield from blocks
    yield b"", 0


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """Decodes bytes that can't be decoded to one half of a surrogate pair each."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in bad), error.end


codecs.register_error(_STAND_IN, _stand_in)


def check_encoding(encoding: str) -> None:
    """Refuses what is no encoding of text.

    Raises:
      InputError: naming some.
    """
    try:
        " ".encode(encoding)
        codecs.getincrementaldecoder(encoding)("strict").decode(b"", final=True)
    except (LookupError, ValueError, TypeError) as error:
        raise InputError(
            f"encoding must be one that Python knows, such as utf-8, cp1252, utf-16 or gb18030, "
            f"found {encoding!r}"
        ) from error


def read_lines(path: Path) -> list[str]:
    """Reads a small file whole.

    Args:
      path: UTF-8 text with any line ends, plain or compressed.

    Returns:
      Its lines, without line ends and mark of the encoding; those of blanks alone too.

    Raises:
      InputError: as of `decode`.
      OSError: if the file cannot be read.
    """
    text = decode(b"".join(block for block, _ in compressed.read_blocks(path)), path)
    # Not splitlines, which breaks lines at letters that sentences have, such as U+2028.
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def decode(data: bytes, path: Path) -> str:
    """Decodes a UTF-8 text file.

    Args:
      data: its bytes.
      path: the file, for messages.

    Returns:
      The text.

    Raises:
      InputError: at a byte that isn't UTF-8 and at a NUL byte, naming its position and line.
    """
    bad, problem = data.find(b"\0"), _NUL
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        if bad < 0 or error.start < bad:
            bad, problem = error.start, f"byte 0x{data[error.start]:02x} is not UTF-8"
    if bad >= 0:
        line = 1 + data.count(b"\n", 0, bad)
        raise _no_text(path, problem, bad, line, "only UTF-8 text is read")
    return text


def _no_text(path: Path, problem: str, byte: int, line: int, way_on: str) -> InputError:
    return InputError(f"{path}: {problem} (byte {byte}, line {line}); {way_on}")
