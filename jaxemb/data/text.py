"""Text that methods learn word vectors from: a corpus and the words of it that get vectors.

Example:
    from jaxemb import data

    text = data.from_tokens([["the", "cat", "sat"], ["the", "dog", "sat"]], min_count=1)
    print(len(text.vocabulary), text.vocabulary.words[0])

`open_text` reads files of any length.
"""

import atexit
import dataclasses
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pooch

from jaxemb import checks
from jaxemb.data.corpora import open_corpus
from jaxemb.data.encode import encode
from jaxemb.data.encoded_corpus import EncodedCorpus
from jaxemb.data.files import default_data_dir
from jaxemb.data.phrases import join_phrases
from jaxemb.data.text_files import Documents, Errors, Reading, check_encoding
from jaxemb.data.text_notes import Notes
from jaxemb.data.tokenize import as_tokenizer
from jaxemb.data.vocabulary import ProvisionalIds, Vocabulary, rank, truncate
from jaxemb.data.word_ids import WordIds
from jaxemb.errors import InputError

_logger = logging.getLogger("jaxemb")


class Text(NamedTuple):
    """A corpus and the words of it that get vectors.

    Attributes:
      corpus: all words, as ids.
      vocabulary: the V most frequent ones. Ids from V on are words without vectors.
    """

    corpus: EncodedCorpus
    vocabulary: Vocabulary


def check_text(data: object) -> None:
    """Refuses what is no text, as methods on words want it.

    Raises:
      InputError: naming what makes one.
    """
    if not isinstance(data, Text):
        raise InputError(
            f"data must be a jaxemb.data.Text, found {type(data).__name__}; from_tokens makes one "
            "of lists of words, from_texts of strings, open_text of files"
        )


@dataclasses.dataclass(frozen=True)
class _Asked:
    """The arguments that are plain values, checked."""

    min_count: int = 5
    max_vocab: int | None = None
    keep_case: bool = False
    encoding: str = "utf-8"
    errors: Errors = "strict"
    documents: Documents = "line"
    column: str | None = None
    phrases: int = 0
    phrase_threshold: float = 100.0
    phrase_discount: int = 5

    def __post_init__(self):
        checks.check_fields(self)
        checks.check_field(self, "min_count", at_least=1)
        if self.max_vocab is not None:
            checks.check_field(self, "max_vocab", at_least=1)
        for name in ("phrases", "phrase_threshold", "phrase_discount"):
            checks.check_field(self, name, at_least=0)
        check_encoding(self.encoding)
        if self.column is not None and self.documents != "line":
            raise InputError(
                f"documents = {self.documents!r} doesn't go with a column, whose rows are documents"
            )

    @property
    def reading(self) -> Reading:
        return Reading(self.encoding, self.errors, self.documents, self.column)


def from_tokens(
    documents: Iterable[Iterable[str]], *, min_count: int = 5, max_vocab: int | None = None
) -> Text:
    """Encodes text that is in memory, already split into words.

    Args:
      documents: documents of words, sentences for instance. Neighbors don't reach from one into
        the next. Words are taken as they are: lower-case them first where that is wanted.
      min_count: rarer words get no vectors.
      max_vocab: most words with vectors; None for no limit.

    Returns:
      The text.

    Raises:
      InputError: if a document is a string, a word is none or empty, or the text has too few
        words.
    """
    asked = _Asked(min_count, max_vocab)
    ids = ProvisionalIds()

    def number(place: int, document: Iterable[str]) -> np.ndarray:
        if isinstance(document, (str, bytes)):
            raise InputError(
                f"document {place} is a string, not a list of words: {document[:40]!r}; "
                "from_texts splits strings into words"
            )
        if isinstance(document, (set, frozenset, dict)):
            raise InputError(
                f"document {place} must be a list of words in their order, found "
                f"{type(document).__name__}"
            )
        try:
            return np.fromiter(map(ids.__getitem__, document), np.int32)
        except TypeError as error:
            raise InputError(f"document {place} is no list of words: {error}") from error

    each = _each(
        documents,
        "documents must be lists of words",
        "from_texts([...]) splits strings into words, open_text(path) reads files",
    )
    parts = [number(place, document) for place, document in enumerate(each)]
    if bad := [word for word in ids if not isinstance(word, str) or not word]:
        raise InputError(
            f"words must be strings of at least a character, found {bad[0]!r}; {len(bad)} such "
            "words"
        )
    return _in_memory(ids, parts, np.array([len(part) for part in parts], np.int64), asked)


