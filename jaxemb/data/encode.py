"""Turns a corpus into word ids on disk, once."""

import contextlib
import errno
import hashlib
import json
import shutil
import tempfile
import unicodedata
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxemb.data.columns import kind, read_column
from jaxemb.data.corpora import Corpus
from jaxemb.data.encoded_corpus import EncodedCorpus, load, shard_name
from jaxemb.data.spill import Spill
from jaxemb.data.text_files import Piece, Reading, read_pieces
from jaxemb.data.text_notes import Note, Notes
from jaxemb.data.vocabulary import Vocabulary, rank
from jaxemb.data.word_ids import WordIds
from jaxemb.errors import InputError
from jaxemb.progress import progress_bar

_SHARD_WORDS = 1 << 24
_AT_ONCE = 1 << 16  # ids: what fits in the processor's cache
_FORMAT = 2  # raise it when a tokenizer, the text reader or the layout changes


def encode(corpus: Corpus, cache_dir: Path, *, progress: bool) -> EncodedCorpus:
    """Encodes a corpus, or maps what an earlier call encoded from the same files.

    Every word is kept, however rare. The text is streamed: neither it nor the ids need fit in
    memory, only the different words.

    Args:
      corpus: the text.
      cache_dir: folder that keeps encoded corpora; it is made if it is missing. If nothing tells
        a tokenizer of the corpus from others, it must be a new one.
      progress: show a bar on standard error.

    Returns:
      The corpus on disk.

    Raises:
      InputError: if the text can't be read, holds no word, or changes meanwhile; if the folder
        can't be written.
    """
    key = _key(corpus)
    directory = cache_dir / key
    if directory.exists():
        try:
            return load(directory)
        except (InputError, OSError, ValueError, KeyError, TypeError) as error:
            warnings.warn(f"{directory} is damaged ({error}); encoding again", stacklevel=2)
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=cache_dir))
    except OSError as error:
        raise InputError(f"{cache_dir}: cannot keep encoded text here: {error.strerror}") from error
    try:
        (building / "new").mkdir()
        known = _build(corpus, building / "new", progress)
        if _key(corpus) != key:
            raise InputError(f"{corpus.name}: a file changed while it was being read")
        if directory.exists():
            with contextlib.suppress(FileNotFoundError):
                directory.rename(building / "old")
        try:
            (building / "new").rename(directory)
        except OSError as error:
            # Another process was faster: what it put there is as good.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
    finally:
        shutil.rmtree(building)
    return load(directory, known)


def _key(corpus: Corpus) -> str:
    sources = []
    for source in corpus.sources:
        files = [(str(file.resolve()), file.stat()) for file in source.files]
        stamps = [(name, status.st_size, status.st_mtime_ns) for name, status in files]
        sources.append((source.tokenizer.identity, source.reading, stamps))
    identity = json.dumps([_FORMAT, unicodedata.unidata_version, sources])
    return hashlib.sha256(identity.encode()).hexdigest()[:24]


def _build(corpus: Corpus, directory: Path, progress: bool) -> Vocabulary:
    spill = Spill(directory)
    notes = _read(corpus, spill, progress)
    kept, ranks = rank(spill.ids, spill.counts)
    kept.save(directory / "vocabulary.txt")
    for i, part in enumerate(spill.parts(_SHARD_WORDS)):
        for some in np.split(part, range(_AT_ONCE, len(part), _AT_ONCE)):
            some[:] = ranks.take(some)
        np.save(directory / shard_name(i), part)
    np.save(directory / "documents.npy", spill.documents())
    spill.remove()
    manifest = {
        "corpus": corpus.name,
        "format": _FORMAT,
        "unicode": unicodedata.unidata_version,
        "words": int(kept.counts.sum()),
        "bytes": {file.name: file.stat().st_size for file in sorted(directory.iterdir())},
        "sha256": corpus.sha256,
        "notes": notes,
    }
    (directory / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return kept


def _read(corpus: Corpus, spill: Spill, progress: bool) -> list[Note]:
    """Writes the words of all files; returns what there is to say about them."""
    notes = Notes()
    with progress_bar(
        desc=f"encoding {corpus.name}",
        total=sum(file.stat().st_size for file in corpus.files),
        unit="B",
        unit_scale=True,
        disable=not progress,
    ) as bar:
        for source in corpus.sources:
            word_ids = WordIds(source.tokenizer, spill.ids)
            for file in source.files:
                before = bar.n
                spill.begin_document()
                for piece in _pieces(file, source.reading):
                    notes.see(file, piece, source.reading)
                    if spill.add(*word_ids.of(piece.texts)):
                        word_ids.forget()
                    bar.update(before + piece.position - bar.n)
            notes.see_changes(source.tokenizer, word_ids.changes)
    if spill.words == 0:
        raise InputError(f"{corpus.name}: no words in {len(corpus.files)} files")
    return [*notes.sentences(), *spill.notes()]


def _pieces(file: Path, reading: Reading) -> Iterator[Piece]:
    by_column = reading.column is not None and kind(file) is not None
    return read_column(file, reading) if by_column else read_pieces(file, reading)
