"""Words of two languages in one space, learned from sentences and their translations.

Example:
    from jaxemb import bilingual

    pairs = [
        ("a dog runs", "un chien court"),
        ("a cat sleeps", "un chat dort"),
        ("the dog sleeps", "le chien dort"),
        ("the cat runs", "le chat court"),
    ] * 50
    fitted = bilingual.fit(0, pairs, bilingual.Options(dim=8, epochs=20))
    bilingual.translate(fitted, ["dog"], k=2)  # [[("chien", ...), ...]]
    fitted.first.nearest("dog", k=3)  # words of the same language
    fitted.second["chien"]  # its vector, near to that of its translation

Every word predicts its neighbors in both languages: skip-gram reads each sentence merged with its
translation. To these vectors come those of the words' likeliest translations by IBM model 1, whose
probabilities help to look translations up, too.
"""

import dataclasses
import functools
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.sparse import csr_array

from jaxemb import checks
from jaxemb.data.captions import count_words
from jaxemb.data.text import Text, from_tokens
from jaxemb.data.tokenize import words as words_of
from jaxemb.data.vocabulary import Vocabulary, truncate
from jaxemb.errors import InputError
from jaxemb.evaluation.translation import mean_of_nearest
from jaxemb.factorize.ibm1 import Links, ibm1
from jaxemb.factorize.svd import svd
from jaxemb.fields import documented
from jaxemb.io.word_vectors import WordVectors
from jaxemb.losses.distances import unit
from jaxemb.methods import word2vec
from jaxemb.methods.sentences import Pairs, as_pairs
from jaxemb.progress import phase
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training

By = Literal["both", "vectors", "probabilities"]

