"""Two languages in one space."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.evaluation.translation import retrieve
from jaxemb.factorize.procrustes import orthogonal
from jaxemb.io.word_vectors import WordVectors
from jaxemb.losses.distances import unit
from jaxemb.methods.alignment.maps import choose, maps_of, normalized, rough
from jaxemb.methods.alignment.options import Options
from jaxemb.methods.alignment.pairs import check_asked, check_words, rows_of
from jaxemb.progress import phase
from jaxemb.projections.gromov_wasserstein import by_coupling
from jaxemb.projections.self_learning import best_of_both, best_of_each, by_similarities
from jaxemb.training.state import History

Side = Literal["source", "target"]


class View(NamedTuple):
    """How the vectors of a language come into the shared space.

    Attributes:
      means: [D] of each centering.
      matrix: [D, C].
    """

    means: tuple[np.ndarray, ...]
    matrix: np.ndarray


class Fitted(NamedTuple):
    """Two languages in one space.

    Attributes:
      source: the first language's words, their vectors [V, C] of length 1 in the shared space.
      target: the second's.
      views: how both came there.
      pairs: [P, 2] int, the rows of source and target that the maps were made of.
      ridge: the penalty used.
      power: the power used.
      found_again: share of held-out pairs whose translation was the first; NaN if none were held
        out.
      options: of the method.
      history: empty, for nothing is iterated by the engine.
    """

    source: WordVectors
    target: WordVectors
    views: tuple[View, View]
    pairs: np.ndarray
    ridge: float
    power: float
    found_again: float
    options: Options
    history: History = History()


def fit(
    source: WordVectors,
    target: WordVectors,
    pairs: Iterable[tuple[str, str]] | None = None,
    options: Options | None = None,
    *,
    key: jax.Array | int | None = None,
) -> Fitted:
    """Maps two languages into one space.

    Args:
      source: vectors of one language, finite, most frequent words first.
      target: of the other; it may be of another width.
      pairs: words and their translations; a word may have several. Pairs of a word without a
        vector are left out, which is logged. None: as the option `begin` says.
      options: of the method.
      key: random key, or a seed, needed where turns are sought.

    Returns:
      Both in the shared space.

    Raises:
      InputError: if an argument is outside its documented range, no pair has vectors, or a key is
        needed.

    Reference:
      Artetxe et al. 2018, "A robust self-learning method for fully unsupervised cross-lingual
      mappings of word embeddings"; Faruqui & Dyer 2014 for canonical correlation.
    """
    options = checks.as_options(options, Options)
    key = None if key is None else checks.as_key(key)
    for name, one in (("source", source), ("target", target)):
        check_words(one, name)
    begun = [normalized(one.vectors, options.normalize) for one in (source, target)]
    (x, x_means), (z, z_means) = begun
    given = np.zeros((0, 2), np.int32)
    if pairs is not None:
        rows = given = rows_of(source, target, pairs)
        rounds, refinements = 0, 0
    elif options.begin == "identical":
        rows = _identical(source, target)
        rounds, refinements = 0, 5
    else:
        rows = _from_nothing(x, z, options)
        rounds, refinements = 500, 5
    rounds = rounds if options.rounds is None else options.rounds
    refinements = refinements if options.refinements is None else options.refinements
    if rounds:
        if key is None:
            raise InputError("key is needed to seek turns: an int, e.g. 0")
        rows = _seek(key, x, z, rows, rounds, options)
    if pairs is None:
        strength, power, again = *rough(options), float("nan")
    else:
        strength, power, again = choose(x, z, rows, options)
    maps = maps_of(x[rows[:, 0]], z[rows[:, 1]], options.map, strength, power)
    few = slice(options.candidates)
    for _ in range(refinements):
        with phase("refining the dictionary"):
            found = best_of_both(x[few] @ maps[0], z[few] @ maps[1], neighbors=options.neighbors)
            rows = np.unique(np.concatenate([given, found]), axis=0)
            maps = maps_of(x[rows[:, 0]], z[rows[:, 1]], options.map, strength, power)
    mapped = [np.asarray(unit(side @ one)) for side, one in zip((x, z), maps, strict=True)]
    return Fitted(
        WordVectors(source.words, mapped[0]),
        WordVectors(target.words, mapped[1]),
        (View(x_means, np.asarray(maps[0])), View(z_means, np.asarray(maps[1]))),
        rows,
        strength,
        power,
        again,
        options,
    )


def translate(
    fitted: Fitted, words: Sequence[str], *, k: int = 1, back: bool = False
) -> list[list[tuple[str, float]]]:
    """Finds translations of words.

    Args:
      fitted: both languages.
      words: of the source; of the target if `back`.
      k: translations of each.
      back: whether to translate into the source.

    Returns:
      For each word its k translations, the best first, each with its score.

    Raises:
      UnknownWordError: if a word has no vector.
      InputError: if k is out of range, or words is a single string.
    """
    here, there = (fitted.target, fitted.source) if back else (fitted.source, fitted.target)
    check_asked(words, there, k)
    if not words:
        return []
    options = fitted.options
    found = retrieve(
        jnp.asarray(here[words]),
        jnp.asarray(there.vectors),
        k=k,
        by=options.retrieval,
        neighbors=options.neighbors,
        temperature=options.temperature,
        others=jnp.asarray(here.vectors),
    )
    return [
        [(there.words[row], float(score)) for row, score in zip(ids, scores, strict=True)]
        for ids, scores in zip(found.ids, found.scores, strict=True)
    ]


def transform(fitted: Fitted, vectors: Any, *, side: Side = "source") -> np.ndarray:
    """Brings vectors of a language into the shared space.

    Args:
      fitted: both languages.
      vectors: [M, D] real numbers, as those of that side.
      side: "source" or "target".

    Returns:
      [M, C] float32 of length 1.

    Raises:
      InputError: if the vectors are no such matrix, or the side is neither.
    """
    if side not in ("source", "target"):
        raise InputError(f"side must be 'source' or 'target', found {side!r}")
    view = fitted.views[side == "target"]
    rows = checks.as_points(vectors, at_least=1, name="vectors")
    if rows.shape[1] != len(view.matrix):
        raise InputError(
            f"vectors must have {len(view.matrix)} numbers, as those fitted, found {rows.shape[1]}"
        )
    normal = normalized(rows.astype(np.float32), fitted.options.normalize, view.means)[0]
    return np.asarray(unit(normal @ view.matrix))


def _identical(source: WordVectors, target: WordVectors) -> np.ndarray:
    # Numbers are spelled alike in all languages, and mean the same.
    shared = [word for word in source.words if word in target.index]
    if not shared:
        raise InputError(
            "no word is spelled alike in both languages: give pairs, or begin='similarities'"
        )
    return np.array([(source.index[word], target.index[word]) for word in shared], np.int32)


def _from_nothing(x: jax.Array, z: jax.Array, options: Options) -> np.ndarray:
    if options.begin == "gromov_wasserstein":
        few = slice(options.coupled)
        with phase("coupling words"):
            return by_coupling(x[few], z[few], epsilon=options.epsilon)
    few = slice(options.frequent)
    with phase("comparing similarities"):
        return by_similarities(x[few], z[few], neighbors=options.neighbors)


def _seek(
    key: jax.Array, x: jax.Array, z: jax.Array, rows: np.ndarray, rounds: int, options: Options
) -> np.ndarray:
    """Returns pairs [P, 2] learned from the turns of the pairs before, round by round."""
    few = slice(options.frequent)
    keep, best, since = options.first_keep, -np.inf, 0
    with phase("seeking turns"):
        for number in range(rounds):
            turn = orthogonal(x[rows[:, 0]], z[rows[:, 1]])
            rows, similarity = best_of_each(
                jax.random.fold_in(key, number),
                x[few] @ turn,
                z[few],
                keep=keep,
                neighbors=options.neighbors,
            )
            since += 1
            if similarity > best + 1e-6:
                best, since = similarity, 0
            elif since > options.patience:
                if keep >= 1:
                    break
                keep, since = min(1.0, 2 * keep), 0
    return rows
