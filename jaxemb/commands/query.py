"""Looks words up in a vectors file: neighbors, analogies, similarities, odd ones out.

In a fastText model also words that it doesn't have, by their character n-grams.
"""

import dataclasses
from pathlib import Path
from typing import Annotated

import tyro

from jaxemb import io
from jaxemb.errors import InputError
from jaxemb.io import ReadOptions


@dataclasses.dataclass(frozen=True)
class Neighbors:
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

    vectors: tyro.conf.CascadeSubcommandArgs[Path]
    """Word vectors, in any format that jaxemb.io reads, or the folder of a run."""
    query: tyro.conf.OmitSubcommandPrefixes[Neighbors | Analogy | Similarity | OddOneOut]
    reading: tyro.conf.CascadeSubcommandArgs[ReadOptions] = ReadOptions()


def run(config: Config) -> None:
    """Answers the question on standard output."""
    query = config.query
    match query:
        case Neighbors():
            asked: tuple[str, ...] = (query.word,)
        case Analogy():
            asked = (query.a, query.b, query.c)
        case Similarity():
            asked = (query.a, query.b)
        case OddOneOut():
            asked = query.words
            if len(set(asked)) < max(3, len(asked)):
                raise InputError(
                    f"odd-one-out needs three or more words, each given once, got "
                    f"{' '.join(asked)!r:.80}"
                )
    table = io.read(config.vectors, **dataclasses.asdict(config.reading))
    table[asked]  # all words are there
    known = {word: row for word in asked if (row := table.row(word)) is not None}
    if isinstance(query, Neighbors | Analogy):
        most = len(table) - len(set(known.values()))
        if not 1 <= query.count <= most:
            raise InputError(
                f"count {query.count} is outside 1..{most}, the other words of the file"
            )

    rows: list[tuple[str, float]] = []
    match query:
        case Neighbors():
            rows = table.nearest(query.word, query.count)
            heading = "nearest:"
            if known:
                heading = f"{query.word}: word {known[query.word] + 1:,} of {len(table):,}"
        case Analogy():
            heading = (
                f"{query.a} is to {query.b} as {query.c} is to ?\n"
                f"cos(?, {query.b} - {query.a} + {query.c}), each word's vector of length 1"
            )
            rows = table.analogy(query.a, query.b, query.c, query.count)
        case Similarity():
            heading = f"cos({query.a}, {query.b}) = {table.similarity(query.a, query.b):.4f}"
        case OddOneOut():
            rows = table.centrality(asked)
            heading = f"odd one out: {rows[0][0]}\ncosine to the mean of all:"
    # Only now, that there is an answer.
    for word in dict.fromkeys(asked):
        if word not in known:
            print(
                f"{word}: none of the {len(table):,} words; its vector is that of its character "
                "n-grams"
            )
    print(heading)
    # White space alone would not be seen.
    rows = [(word if word.strip() else repr(word), cosine) for word, cosine in rows]
    width = max((len(word) for word, _ in rows), default=0)
    for word, cosine in rows:
        print(f"  {word:{width}}  {cosine:7.4f}")