_NAMES = ("first", "second")
# In one text, what tells a word of the first language from one of the second that is spelled alike.
_MARKS = ("1:", "2:")
# Scores of words looked up at a time, 64 MiB.
_AT_A_TIME = 1 << 24
# Of the likeliest words' directions, how much larger the space is in which they are sought.
_SPACE = 2


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """What determines the vectors, sentences given."""

    dim: int = 200
    """Width of the vectors by which words predict their neighbors, and of those by which they are
    predicted. A word has both, and `linked` numbers: 700 in all by default."""
    epochs: int = 10
    """Passes over the sentences."""
    window: int = 10
    """Neighbors that count, at most, to each side, of both languages together."""
    negatives: int = 5
    """Noise words per prediction."""
    subsample: float = 1e-3
    """Relative frequency above which words are subsampled; 0 keeps all."""
    learning_rate: float = 0.05
    """At the start; it falls linearly to nearly 0."""
    min_count: int = 2
    """Rarer words, of each language, get no vectors."""
    iterations: int = 4
    """Rounds of IBM model 1; with more, rare words seem to translate too much."""
    linked: int = 300
    """Directions, at most, of the words' likeliest translations; 0 for none."""
    linked_weight: float = 0.5
    """How much these count beside the others; cosines are weighed by its square."""
    probability_weight: float = 0.4
    """How much log(1 + p / floor), p a translation's probability, counts beside the cosine."""
    floor: float = 1e-3
    """Probability below which sentences hardly tell translations from other words."""
    neighbors: int = 10
    """Neighbors by which words that are near to all are found (CSLS)."""

    def __post_init__(self) -> None:
        """Refuses values that no vectors can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        self.of_words()
        for name in ("min_count", "iterations", "neighbors"):
            checks.check_field(self, name, at_least=1)
        checks.check_field(self, "linked", at_least=0)
        for name in ("linked_weight", "probability_weight"):
            checks.check_field(self, name, at_least=0, at_most=1e6)
        checks.check_field(self, "floor", above=0, at_most=1)

    def of_words(self) -> word2vec.Options:
        """Returns the numbers of skip-gram.

        Raises:
          InputError: naming the field that no training can use.
        """
        return word2vec.Options(
            dim=self.dim,
            epochs=self.epochs,
            window=self.window,
            negatives=self.negatives,
            subsample=self.subsample,
            learning_rate=self.learning_rate,
        )


class Probabilities(NamedTuple):
    """Of translations, as a sparse matrix of compressed rows.

    Attributes:
      values: [P] float32, more than 0.
      columns: [P] int32, words of the other language.
      ends: [V + 1] int64, where each word's begin and end.
    """

    values: np.ndarray
    columns: np.ndarray
    ends: np.ndarray


class Fitted(NamedTuple):
    """Words of two languages in one space.

    Attributes:
      first: the V words of the first language, most frequent first, their vectors of length 1.
      second: the U words of the second.
      forward: that a first word is translated by a second one.
      back: that a second word is translated by a first one.
      options: what was asked.
      history: how the training went.
    """

    first: WordVectors
    second: WordVectors
    forward: Probabilities
    back: Probabilities
    options: Options
    history: History = History()


class _Sentences(NamedTuple):
    """What is learned from."""

    words: tuple[Vocabulary, Vocabulary]
    ids: tuple[list[np.ndarray], list[np.ndarray]]  # of pairs
    beside: tuple[list[np.ndarray], list[np.ndarray]]


def fit(
    key: jax.Array | int,
    pairs: Pairs,
    options: Options | None = None,
    *,
    beside: tuple[Iterable[str], Iterable[str]] = ((), ()),
    run: Run | None = None,
) -> Fitted:
    """Learns words of two languages from sentences and their translations.

    Args:
      key: random key, or a seed; the same one gives the same bits.
      pairs: N sentences with their translations; strings, cut into words by
        `jaxemb.data.tokenize.words`, in lower case.
      options: None takes the defaults.
      beside: sentences of the first and of the second language alone, from which more of each is
        learned.
      run: checkpoints, log and progress; None has none.

    Returns:
      The words of both languages.

    Raises:
      InputError: if pairs are none, no word is frequent enough, or the loss explodes.
      OSError: if a checkpoint cannot be written.

    Reference:
      Luong, Pham & Manning 2015, "Bilingual word representations with monolingual quality in mind";
      sentences are merged as in Vulić & Moens 2015, "Monolingual and cross-lingual information
      retrieval models based on (bilingual) word embeddings". Brown et al. 1993 (IBM model 1).
    """
    return loop.fit(start(key, pairs, options, beside=beside), run)


def start(
    key: jax.Array | int,
    pairs: Pairs,
    options: Options | None = None,
    *,
    beside: tuple[Iterable[str], Iterable[str]] = ((), ()),
) -> Training:
    """Prepares a training; arguments and errors as in `fit`."""
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    sentences = _read(pairs, beside, options)
    word_key, svd_key = jax.random.split(key)
    training = word2vec.start(word_key, _merged(sentences), options.of_words())
    # Once, though a training may be finished more than once.
    linked = functools.cache(lambda: _linked(svd_key, sentences, options))

    def finish(state: Any) -> Fitted:
        last = training.finish(state)
        sides, (forward, back) = linked()
        vectors = []
        for language in range(2):
            names = [_MARKS[language] + word for word in sentences.words[language].words]
            rows = [last.vectors.index[name] for name in names]
            trained = [unit(jnp.asarray(last.params[name][rows])) for name in ("input", "output")]
            parts = [unit(jnp.concatenate(trained, axis=1))]
            if options.linked:
                parts.append(options.linked_weight * unit(sides[language]))
            vectors.append(np.asarray(unit(jnp.concatenate(parts, axis=1))))
        first, second = (
            WordVectors(words.words, table)
            for words, table in zip(sentences.words, vectors, strict=True)
        )
        return Fitted(first, second, forward, back, options)

    return training._replace(finish=finish, about=options)


def translate(
    fitted: Fitted, words: Sequence[str], *, k: int = 1, back: bool = False, by: By = "both"
) -> list[list[tuple[str, float]]]:
    """Finds translations of words.

    Args:
      fitted: both languages.
      words: of the first; of the second if `back`.
      k: translations of each.
      back: whether to translate into the first.
      by: "vectors", by the cosine, lessened for words that are near to all (CSLS);
        "probabilities", those of IBM model 1, which may be fewer than k; "both", the sum of the
        first and a logarithm of the second.

    Returns:
      For each word its translations, the best first, each with its score.

    Raises:
      UnknownWordError: if a word has no vector.
      InputError: if k is out of range, words is a single string, or `by` is none of these.
    """
    if isinstance(words, str):
        raise InputError(f"words must be a list of words, found one string: [{words!r:.80}]")
    here, there = (fitted.second, fitted.first) if back else (fitted.first, fitted.second)
    if not 1 <= k <= len(there):
        raise InputError(f"k must be from 1 to {len(there)}, the words there, found {k}")
    if by not in ("both", "vectors", "probabilities"):
        raise InputError(f"by must be 'both', 'vectors' or 'probabilities', found {by!r}")
    if not words:
        return []
    asked = here[list(words)]
    rows = np.array([here.row(word) for word in words])
    table, options = fitted.back if back else fitted.forward, fitted.options
    near_to_all: Any = 0
    if by != "probabilities":
        all_here, all_there = (jnp.asarray(side.vectors) for side in (here, there))
        neighbors = min(options.neighbors, len(here))
        near_to_all = np.asarray(mean_of_nearest(all_there, all_here, neighbors)) / 2
    likely = csr_array(tuple(table), shape=(len(here), len(there)))
    if by == "both":
        likely.data = options.probability_weight * np.log1p(likely.data / options.floor)
    found: list[list[tuple[str, float]]] = []
    size = max(1, _AT_A_TIME // len(there))
    for begin in range(0, len(rows), size):
        part = slice(begin, begin + size)
        scores = np.zeros((len(rows[part]), len(there)), np.float32)
        if by != "probabilities":
            scores += asked[part] @ there.vectors.T - near_to_all
        if by != "vectors":
            scores += likely[rows[part]].toarray()
        best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        for ids, own in zip(best, np.take_along_axis(scores, best, axis=1), strict=True):
            order = np.argsort(-own, kind="stable")
            found.append(
                [
                    (there.words[column], float(value))
                    for column, value in zip(ids[order], own[order], strict=True)
                    if by != "probabilities" or value > 0
                ]
            )
    return found


def _read(
    pairs: Pairs, beside: tuple[Iterable[str], Iterable[str]], options: Options
) -> _Sentences:
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
            known = truncate(every, min_count=options.min_count)
        except InputError as error:
            raise InputError(f"{name} sentences: {error}") from error
        words.append(known)
        ids.append([_ids(known, texts) for texts in (paired, others)])
    return _Sentences((words[0], words[1]), (ids[0][0], ids[1][0]), (ids[0][1], ids[1][1]))


def _ids(known: Vocabulary, texts: Sequence[str]) -> list[np.ndarray]:
    ids = known.ids
    return [
        np.array([ids[word] for word in words_of(text) if word in ids], np.int64) for text in texts
    ]


def _merged(sentences: _Sentences) -> Text:
    """Returns each sentence merged with its translation, words in the order of their places.

    A word's place is the share of its sentence that lies before it: a translation lies near what
    it translates, in languages of similar order.
    """
    names = [
        [mark + word for word in words.words]
        for mark, words in zip(_MARKS, sentences.words, strict=True)
    ]

    def merge(first: np.ndarray, second: np.ndarray) -> list[str]:
        places = [(np.arange(len(ids)) + 0.5) / max(len(ids), 1) for ids in (first, second)]
        both = [names[0][word] for word in first] + [names[1][word] for word in second]
        return [both[row] for row in np.argsort(np.concatenate(places), kind="stable")]

    documents = [merge(first, second) for first, second in zip(*sentences.ids, strict=True)]
    for own, texts in zip(names, sentences.beside, strict=True):
        documents += [[own[word] for word in ids] for ids in texts]
    return from_tokens(documents, min_count=1)


def _linked(
    key: jax.Array, sentences: _Sentences, options: Options
) -> tuple[list[jax.Array], tuple[Probabilities, Probabilities]]:
    """Returns the directions of likeliest translations, [V, C] and [U, C], and probabilities.

    The directions are those in which linked words correlate most, each word being a variable of
    its own: singular vectors of the links' counts over the roots of both words' sums.
    """
    sizes = tuple(len(words) for words in sentences.words)
    with phase("linking words to their translations"):
        there = ibm1(*sentences.ids, words=(sizes[0], sizes[1]), iterations=options.iterations)
        back = ibm1(*sentences.ids[::-1], words=(sizes[1], sizes[0]), iterations=options.iterations)
    probabilities = _probabilities(there), _probabilities(back)
    rank = min(options.linked, *sizes)
    if not rank:
        return [jnp.zeros((size, 0)) for size in sizes], probabilities
    counts = (there.counts + back.counts.T).tocoo()
    sums = [np.asarray(counts.sum(axis=axis)) for axis in (1, 0)]
    chance = np.sqrt(sums[0][counts.row] * sums[1][counts.col])
    matrix = csr_array(
        ((counts.data / np.where(chance > 0, chance, 1)).astype(np.float32), counts.coords),
        shape=counts.shape,
    )
    with phase("factorizing the links"):
        found = svd(key, matrix, rank=rank, width=min(_SPACE * rank, *sizes))
    agree = found.values > 0
    return [jnp.where(agree[None, :], side, 0) for side in (found.left, found.right)], probabilities


def _probabilities(links: Links) -> Probabilities:
    table = links.probabilities
    table.eliminate_zeros()
    return Probabilities(
        table.data.astype(np.float32), table.indices.astype(np.int32), table.indptr.astype(np.int64)
    )