def from_texts(
    strings: Iterable[str],
    *,
    tokenizer: str | Callable[[str], Iterable[str]] = "words",
    keep_case: bool = False,
    min_count: int = 5,
    max_vocab: int | None = None,
) -> Text:
    """Encodes text that is in memory as strings, a document each.

    What the tokenizer changed is logged, as information of the logger "jaxemb".

    Args:
      strings: documents. They are brought into Unicode's normal form NFC.
      tokenizer: words (Unicode's word boundaries), whitespace, characters, or a function, string
        to its words, by itself or as "module:function".
      keep_case: leave capital letters as they are; a function of yours decides itself.
      min_count: rarer words get no vectors.
      max_vocab: most words with vectors; None for no limit.

    Returns:
      The text.

    Raises:
      InputError: if a document is no string, or the text has too few words.
    """
    asked = _Asked(min_count, max_vocab, keep_case)
    chosen = as_tokenizer(tokenizer, keep_case=keep_case)
    ids = ProvisionalIds()
    word_ids = WordIds(chosen, ids)
    parts, sizes = [], []
    each = enumerate(
        _each(
            strings,
            "strings must be a list of documents",
            "[string] is a list of one, open_text(path) reads files",
        )
    )
    # So many at a time, since each call takes its time.
    while batch := list(itertools.islice(each, 1 << 12)):
        for place, string in batch:
            if not isinstance(string, str):
                raise InputError(
                    f"document {place} must be a string, found {type(string).__name__}; "
                    "from_tokens takes lists of words"
                )
        found = word_ids.of([string for _, string in batch])
        parts.append(found[0])
        sizes.append(found[1])
    notes = Notes()
    notes.see_changes(chosen, word_ids.changes)
    _tell(notes.sentences())
    return _in_memory(ids, parts, np.concatenate([*sizes, np.empty(0, np.int64)]), asked)


def open_text(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    data_dir: str | os.PathLike[str] | None = None,
    tokenizer: str | Callable[[str], Iterable[str]] = "words",
    keep_case: bool = False,
    encoding: str = "utf-8",
    errors: Errors = "strict",
    documents: Documents = "line",
    column: str | None = None,
    min_count: int = 5,
    max_vocab: int | None = None,
    phrases: int = 0,
    phrase_threshold: float = 100.0,
    phrase_discount: int = 5,
    progress: bool = False,
) -> Text:
    """Opens text files or a named corpus, of any length: its words lie on disk, as ids.

    Files are encoded once; the user's cache keeps them for later calls. A tokenizer that can't be
    imported by its name, a lambda, for instance, is asked anew each time. What the tokenizer
    changed, bytes left out and lines that look wrapped are logged by the logger "jaxemb".

    Args:
      paths: text files or folders of them, plain or compressed (gzip, xz, bzip2, Zstandard, zip),
        or names: `pydocs`, `text8`, `simplewiki`, `enwiki`, which are words already. Several are
        read in this order. Files named .jsonl, .csv, .tsv or .parquet have a column of text.
      data_dir: where named corpora lie. None takes JAXEMB_DATA, or the user's cache.
      tokenizer: words (Unicode's word boundaries), whitespace, characters, or a function, string
        to its words, by itself or as "module:function".
      keep_case: leave capital letters as they are; a function of yours decides itself.
      encoding: of the files, by Python's name of it.
      errors: what happens to bytes that are no text in it: strict refuses them, replace puts
        U+FFFD in their place, skip leaves them out.
      documents: what a document is, beyond whose ends neighbors don't reach: a line, a paragraph
        (blank lines are between them), or a file.
      column: where the text is in files with columns; each row is a document.
      min_count: rarer words get no vectors.
      max_vocab: most words with vectors; None for no limit.
      phrases: passes of phrase detection, each of which joins pairs of words that often come
        together, new_york; two find phrases of up to four words.
      phrase_threshold: how many times as frequent as by chance such a pair is.
      phrase_discount: occurrences of a pair that don't count.
      progress: show bars on standard error.

    Returns:
      The text.

    Raises:
      InputError: if the text cannot be read or has too few words.
    """
    asked = _Asked(
        min_count,
        max_vocab,
        keep_case,
        encoding,
        errors,
        documents,
        column,
        phrases,
        phrase_threshold,
        phrase_discount,
    )
    names = _names(paths)
    where = default_data_dir() if data_dir is None else Path(data_dir)
    chosen = as_tokenizer(tokenizer, keep_case=keep_case)
    corpus = open_corpus(names, where, tokenizer=chosen, reading=asked.reading)
    cache = Path(pooch.os_cache("jaxemb")) / "encoded"
    if not corpus.can_be_told:
        cache = _removed_at_exit(cache)
    encoded = encode(corpus, cache, progress=progress)
    _tell(encoded.notes)
    for _ in range(phrases):
        known = encoded.vocabulary.ids
        encoded = join_phrases(
            encoded, cache, threshold=phrase_threshold, discount=phrase_discount, progress=progress
        )
        new = [word for word in encoded.vocabulary.words if word not in known]
        examples = f", such as {', '.join(new[:5])}" if new else ""
        _logger.info(f"{len(new):,} phrases joined{examples}")
    return _checked(encoded, asked, " + ".join(names))


