"""Maps word vectors of two languages into one space, where translations are near.

Example:
    import numpy as np
    from jaxemb import alignment
    from jaxemb.io import WordVectors

    rng = np.random.default_rng(0)
    english = WordVectors([f"word{i}" for i in range(200)], rng.normal(size=(200, 8)).astype("f4"))
    turned = english.vectors @ np.linalg.qr(rng.normal(size=(8, 8)))[0].astype("f4")
    french = WordVectors([f"mot{i}" for i in range(200)], turned)
    pairs = [(f"word{i}", f"mot{i}") for i in range(50)]
    fitted = alignment.fit(english, french, pairs)
    alignment.translate(fitted, ["word150"], k=2)  # [[("mot150", ...), ...]]
    fitted.source.vectors  # [200, 8] in the shared space, as fitted.target.vectors

Without pairs, words that are spelled alike begin, or, with the option `begin="similarities"`,
nothing but how similar each language's words are to one another; then the dictionary is learned
anew from the maps, and the maps from the dictionary.
"""

import dataclasses
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxemb import checks
from jaxemb.errors import InputError
from jaxemb.evaluation.translation import Retrieval, precision_at_one, retrieve
from jaxemb.factorize.canonical import canonical, weighted
from jaxemb.factorize.procrustes import orthogonal
from jaxemb.factorize.ridge import ridge
from jaxemb.fields import documented
from jaxemb.io.word_vectors import WordVectors
from jaxemb.losses.distances import unit
from jaxemb.progress import phase
from jaxemb.projections.self_learning import (
    best_of_each,
    by_similarities,
)
from jaxemb.training.state import History

_logger = logging.getLogger("jaxemb")

Side = Literal["source", "target"]

# Fewer pairs are learned from as they are, none held out.
_FEWEST = 50


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the maps, vectors and pairs given."""

    map: Literal["procrustes", "ridge", "canonical"] = "canonical"
    """procrustes: the source is turned; ridge: it is mapped by least squares; canonical: both are
    mapped to the directions in which they agree."""
    ridge: float | None = None
    """Penalty on the map's size, a share of the mean variance; 0 for plain least squares, which
    canonical cannot take. None: what finds most held-out pairs again."""
    power: float | None = None
    """Power of the correlation that weighs a direction of the canonical map. None: likewise."""
    normalize: tuple[Literal["unit", "center"], ...] = ("unit", "center", "unit")
    """What is done to the vectors before, in this order."""
    ridges: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0)
    """Penalties that are tried where none is given."""
    powers: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    """Powers that are tried where none is given."""
    folds: int = 5
    """Parts of the pairs; each is found again by the maps of the others."""
    retrieval: Retrieval = "csls"
    """How a translation is looked up: by cosine, or corrected for words that are near to all."""
    neighbors: int = 10
    """Neighbors that the correction csls looks at."""
    temperature: float = 0.1
    """Of the correction inverted_softmax."""
    begin: Literal["identical", "similarities"] = "identical"
    """Where pairs come from if none are given."""
    rounds: int | None = None
    """Times that the dictionary is learned anew, at most. None: none with pairs, else 500."""
    frequent: int = 4000
    """Words of each language, the first, that the dictionary is learned among, and that tell which
    words are near to all while the map is chosen."""
    candidates: int = 20_000
    """Words of the target, the first, that held-out pairs are looked up among while the map is
    chosen, beside those of the pairs."""
    first_keep: float = 0.1
    """Share of the cosines looked at in the first rounds: what is left out by chance helps out of
    poor solutions. It doubles as rounds make nothing better."""
    patience: int = 10
    """Rounds that may make nothing better before that."""

    def __post_init__(self) -> None:
        """Refuses values that no map can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        if self.ridge is not None:
            checks.check_field(self, "ridge", at_least=0)
        for name in ("ridges", "powers"):
            if not getattr(self, name) or min(getattr(self, name)) < 0:
                raise InputError(f"{name} must be some numbers of at least 0")
        if self.map == "canonical" and 0 in (self.ridge, *self.ridges):
            raise InputError("ridge must be more than 0 for the map canonical, found 0")
        if self.power is not None:
            checks.check_field(self, "power", at_least=0)
        checks.check_field(self, "folds", at_least=2)
        checks.check_field(self, "neighbors", at_least=1)
        checks.check_field(self, "temperature", above=0)
        if self.rounds is not None:
            checks.check_field(self, "rounds", at_least=0)
        checks.check_field(self, "frequent", at_least=2)
        checks.check_field(self, "candidates", at_least=1)
        checks.check_field(self, "first_keep", above=0, at_most=1)
        checks.check_field(self, "patience", at_least=1)


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
      key: random key, or a seed, needed where the dictionary is learned anew.

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
        _check(one, name)
    begun = [_normalized(one.vectors, options.normalize) for one in (source, target)]
    (x, x_means), (z, z_means) = begun
    rounds = options.rounds
    if pairs is not None:
        rows = rows_of(source, target, pairs)
        rounds = 0 if rounds is None else rounds
    elif options.begin == "identical":
        rows = _identical(source, target)
    else:
        with phase("comparing similarities"):
            rows = by_similarities(
                x[: options.frequent], z[: options.frequent], neighbors=options.neighbors
            )
    rounds = 500 if rounds is None else rounds
    if rounds:
        if key is None:
            raise InputError("key is needed to learn the dictionary anew: an int, e.g. 0")
        rows = _learn(key, x, z, rows, rounds, options)
    strength, power, again = _chosen(x, z, rows, options)
    maps = _maps(x[rows[:, 0]], z[rows[:, 1]], options.map, strength, power)
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
    if isinstance(words, str):
        raise InputError(f"words must be a list of words, found one string: [{words!r:.80}]")
    here, there = (fitted.target, fitted.source) if back else (fitted.source, fitted.target)
    if not 1 <= k <= len(there):
        raise InputError(f"k must be from 1 to {len(there)}, the words there, found {k}")
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
    normal = _normalized(rows.astype(np.float32), fitted.options.normalize, view.means)[0]
    return np.asarray(unit(normal @ view.matrix))


