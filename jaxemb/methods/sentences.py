"""Sentences from pairs that belong together: translations, questions and answers, paraphrases.

Example:
    from jaxemb import sentences

    pairs = [("a dog runs", "un chien court"), ("a cat sleeps", "un chat dort")] * 10
    options = sentences.Options(iterations=20, batch=2, dim=8, min_count=1)
    fitted = sentences.fit(0, pairs, options)
    english = sentences.encode(fitted.model, ["a cat sleeps"], side="first")  # [1, 8], of length 1
    french = sentences.encode(fitted.model, ["un chat dort"], side="second")  # near to it

A sentence is the average of its words' vectors, and these are trained so that the two sentences of
a pair are nearer than any others of the batch. `Options(shared=True)` takes one vector for a word
on whichever side it stands: for paraphrases, captions of one picture.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from jaxemb import checks
from jaxemb.data import captions, vocabulary
from jaxemb.errors import InputError
from jaxemb.fields import documented
from jaxemb.io.word_vectors import WordVectors
from jaxemb.methods import matching, two_views
from jaxemb.models import averages
from jaxemb.models.averages import Averages
from jaxemb.models.encoders import MeanEncoder
from jaxemb.models.pretrained import start_from
from jaxemb.sampling.minibatches import minibatches
from jaxemb.training import loop
from jaxemb.training.run import Run
from jaxemb.training.state import History, Training

Side = Literal["first", "second"]
Pairs = Iterable[tuple[str, str]]


@documented
@dataclasses.dataclass(frozen=True)
class Options:
    """Every number of the training."""

    dim: int = 256
    """Width of the vectors."""
    shared: bool = False
    """One vector for a word on both sides: the sentences of a pair are of one language."""
    min_count: int = 2
    """Words rarer on their side are left out."""
    most_words: int = 32
    """Longer sentences are cut while the training looks at them."""
    loss: Literal["info_nce", "nt_xent", "sigmoid_pairs", "ranking", "triplet"] = "nt_xent"
    """info_nce: each side is told from the others of the other side; nt_xent: from all others;
    sigmoid_pairs: each pair of a batch by itself; ranking and triplet: by a margin."""
    temperature: float = 0.07
    """What cosines are divided by: info_nce, nt_xent and, at the start, sigmoid_pairs."""
    margin: float = 0.2
    """Of cosines: ranking; of squared distances: triplet."""
    iterations: int = 1500
    """Steps of the training."""
    batch: int = 256
    """Pairs in a batch."""
    learning_rate: float = 0.015
    """Of Adam, at the start; it falls to 0 along a cosine."""
    validate_every: int = 250
    """Steps from one validation to the next, if there are validation pairs."""
    patience: int = 0
    """Validations in a row without a better score that end the training; 0 never does."""
    call_steps: int = 25
    """Steps of a compiled call; changes speed and memory alone."""

    def __post_init__(self) -> None:
        """Refuses values that no training can use.

        Raises:
          InputError: naming the field.
        """
        checks.check_fields(self)
        for name in ("dim", "min_count", "most_words"):
            checks.check_field(self, name, at_least=1)
        self.of_loss()
        self.of_towers()

    def of_loss(self) -> matching.Loss:
        """Returns the loss.

        Raises:
          InputError: naming the number that it cannot use.
        """
        choice = matching.losses.Choice(self.loss, margin=self.margin, temperature=self.temperature)
        return matching.losses.choose(choice, samples=2)

    def of_towers(self) -> two_views.Options:
        """Returns the numbers of the training of the towers.

        Raises:
          InputError: naming the field that no training can use.
        """
        return two_views.Options(
            iterations=self.iterations,
            batch=self.batch,
            learning_rate=self.learning_rate,
            validate_every=self.validate_every,
            patience=self.patience,
            parts=1,
            call_steps=self.call_steps,
        )


class Model(NamedTuple):
    """Both sides' words.

    Attributes:
      first: of the first sentences of pairs.
      second: of the second; the same where they are shared.
    """

    first: Averages
    second: Averages


class Fitted(NamedTuple):
    """What a training gives.

    Attributes:
      model: for `encode`.
      options: of the training.
      history: how it went.
    """

    model: Model
    options: Options
    history: History = History()


class _Side(NamedTuple):
    """The different sentences of a side."""

    texts: list[str]
    words: vocabulary.Vocabulary
    ids: np.ndarray  # [M, T] int32, -1 beyond a sentence's end


def fit(
    key: jax.Array | int,
    pairs: Pairs,
    options: Options | None = None,
    *,
    vectors: tuple[WordVectors, WordVectors] | WordVectors | None = None,
    validation: Pairs | None = None,
    run: Run | None = None,
) -> Fitted:
    """Trains word vectors whose averages bring the sentences of pairs together.

    Args:
      key: random key, or a seed.
      pairs: N pairs of sentences; one sentence may be in several, and what is paired with the same
        is never told from one another.
      options: None takes the defaults.
      vectors: word vectors to start from, of each side, or of both if words are shared; of width
        `dim`. None starts from random ones.
      validation: pairs to judge by: the score is the share of sentences whose partner is the
        nearest of all, a mean of both ways. The vectors with the best score are kept.
      run: checkpoints, log and progress.

    Returns:
      The model; the same bits for the same arguments on the same machine, interrupted or not.

    Raises:
      InputError: if pairs are none or too few for a batch, no word is frequent enough, or the loss
        explodes.

    Reference:
      Wieting et al. 2016, arXiv:1511.08198 (averages trained on paraphrases), with the softmax over
      the batch of Henderson et al. 2017, arXiv:1705.00652.
    """
    return loop.fit(start(key, pairs, options, vectors=vectors, validation=validation), run)


def start(
    key: jax.Array | int,
    pairs: Pairs,
    options: Options | None = None,
    *,
    vectors: tuple[WordVectors, WordVectors] | WordVectors | None = None,
    validation: Pairs | None = None,
) -> Training:
    """Prepares a training; arguments and errors as in `fit`."""
    options = checks.as_options(options, Options)
    key = checks.as_key(key)
    firsts, seconds = as_pairs(pairs)
    sides, rows = _sides(firsts, seconds, options)
    if len(rows) < options.batch:
        raise InputError(f"batch must be at most the {len(rows)} pairs, found {options.batch}")
    keys = jax.random.split(jax.random.fold_in(key, options.iterations), 3)
    towers = [MeanEncoder(options.dim, len(side.words)) for side in sides]
    params = {
        name: _table(own, tower, side, given)
        for name, own, tower, side, given in zip(
            ("first", "second"), keys, towers, sides, _given(vectors, options), strict=False
        )
    }
    drawn = minibatches(keys[2], rows=len(rows), size=options.batch)
    judged = None
    if validation is not None:
        texts = as_pairs(validation, name="validation")
        judged = tuple(
            _ids(side, one, options) for side, one in zip((sides * 2)[:2], texts, strict=True)
        )
    training = two_views.start(
        key,
        towers[0] if options.shared else (towers[0], towers[1]),
        options.of_loss(),
        (sides[0].ids, sides[-1].ids),
        options.of_towers(),
        labels=together(rows, tuple(len(side.texts) for side in sides)),
        params=params,
        validation=judged,
        rows=lambda start, stop: rows[drawn(start, stop)],
    )

    def finish(state: Any) -> Fitted:
        model = training.finish(state).model
        first, second = (
            Averages(
                side.words.words,
                np.asarray(tower.variables["params"]["Embed_0"]["embedding"], np.float32),
                np.zeros((0, options.dim), np.float32),
            )
            for side, tower in zip((sides * 2)[:2], model, strict=True)
        )
        return Fitted(Model(first, first if options.shared else second), options)

    return training._replace(finish=finish)


def encode(
    model: Model,
    texts: Sequence[str],
    *,
    side: Side = "first",
    unknown: Literal["refuse", "nan"] = "refuse",
) -> np.ndarray:
    """Embeds sentences, trained on or new.

    Args:
      model: from `fit`.
      texts: N sentences, of whatever length.
      side: whose words they are of; no matter where words are shared.
      unknown: what becomes of a sentence without a known word: "refuse", or "nan", a row of NaN,
        for it is near to nothing.

    Returns:
      [N, D] float32 of length 1.

    Raises:
      InputError: if texts are no list of strings, some have no known word and that is refused, or
        the side is neither.
    """
    if not isinstance(model, Model):
        raise InputError(f"model must be that of a Fitted, found {type(model).__name__}")
    if side not in ("first", "second"):
        raise InputError(f"side must be 'first' or 'second', found {side!r}")
    return averages.encode(getattr(model, side), texts, unknown=unknown)


def as_pairs(pairs: Pairs, *, name: str = "pairs") -> tuple[list[str], list[str]]:
    """Returns first sentences and second ones.

    Raises:
      InputError: if there are none, or one is no pair of strings that have words.
    """
    found = []
    rows: Any = pairs.to_numpy() if hasattr(pairs, "to_numpy") else pairs
    if not isinstance(rows, Iterable):
        raise InputError(f"{name} must be a list of pairs, found {type(pairs).__name__}")
    for number, pair in enumerate(rows):
        whole = isinstance(pair, (tuple, list, np.ndarray)) and len(pair) == 2
        if not whole or not all(isinstance(one, str) for one in pair):
            raise InputError(
                f"{name} must be (sentence, sentence), found {pair!r:.80} at number {number}"
            )
        if not all(one.strip() for one in pair):
            raise InputError(f"{name}: number {number} has an empty sentence, {pair!r:.80}")
        found.append(tuple(pair))
    if not found:
        raise InputError(f"{name} must be at least one, found none")
    firsts, seconds = zip(*found, strict=True)
    return list(firsts), list(seconds)


def number(texts: list[str]) -> tuple[list[str], np.ndarray]:
    """Returns the different texts in the order in which they come, and [N] int32 which each is."""
    numbers: dict[str, int] = {}
    rows = np.array([numbers.setdefault(text, len(numbers)) for text in texts], np.int32)
    return list(numbers), rows


def together(rows: np.ndarray, counts: tuple[int, ...]) -> np.ndarray:
    """Labels first sentences: those that are paired with the same one share a label.

    Args:
      rows: [N, 2] sentences of each pair.
      counts: how many sentences each side has; one number where both sides are of the same ones.

    Returns:
      [counts[0]] int32.
    """
    first, second = rows.T if len(counts) == 1 else rows.T + [[0], [counts[0]]]
    shape = (sum(counts), sum(counts))
    graph = sparse.coo_array((np.ones(len(rows), np.int8), (first, second)), shape=shape)
    return csgraph.connected_components(graph, directed=False)[1][: counts[0]]


def _sides(
    firsts: list[str], seconds: list[str], options: Options
) -> tuple[tuple[_Side, ...], np.ndarray]:
    """Returns one side or two, and the rows [N, 2] of each pair's sentences."""
    if options.shared:
        texts, rows = number(firsts + seconds)
        pairs = rows.reshape(2, -1).T
        groups: tuple[list[str], ...] = (texts,)
    else:
        (first, left), (second, right) = number(firsts), number(seconds)
        pairs = np.stack([left, right], axis=1)
        groups = (first, second)
    sides = []
    for name, texts in zip(("first", "second"), groups, strict=False):
        every = captions.count_words(texts)
        try:
            words = vocabulary.truncate(every, min_count=options.min_count)
        except InputError as error:
            raise InputError(f"{name} sentences: {error}") from error
        empty = _Side(texts, words, np.zeros((0, 1), np.int32))
        sides.append(empty._replace(ids=_ids(empty, texts, options)))
    return tuple(sides), pairs


def _ids(side: _Side, texts: list[str], options: Options) -> np.ndarray:
    return captions.encode_captions(texts, side.words, most=options.most_words).ids


def _given(vectors: Any, options: Options) -> tuple[WordVectors | None, ...]:
    """Returns the vectors that each table starts from."""
    tables = 1 if options.shared else 2
    if vectors is None:
        return (None,) * tables
    found = tuple(vectors) if isinstance(vectors, (tuple, list)) else (vectors,)
    if len(found) != tables or not all(isinstance(one, WordVectors) for one in found):
        raise InputError(
            f"vectors must be {'one' if options.shared else 'two'} jaxemb.io.WordVectors, since "
            f"words are {'' if options.shared else 'not '}shared, found {len(found)}"
        )
    return found


def _table(key: jax.Array, tower: MeanEncoder, side: _Side, given: WordVectors | None) -> Any:
    """Returns the parameters of a tower."""
    shape = (len(side.words), tower.dim)
    table = np.asarray(jax.random.normal(key, shape, jnp.float32)) / np.sqrt(tower.dim)
    if given is not None:
        table = start_from(table, side.words.ids, given.words, given.vectors).table
    return {"params": {"Embed_0": {"embedding": jnp.asarray(table)}}}