def _names(paths: Any) -> list[str]:
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    try:
        names = [os.fspath(name) for name in several]
    except TypeError as error:
        raise InputError(
            f"paths must be a file, a folder or a list of them, found {type(paths).__name__}: "
            f"{error}; from_texts takes strings, from_tokens lists of words"
        ) from error
    if not all(isinstance(name, str) for name in names):
        raise InputError("paths must be strings or Path, found bytes; os.fsdecode makes strings")
    return names


def _removed_at_exit(cache: Path) -> Path:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".once-", dir=cache))
    except OSError as error:
        raise InputError(f"{cache}: cannot keep encoded text here: {error.strerror}") from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _each(given: Any, wanted: str, way_on: str) -> Iterator[Any]:
    if isinstance(given, (str, bytes)):
        raise InputError(f"{wanted}, found one string; {way_on}")
    try:
        return iter(given)
    except TypeError as error:
        raise InputError(f"{wanted}, found {type(given).__name__}; {way_on}") from error


def _tell(notes: Iterable[Sequence[str]]) -> None:
    for level, sentence in notes:
        _logger.log(logging.getLevelNamesMapping()[level.upper()], sentence)


def _in_memory(
    ids: ProvisionalIds, parts: list[np.ndarray], sizes: np.ndarray, asked: _Asked
) -> Text:
    if not sizes.sum():
        raise InputError("the documents hold no words")
    found = np.concatenate(parts)
    vocabulary, ranks = rank(ids, np.bincount(found))
    starts = (np.cumsum(sizes) - sizes)[sizes > 0]
    corpus = EncodedCorpus(
        vocabulary, len(found), starts, [ranks[found]], len(found), 0, {}, None, sizes=sizes
    )
    return _checked(corpus, asked)


def _checked(corpus: EncodedCorpus, asked: _Asked, name: str = "") -> Text:
    min_count, max_vocab = asked.min_count, asked.max_vocab
    vocabulary = truncate(corpus.vocabulary, min_count=min_count, max_size=max_vocab)
    if len(vocabulary) < 2:
        limit = "" if max_vocab is None else f", or max_vocab = {max_vocab} too small"
        raise InputError(
            f"only the word {vocabulary.words[0]!r} is left, two are needed; is min_count = "
            f"{min_count} too large{limit}?"
        )
    if len(corpus.documents) == corpus.words:
        raise InputError(
            f"{f'{name}: ' if name else ''}every document is a single word, so none has "
            "neighbors; each line of a text file is a document"
        )
    return Text(corpus, vocabulary)