def rows_of(
    source: WordVectors, target: WordVectors, pairs: Iterable[tuple[str, str]]
) -> np.ndarray:
    """Returns the rows [P, 2] of pairs of words; those without vectors are left out, and told.

    Raises:
      InputError: if a pair is none, or none has vectors.
    """
    rows, unknown, total = [], [], 0
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:
            raise InputError(f"pairs must be (source word, target word), found {pair!r:.80}")
        total += 1
        found = (source.row(pair[0]), target.row(pair[1]))
        if None in found:
            unknown.append(pair[found[0] is not None])
        else:
            rows.append(found)
    if not rows:
        raise InputError(
            f"none of {total:,} pairs has vectors for both words, e.g. not {unknown[:3]}; are the "
            "languages the other way round, or in upper case?"
        )
    if unknown:
        _logger.info(
            f"{len(unknown):,} of {total:,} pairs are left out: no vector for "
            f"{', '.join(map(str, unknown[:3]))}"
        )
    return np.unique(np.array(rows, np.int32), axis=0)


def _check(words: Any, name: str) -> None:
    if not isinstance(words, WordVectors):
        raise InputError(
            f"{name} must be jaxemb.io.WordVectors, found {type(words).__name__}; jaxemb.io.read "
            "reads a file of them"
        )
    checks.check_points(words.vectors, at_least=2, name=f"vectors of the {name}")


def _identical(source: WordVectors, target: WordVectors) -> np.ndarray:
    # Numbers are spelled alike in all languages, and mean the same.
    shared = [word for word in source.words if word in target.index]
    if not shared:
        raise InputError(
            "no word is spelled alike in both languages: give pairs, or begin='similarities'"
        )
    return np.array([(source.index[word], target.index[word]) for word in shared], np.int32)


