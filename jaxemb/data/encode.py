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

from jaxemb.data.corpora import Corpus
from jaxemb.data.encoded_corpus import EncodedCorpus, load, shard_name
from jaxemb.data.text_files import read_pieces
from jaxemb.data.vocabulary import ProvisionalIds, Vocabulary, rank
from jaxemb.errors import InputError
from jaxemb.progress import progress_bar

_SHARD_WORDS = 1 << 24
_COUNT_WORDS = 1 << 21  # counted five times as fast as a whole shard: it fits in the cache
_FORMAT = 1  # raise it when a tokenizer, the text reader or the layout changes


def encode(corpus: Corpus, cache_dir: Path, *, progress: bool) -> EncodedCorpus:
    """Encodes a corpus, or maps what an earlier call encoded from the same files.

    Every word is kept, however rare. The text is streamed: neither it nor the ids need fit in
    memory, only the different words.

    Args:
      corpus: the text. Tokenizers are identified by their names.
      cache_dir: folder that keeps encoded corpora; it is made if it is missing.
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
        sources.append((source.tokenize.__qualname__, source.separator, stamps))
    identity = json.dumps([_FORMAT, unicodedata.unidata_version, sources])
    return hashlib.sha256(identity.encode()).hexdigest()[:24]


def _build(corpus: Corpus, directory: Path, progress: bool) -> Vocabulary:
    spill, starts_spill = directory / "spill", directory / "starts"
    ids = _spill(corpus, spill, starts_spill, progress)
    counts = np.zeros(len(ids), np.int64)
    for part in _parts(spill, _COUNT_WORDS):
        counts += np.bincount(part, minlength=len(ids))
    kept, ranks = rank(ids, counts)
    kept.save(directory / "vocabulary.txt")
    for i, part in enumerate(_parts(spill, _SHARD_WORDS)):
        np.save(directory / shard_name(i), ranks[part])
    np.save(directory / "documents.npy", np.memmap(starts_spill, np.int64, "r"))
    spill.unlink()
    starts_spill.unlink()
    manifest = {
        "corpus": corpus.name,
        "format": _FORMAT,
        "unicode": unicodedata.unidata_version,
        "words": int(counts.sum()),
        "bytes": {file.name: file.stat().st_size for file in sorted(directory.iterdir())},
        "sha256": corpus.sha256,
    }
    (directory / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return kept


def _spill(corpus: Corpus, spill: Path, starts_spill: Path, progress: bool) -> dict[str, int]:
    """Writes provisional ids and where documents start; returns each word's provisional id."""
    ids = ProvisionalIds()
    total = 0
    with (
        spill.open("wb") as ids_file,
        starts_spill.open("wb") as starts_file,
        progress_bar(
            desc=f"encoding {corpus.name}",
            total=sum(file.stat().st_size for file in corpus.files),
            unit="B",
            unit_scale=True,
            disable=not progress,
        ) as bar,
    ):
        for source in corpus.sources:
            for file in source.files:
                before, starts_here = bar.n, True
                for piece in read_pieces(file, source.separator):
                    found: list[int] = []
                    starts: list[int] = []
                    for i, text in enumerate(piece.texts):
                        words = source.tokenize(text)
                        starts_here = starts_here or i > 0
                        if words and starts_here:
                            starts.append(total + len(found))
                            starts_here = False
                        found += map(ids.__getitem__, words)
                    np.array(found, np.int32).tofile(ids_file)
                    np.array(starts, np.int64).tofile(starts_file)
                    total += len(found)
                    bar.update(before + piece.position - bar.n)
    if total == 0:
        raise InputError(f"{corpus.name}: no words in {len(corpus.files)} files")
    return ids


def _parts(spill: Path, size: int) -> Iterator[np.ndarray]:
    with spill.open("rb") as file:
        while (part := np.fromfile(file, np.int32, size)).size:
            yield part
