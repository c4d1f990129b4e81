"""What a file of word vectors holds, told by its content; unpacked where it is compressed."""

import codecs
import contextlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from numpy.lib import format as npy

from jaxemb.data import compressed
from jaxemb.data.compressed import read_blocks
from jaxemb.errors import InputError
from jaxemb.io import fasttext_binary, text_rows, word2vec_header

HEAD = 1 << 16  # bytes looked at
LINES = 100  # lines looked at
# A zip may be NumPy's, and is looked into.
PACKED = (compressed.GZIP, compressed.XZ, compressed.BZIP2, compressed.ZSTANDARD)
WIDE = ("utf-16", "utf-32")  # encodings in which white space is no byte of its own
# UTF-32's mark begins with UTF-16's.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@contextlib.contextmanager
def unpacked(path: Path, encoding: str) -> Iterator[tuple[Path, str]]:
    """Gives the file, or a copy of it that is neither compressed nor UTF-16, for a while.

    Args:
      path: a file.
      encoding: of its words.

    Yields:
      Where the bytes lie, and the encoding of its words there.

    Raises:
      InputError: if the file is damaged, or packed in a way that can't be read.
      OSError: if the file cannot be read, or the temporary folder is full.
    """
    packed = _is_packed(path)
    wide = codecs.lookup(encoding).name.startswith(WIDE)
    if not packed and not wide and _mark(path) is None:
        yield path, encoding
        return
    # A copy, since some readers map the file, and others read it twice.
    with tempfile.TemporaryDirectory(prefix="jaxemb-") as folder:
        source = path
        if packed:
            source = Path(folder, "unpacked")
            with source.open("wb") as file:
                file.writelines(block for block, _ in read_blocks(path))
        if mark := _mark(source):
            encoding, wide = MARKS[mark], True
        if wide:
            narrow = Path(folder, "utf-8")
            _write_as_utf8(path, source, encoding, narrow)
            source, encoding = narrow, "utf-8"
        yield source, encoding


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _mark(path: Path) -> bytes | None:
    head = _head(path)
    return next((mark for mark in MARKS if head.startswith(mark)), None)


def _is_packed(path: Path) -> bool:
    head = _head(path)
    return head.startswith(PACKED) or (head.startswith(compressed.ZIP) and not _holds_arrays(path))


def _holds_arrays(path: Path) -> bool:
    """Tells whether a zip is NumPy's, which is read as it is; or damaged, as its reader tells."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # of many kinds, on damaged bytes
        return True
    arrays = any(name.endswith(".npy") for name in names)
    if len(names) != 1 and not arrays:
        raise InputError(
            f"{path}: holds {len(names)} files, {', '.join(names[:10])}; unpack it and give one"
        )
    return arrays


def _write_as_utf8(path: Path, source: Path, encoding: str, target: Path) -> None:
    try:
        with (
            source.open(encoding=encoding, newline="") as wide,
            target.open("w", encoding="utf-8", newline="") as file,
        ):
            shutil.copyfileobj(wide, file, HEAD)
    except UnicodeError as error:
        raise InputError(f"{path}: is not {encoding}: {error!s:.200}") from error


def recognize(source: Path) -> str | None:
    """Tells what a file holds.

    Args:
      source: the file.

    Returns:
      Its format, or "empty", "tar", "pickle", "numbers" (a table of them) or "vocabulary" (words
      and their counts); None if it looks like none of these.

    Raises:
      OSError: if the file cannot be read.
    """
    head = _head(source)
    if not head.strip():
        return "empty"
    if head.startswith((npy.MAGIC_PREFIX, b"PK")):
        return "numpy"
    if head.startswith(fasttext_binary.MAGIC):
        return "fasttext"
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < source.stat().st_size:
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return "pickle"
    if head[257:262] == b"ustar":
        return "tar"
    head = head.removeprefix(codecs.BOM_UTF8)
    return _recognize_lines(head, whole=len(head) < HEAD - len(codecs.BOM_UTF8))


def _recognize_lines(head: bytes, *, whole: bool) -> str | None:
    first, _, rest = head.partition(b"\n")
    lines = head.split(b"\n", LINES)
    # The last is all that is left of the file's beginning, or cut.
    lines = lines if whole and len(lines) <= LINES else lines[:-1] or lines
    rows = [line.split() for line in lines if line.strip()]
    header = word2vec_header.HEADER.fullmatch(first)
    if header:
        width = int(header[2])
        # Tables of numbers or of counts may begin alike, but have no numbers as many as that.
        others = rows[1:] if any(len(row) != 2 for row in rows) else rows
        if width < 2 or len(rows) == 1 or _what_table(others) is None or len(others[-1]) > width:
            return "word2vec" if _is_text(rest, width) else "word2vec-binary"
        return _what_table(others)
    # Of a table only comments and the names of columns are no numbers.
    plain = [row for row in rows if not row[0].startswith(b"#") or len(row) == len(rows[-1])]
    if len(plain) > 1 and not any(map(text_rows.is_number, plain[0])):
        plain = plain[1:]
    if table := _what_table(plain):
        return table
    if sum(len(row) > 1 and text_rows.is_number(row[-1]) for row in rows) > len(rows) / 2:
        return "glove"
    return None


def _what_table(rows: list[list[bytes]]) -> str | None:
    if all(text_rows.is_number(row[0]) for row in rows):
        return "numbers"
    if all(len(row) == 2 and row[1].isdigit() for row in rows):
        return "vocabulary"
    return None


def _is_text(rest: bytes, width: int) -> bool:
    """Tells whether rows of text follow the first line, or bytes of numbers."""
    for line in rest.split(b"\n")[:LINES]:
        fields = line.split()
        if 0 < width < len(fields) and all(map(text_rows.is_number, fields[-width:])):
            return True
    sample = rest[:4096]
    if len(sample.translate(None, b"0123456789.+-e \t\r\n")) < len(sample) / 2:
        return True
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return not any(c < " " and not c.isspace() for c in text)
