"""Text that methods learn word vectors from: a corpus and the words of it that get vectors.

Example:
    from jaxemb import data

    text = data.from_tokens([["the", "cat", "sat"], ["the", "dog", "sat"]], min_count=1)
    print(len(text.vocabulary), text.vocabulary.words[0])

`open_text` reads files of any length.
"""

import logging
import os
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pooch

from jaxemb.data.corpora import open_corpus
from jaxemb.data.encode import encode
from jaxemb.data.encoded_corpus import EncodedCorpus
from jaxemb.data.files import default_data_dir
from jaxemb.data.phrases import join_phrases
from jaxemb.data.tokenize import Tokenizer, words
from jaxemb.data.vocabulary import ProvisionalIds, Vocabulary, rank, truncate
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
    if isinstance(documents, (str, bytes)):
        raise InputError(
            "documents must be lists of words, found one string; from_texts([...]) splits strings "
            "into words, open_text(path) reads files"
        )
    ids = ProvisionalIds()
    parts, starts, total = [], [], 0
    for number, document in enumerate(documents):
        if isinstance(document, (str, bytes)):
            raise InputError(
                f"document {number} is a string, not a list of words: {document[:40]!r}; "
                "from_texts splits strings into words"
            )
        try:
            part = np.fromiter(map(ids.__getitem__, document), np.int32)
        except TypeError as error:
            raise InputError(f"document {number} is no list of words: {error}") from error
        if len(part):
            starts.append(total)
            parts.append(part)
            total += len(part)
    if bad := [word for word in ids if not isinstance(word, str) or not word]:
        raise InputError(
            f"words must be strings of at least a character, found {bad[0]!r}; {len(bad)} such "
            "words"
        )
    if not total:
        raise InputError("the documents hold no words")
    found = np.concatenate(parts)
    vocabulary, ranks = rank(ids, np.bincount(found))
    corpus = EncodedCorpus(
        vocabulary, total, np.array(starts, np.int64), [ranks[found]], total, 0, {}, None
    )
    return _checked(corpus, min_count, max_vocab)


def from_texts(
    strings: Iterable[str],
    *,
    tokenizer: Tokenizer = words,
    min_count: int = 5,
    max_vocab: int | None = None,
) -> Text:
    """Encodes text that is in memory as strings, a document each.

    Args:
      strings: documents. They are brought into Unicode's normal form NFC.
      tokenizer: string -> its words. The default lower-cases, and keeps letters and digits.
      min_count: rarer words get no vectors.
      max_vocab: most words with vectors; None for no limit.

    Returns:
      The text.

    Raises:
      InputError: if a document is no string, or the text has too few words.
    """
    if isinstance(strings, (str, bytes)):
        raise InputError(
            "strings must be a list of documents, found one string; [string] is a list of one, "
            "open_text(path) reads files"
        )

    def split(number: int, string: str) -> list[str]:
        if not isinstance(string, str):
            raise InputError(
                f"document {number} must be a string, found {type(string).__name__}; from_tokens "
                "takes lists of words"
            )
        return tokenizer(unicodedata.normalize("NFC", string))

    documents = (split(number, string) for number, string in enumerate(strings))
    return from_tokens(documents, min_count=min_count, max_vocab=max_vocab)


def open_text(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    data_dir: str | os.PathLike[str] | None = None,
    min_count: int = 5,
    max_vocab: int | None = None,
    phrases: int = 0,
    phrase_threshold: float = 100.0,
    phrase_discount: int = 5,
    progress: bool = False,
) -> Text:
    """Opens text files or a named corpus, of any length: its words lie on disk, as ids.

    Files are encoded once; the user's cache keeps them for later calls.

    Args:
      paths: text files or folders of them, a document a line, plain or compressed (.gz, .xz,
        .zip), or names: `pydocs`, `text8`, `simplewiki`, `enwiki`. Several are read in this order.
      data_dir: where named corpora lie. None takes JAXEMB_DATA, or the user's cache.
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
    several = [paths] if isinstance(paths, (str, os.PathLike)) else paths
    names = [os.fspath(name) for name in several]
    where = default_data_dir() if data_dir is None else Path(data_dir)
    cache = Path(pooch.os_cache("jaxemb")) / "encoded"
    corpus = encode(open_corpus(names, where), cache, progress=progress)
    for _ in range(phrases):
        known = corpus.vocabulary.ids
        corpus = join_phrases(
            corpus, cache, threshold=phrase_threshold, discount=phrase_discount, progress=progress
        )
        new = [word for word in corpus.vocabulary.words if word not in known]
        examples = f", such as {', '.join(new[:5])}" if new else ""
        _logger.info(f"{len(new):,} phrases joined{examples}")
    return _checked(corpus, min_count, max_vocab, " + ".join(names))


def _checked(corpus: EncodedCorpus, min_count: int, max_vocab: int | None, name: str = "") -> Text:
    if max_vocab is not None and max_vocab < 1:
        raise InputError(f"max_vocab must be at least 1, found {max_vocab}")
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
