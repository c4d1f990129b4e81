"""Looks words up in a vectors file: neighbours, analogies, similarities, odd ones out.

In a fastText model also words that it doesn't have, by their character n-grams.
"""

import dataclasses
import difflib
import sys
from pathlib import Path
from typing import Annotated

import jax.numpy as jnp
import numpy as np
import tyro

from jaxemb import io
from jaxemb.errors import InputError
from jaxemb.evaluation.neighbors import nearest, unit_rows
from jaxemb.io import fasttext_binary
from jaxemb.models.subword_table import has_ngrams, word_vectors

from .harness import command


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """The words nearest to a word, by cosine."""

    word: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="WORD")]
    count: int = 10
    """Words to list."""


@dataclasses.dataclass(frozen=True)
class Analogy:
    """A is to B as C is to which word? By 3CosAdd: the words nearest to B - A + C."""

    a: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="A")]
    b: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="B")]
    c: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="C")]
    count: int = 10
    """Words to list."""


@dataclasses.dataclass(frozen=True)
class Similarity:
    """The cosine between two words."""

    a: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="A")]
    b: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="B")]


@dataclasses.dataclass(frozen=True)
class OddOneOut:
    """The word of three or more that is least like the mean of them all, as in Gensim."""

    words: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="WORDS")]


@dataclasses.dataclass(frozen=True)
class Config:
    """Asks the word vectors of a file a question."""

    vectors: Path
    """Word vectors, in any format that jaxemb.io reads."""
    query: tyro.conf.OmitSubcommandPrefixes[Neighbours | Analogy | Similarity | OddOneOut]


def run(config: Config) -> None:
    """Answers the question on standard output."""
    query = config.query
    match query:
        case Neighbours():
            asked: tuple[str, ...] = (query.word,)
        case Analogy():
            asked = (query.a, query.b, query.c)
        case Similarity():
            asked = (query.a, query.b)
        case OddOneOut():
            asked = query.words
            if len(set(asked)) < max(3, len(asked)):
                raise InputError(
                    f"odd-one-out needs three or more different words, got {len(asked)}"
                )
    table, known = _read(config.vectors, asked)
    ids = _look_up(asked, table.words, table.vectors)
    for word in dict.fromkeys(word for word, row in zip(asked, ids, strict=True) if row >= known):
        print(f"{word}: none of the {known:,} words; its vector is that of its character n-grams")
    unit = np.asarray(unit_rows(jnp.asarray(table.vectors[ids])))

    match query:
        case Neighbours():
            heading = "nearest:"
            if ids[0] < known:
                heading = f"{query.word}: word {ids[0] + 1:,} of {known:,}"
            _print_nearest(heading, table, unit[0], ids, query.count)
        case Analogy():
            heading = (
                f"{query.a} is to {query.b} as {query.c} is to ?\n"
                f"cos(?, {query.b} - {query.a} + {query.c}), each word's vector of length 1"
            )
            _print_nearest(heading, table, unit[1] - unit[0] + unit[2], ids, query.count)
        case Similarity():
            print(f"cos({query.a}, {query.b}) = {unit[0] @ unit[1]:.4f}")
        case OddOneOut():
            cosines = np.asarray(unit_rows(jnp.asarray(unit.mean(axis=0)[None]))[0] @ unit.T)
            order = np.argsort(cosines, kind="stable")
            heading = f"odd one out: {asked[order[0]]}\ncosine to the mean of all:"
            _print_table(heading, [asked[i] for i in order], cosines[order])


def _read(path: Path, asked: tuple[str, ...]) -> tuple[io.WordVectors, int]:
    """Reads the vectors, with those asked words behind them that only their n-grams tell.

    Returns:
      The table, and how many words the file has.
    """
    if path.suffix != ".bin" or not fasttext_binary.stands_in(path):
        table = io.read(path)
        return table, len(table.words)
    model = fasttext_binary.read_model(path)
    lengths = {"shortest": model.shortest, "longest": model.longest}
    spelt = [word for word in asked if has_ngrams(word, **lengths)]
    words = list(dict.fromkeys([*model.words, *spelt]))
    vectors = word_vectors(model, words)
    return io.WordVectors(words, vectors), len(model.words)


def _look_up(asked: tuple[str, ...], words: list[str], vectors: np.ndarray) -> list[int]:
    ids = []
    for word in asked:
        # One pass at C speed; a dictionary of all words would cost more than a few of them.
        try:
            ids.append(words.index(word))
        except ValueError:
            close = _spellings(word, words)
            hint = f"did you mean {', '.join(close)}?" if close else "no word is spelled like it"
            raise InputError(f"{word!r} is not among the {len(words):,} words; {hint}") from None
        if not vectors[ids[-1]].any():
            raise InputError(f"the vector of {word!r} is zero: it has no cosine with any word")
    return ids


def _spellings(word: str, words: list[str]) -> list[str]:
    # Vectors files are sorted by frequency. A frequent word is likelier to be meant than a rare
    # one, and comparing with 50,000 words takes a tenth of the time of comparing with 400,000.
    for part in (words[:50_000], words[50_000:]):
        same = [other for other in part if other.lower() == word.lower()]
        close = same + difflib.get_close_matches(word, part, n=3, cutoff=0.7)
        if close:
            return list(dict.fromkeys(close))[:3]
    return []


def _print_nearest(
    heading: str, table: io.WordVectors, target: np.ndarray, ids: list[int], count: int
) -> None:
    most = len(table.words) - len(ids)
    if not 1 <= count <= most:
        raise InputError(f"--count {count} is outside 1..{most}, the other words of the file")
    vectors, exclude = jnp.asarray(table.vectors), jnp.asarray([ids])
    found, cosines = nearest(vectors, jnp.asarray(target[None]), k=count, exclude=exclude)
    _print_table(heading, [table.words[i] for i in np.asarray(found[0])], np.asarray(cosines[0]))


def _print_table(heading: str, words: list[str], cosines: np.ndarray) -> None:
    print(heading)
    width = max(map(len, words))
    for word, cosine in zip(words, cosines, strict=True):
        print(f"  {word:{width}}  {cosine:7.4f}")


if __name__ == "__main__":
    sys.exit(command.main(Config, run))