def _normalized(
    vectors: np.ndarray, steps: Sequence[str], means: Sequence[np.ndarray] | None = None
) -> tuple[jax.Array, tuple[np.ndarray, ...]]:
    """Returns normalized vectors [V, D], and the means that were subtracted, or are to be."""
    table = jnp.asarray(vectors, jnp.float32)
    used: list[np.ndarray] = []
    for step in steps:
        if step == "unit":
            table = unit(table)
        else:
            mean = table.mean(axis=0) if means is None else jnp.asarray(means[len(used)])
            used.append(np.asarray(mean))
            table = table - mean[None, :]
    return table, tuple(used)


def _maps(
    x: jax.Array, z: jax.Array, how: str, strength: float, power: float
) -> tuple[jax.Array, jax.Array]:
    """Returns the maps of both sides, of partners x [P, D] and z [P, E]."""
    if how == "canonical":
        return weighted(canonical(x, z, ridge=strength), power)
    same = jnp.eye(z.shape[1], dtype=z.dtype)
    return (orthogonal(x, z) if how == "procrustes" else ridge(x, z, penalty=strength)), same


def _chosen(
    x: jax.Array, z: jax.Array, rows: np.ndarray, options: Options
) -> tuple[float, float, float]:
    """Returns ridge and power, and the share of held-out pairs that they find again."""
    canonical_map = options.map == "canonical"
    strengths = options.ridges if options.ridge is None else (options.ridge,)
    powers = options.powers if options.power is None else (options.power,)
    if options.map == "procrustes":
        strengths = (0.0,)
    if not canonical_map:
        powers = (0.0,)
    words = np.unique(rows[:, 0])
    if len(words) < max(_FEWEST, options.folds):
        # The middle of each, where nothing can be held out.
        return strengths[len(strengths) // 2], powers[len(powers) // 2], float("nan")
    # Dictionaries are sorted by frequency: every fold has words of all kinds.
    fold = np.searchsorted(words, rows[:, 0]) % options.folds
    # Not all words, of which there may be a million, and a hundred maps to look them up in.
    there = np.union1d(np.arange(min(options.candidates, len(z))), rows[:, 1])
    candidates, frequent = z[there], x[: options.frequent]
    shares: dict[tuple[float, float], list[float]] = {}
    with phase("choosing the map by held-out pairs"):
        for part in range(options.folds):
            kept, out = rows[fold != part], rows[fold == part]
            asked, place = np.unique(out[:, 0], return_inverse=True)
            right: list[set[int]] = [set() for _ in asked]
            answers = np.searchsorted(there, out[:, 1])
            for at, answer in zip(place, answers.tolist(), strict=True):
                right[at].add(answer)
            for strength in strengths:
                found = None
                if canonical_map:
                    found = canonical(x[kept[:, 0]], z[kept[:, 1]], ridge=strength)
                for power in powers:
                    if found is not None:
                        maps = weighted(found, power)
                    else:
                        maps = _maps(x[kept[:, 0]], z[kept[:, 1]], options.map, strength, power)
                    best = retrieve(
                        x[asked] @ maps[0],
                        candidates @ maps[1],
                        by=options.retrieval,
                        neighbors=options.neighbors,
                        temperature=options.temperature,
                        others=frequent @ maps[0],
                    )
                    share = precision_at_one(best.ids, right)
                    shares.setdefault((strength, power), []).append(share)
    means = {setting: float(np.mean(share)) for setting, share in shares.items()}
    strength, power = max(means, key=lambda setting: means[setting])
    return strength, power, means[strength, power]


def _learn(
    key: jax.Array, x: jax.Array, z: jax.Array, rows: np.ndarray, rounds: int, options: Options
) -> np.ndarray:
    """Returns pairs [P, 2] learned from the maps of the pairs before, round by round."""
    few = slice(options.frequent)
    keep, best, since = options.first_keep, -np.inf, 0
    with phase("learning the dictionary"):
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
