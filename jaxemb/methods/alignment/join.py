"""Several languages in one space, by generalized Procrustes analysis."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from scipy.sparse import coo_array, csgraph

from jaxemb.errors import InputError
from jaxemb.factorize.procrustes import generalized
from jaxemb.io.word_vectors import WordVectors
from jaxemb.losses.distances import unit
from jaxemb.methods.alignment.maps import normalized
from jaxemb.methods.alignment.options import Normalization, Options
from jaxemb.methods.alignment.pairs import check_words, rows_of

_logger = logging.getLogger("jaxemb")


class Joined(NamedTuple):
    """Several languages in one space.

    Attributes:
      languages: the words of each, their vectors [V, D] of length 1 in the shared space.
      pairs: [P, 2] rows of the two languages of each dictionary, by which they were brought there.
    """

    languages: tuple[WordVectors, ...]
    pairs: dict[tuple[int, int], np.ndarray]


def join(
    languages: Sequence[WordVectors],
    dictionaries: Mapping[tuple[int, int], Iterable[tuple[str, str]]],
    *,
    normalize: tuple[Normalization, ...] = Options().normalize,
    rounds: int = 10,
) -> Joined:
    """Turns several languages so that words are near their translations in all others.

    Args:
      languages: vectors of each, finite; narrower ones are widened by zeros.
      dictionaries: of two languages, by their places: words and their translations, as for `fit`.
        Each language must be linked with each other one, directly or by others.
      normalize: what is done to the vectors before, in this order.
      rounds: times that each language is turned to the others.

    Returns:
      All languages, of the width of the widest.

    Raises:
      InputError: if an argument is outside its documented range, no pair of a dictionary has
        vectors, or a language is not linked.
    """
    if not isinstance(languages, (tuple, list)) or len(languages) < 2:
        raise InputError("languages must be at least two, a list of jaxemb.io.WordVectors")
    for place, words in enumerate(languages):
        check_words(words, f"language {place}")
    if rounds < 1:
        raise InputError(f"rounds must be at least 1, found {rounds}")
    count = len(languages)
    pairs = {}
    for places, words in dictionaries.items():
        one, other = places
        if not (0 <= one < count and 0 <= other < count) or one == other:
            raise InputError(
                f"dictionaries must be of two of the {count} languages, 0 to {count - 1}, found "
                f"{places}"
            )
        try:
            pairs[places] = rows_of(languages[one], languages[other], words)
        except InputError as error:
            raise InputError(f"the dictionary of languages {one} and {other}: {error}") from error
    ends = np.array(list(pairs), int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), tuple(ends)), shape=(count, count))
    groups, group = csgraph.connected_components(graph, directed=False)
    if groups > 1:
        alone = int(np.flatnonzero(group != group[0])[0])
        raise InputError(f"dictionaries must link all languages, found none from 0 to {alone}")
    width = max(words.vectors.shape[1] for words in languages)
    for places, rows in pairs.items():
        narrow = min(languages[place].vectors.shape[1] for place in places)
        if len(rows) < narrow:
            _logger.warning(
                f"the dictionary of languages {places[0]} and {places[1]} has {len(rows):,} pairs "
                f"with vectors, fewer than these have numbers, {narrow}: any words could be turned "
                "onto any others"
            )
    spaces = []
    for words in languages:
        table = normalized(words.vectors, normalize)[0]
        spaces.append(jnp.pad(table, ((0, 0), (0, width - table.shape[1]))))
    maps = generalized(spaces, pairs, iterations=rounds)
    return Joined(
        tuple(
            WordVectors(words.words, np.asarray(unit(space @ one)))
            for words, space, one in zip(languages, spaces, maps, strict=True)
        ),
        pairs,
    )
