"""Sentences of two languages as ids, and as one text."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxemb.data.captions import count_words
from jaxemb.data.text import Text, from_tokens
from jaxemb.data.tokenize import words as words_of
from jaxemb.data.vocabulary import Vocabulary, truncate
from jaxemb.errors import InputError
from jaxemb.methods.sentences import Pairs, as_pairs

_NAMES = ("first", "second")
# In one text, what tells a word of the first language from one of the second that is spelled alike.
MARKS = ("1:", "2:")


class Sentences(NamedTuple):
    """What is learned from.

    Attributes:
      words: V and U, of each language.
      ids: of the first and the second sentence of each pair, N arrays of int.
      beside: of the sentences of each language alone.
    """

    words: tuple[Vocabulary, Vocabulary]
    ids: tuple[list[np.ndarray], list[np.ndarray]]
    beside: tuple[list[np.ndarray], list[np.ndarray]]


def read(pairs: Pairs, beside: tuple[Iterable[str], Iterable[str]], *, min_count: int) -> Sentences:
    """Cuts sentences into words; arguments and errors as of `fit`."""
    both = as_pairs(pairs)
    if not isinstance(beside, (tuple, list)) or len(beside) != 2:
        raise InputError(
            "beside must be two, sentences of the first language and of the second, found "
            f"{type(beside).__name__}"
        )
    if any(isinstance(texts, str) for texts in beside):
        raise InputError("beside must be lists of sentences, found one string")
    alone = [list(texts) for texts in beside]
    words, ids = [], []
    for name, paired, others in zip(_NAMES, both, alone, strict=True):
        every = count_words([*paired, *others])
        try:
            known = truncate(every, min_count=min_count)
        except InputError as error:
            raise InputError(f"{name} sentences: {error}") from error
        words.append(known)
        ids.append([_ids(known, texts) for texts in (paired, others)])
    return Sentences((words[0], words[1]), (ids[0][0], ids[1][0]), (ids[0][1], ids[1][1]))


def _ids(known: Vocabulary, texts: Sequence[str]) -> list[np.ndarray]:
    ids = known.ids
    return [
        np.array([ids[word] for word in words_of(text) if word in ids], np.int64) for text in texts
    ]


def merged(sentences: Sentences) -> Text:
    """Returns each sentence merged with its translation, words in the order of their places.

    A word's place is the share of its sentence that lies before it: a translation lies near what
    it translates, in languages of similar order.
    """
    names = [
        [mark + word for word in words.words]
        for mark, words in zip(MARKS, sentences.words, strict=True)
    ]

    def merge(first: np.ndarray, second: np.ndarray) -> list[str]:
        places = [(np.arange(len(ids)) + 0.5) / max(len(ids), 1) for ids in (first, second)]
        both = [names[0][word] for word in first] + [names[1][word] for word in second]
        return [both[row] for row in np.argsort(np.concatenate(places), kind="stable")]

    documents = [merge(first, second) for first, second in zip(*sentences.ids, strict=True)]
    for own, texts in zip(names, sentences.beside, strict=True):
        documents += [[own[word] for word in ids] for ids in texts]
    return from_tokens(documents, min_count=1)
